#include "pgdba/core/schedule.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr int kLongestRest = 63;
constexpr int kFailuresOfLongestRest = 7; // 2^(7-1) - 1 = 63

} // namespace

// The next tick lies one interval after the last one: that stays true with the new interval.
void Schedule::set_interval(Micros interval) noexcept {
	interval = std::max<Micros>(interval, 1);
	if (next_ != 0)
		next_ += interval - interval_;
	interval_ = interval;
}

Micros Schedule::begin(Micros now) noexcept {
	if (next_ == 0 ||
		now < next_) { // the first, a requested one, or the clock went back: a new start
		next_ = now + interval_;
		return 0;
	}
	const Micros late = now - next_;
	const std::int64_t missed = late / interval_;
	skipped_ += missed;
	next_ += (missed + 1) * interval_;
	return late;
}

bool BackOff::rests() noexcept {
	if (rest_ == 0)
		return false;
	--rest_;
	return true;
}

void BackOff::failed() noexcept {
	if (failures_ < kFailuresOfLongestRest) {
		++failures_;
		rest_ = (1 << (failures_ - 1)) - 1;
	} else {
		failures_ = std::min(failures_, INT32_MAX - 1) + 1;
		rest_ = kLongestRest;
	}
}

} // namespace pgdba
