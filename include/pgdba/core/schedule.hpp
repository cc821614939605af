// When a loop or a probe is due. Pure arithmetic on Micros.
#pragma once

#include "pgdba/core/sample.hpp"

#include <algorithm>

namespace pgdba {

// A loop's schedule. Ticks lie on multiples of the interval since the start; missed ticks are
// skipped, never made up, and counted. A new interval takes effect at once. The clock may jump: a
// jump backwards makes the loop due.
class Schedule {
public:
	explicit Schedule(Micros interval) : interval_(std::max<Micros>(interval, 1)) {}
	void set_interval(Micros interval) noexcept;
	Micros interval() const noexcept { return interval_; }
	bool due(Micros now) const noexcept {
		return next_ == 0 || now >= next_ || now < next_ - 2 * interval_;
	}
	Micros next(Micros now) const noexcept { return due(now) ? now : next_; }
	void request() noexcept { next_ = 0; } // due at once (sample_now)
	// The tick starts. RETURNS its lateness: how long after its time it started (0 for the first
	// and requested ones).
	Micros begin(Micros now) noexcept;
	std::int64_t skipped() const noexcept { return skipped_; }

private:
	Micros interval_;
	Micros next_ = 0;
	std::int64_t skipped_ = 0;
};

// Back-off of a failing probe: after n failures in a row it rests 2^(n-1) - 1 ticks, at most 63.
class BackOff {
public:
	bool rests() noexcept; // call once per tick: RETURNS whether to skip this tick
	void failed() noexcept;
	void succeeded() noexcept { failures_ = 0, rest_ = 0; }
	int failures() const noexcept { return failures_; }

private:
	int failures_ = 0;
	int rest_ = 0;
};

} // namespace pgdba
