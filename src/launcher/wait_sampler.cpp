#include "pgdba/launcher/wait_sampler.hpp"

#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/wait_memory.hpp"
#include "pgdba/pg/worker.hpp"

#include <algorithm>
#include <cstdlib>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr Micros kRound = kMicrosPerSecond;         // between two questions to the system
constexpr int kMostAsked = 64;                      // in one round
constexpr Micros kKnownFor = kMicrosPerSecond / 2;  // a tick stands for no more than that,
constexpr Micros kIntervals = 2;                    // or this many intervals
constexpr Micros kClockSet = kMicrosPerSecond / 10; // the clocks differ by more: somebody set one

Micros interval() noexcept {
	return kMicrosPerSecond / pg::settings().wait_rate;
}

} // namespace

WaitSampler::WaitSampler() : schedule_(interval()), rounds_(kRound), watches_(pg::wait_slots()) {}

Micros WaitSampler::until_due() const noexcept {
	const Micros now = pg::steady_now();
	return schedule_.next(now) - now;
}

// What this tick stands for. The wall clock's time is used where both agree, so that runs join
// without a seam.
WaitTick WaitSampler::step(Micros now, Micros *gap) noexcept {
	const Micros wall = pg::now();
	const Micros passed = now - before_, wall_passed = wall - wall_before_;
	const bool first = before_ == 0;
	before_ = now;
	wall_before_ = wall;
	if (first) // of this process: whatever was before it was not looked at
		return {wall, 0, true};
	if (passed > std::max(kKnownFor, kIntervals * interval())) {
		*gap = passed - interval();
		return {wall, interval(), true};
	}
	if (std::abs(passed - wall_passed) > kClockSet)
		return {wall, passed, true};
	return {wall, std::max<Micros>(0, wall_passed), wall_passed < 0};
}

void WaitSampler::tick() {
	schedule_.set_interval(interval());
	const Micros now = pg::steady_now();
	const std::int64_t missed_before = schedule_.skipped();
	const bool late = schedule_.begin(now) > interval() / 2;
	const std::int64_t missed = schedule_.skipped() - missed_before;
	Micros gap = 0;
	const WaitTick tick = step(now, &gap);
	std::span<const WaitSight> sights;
	if (tick.credit > 0)
		sights = reader_.read(tick.at);
	watch_cpu(sights, tick.credit);
	pg::write_waits([&](WaitMemory &memory) {
		WaitCounters &counters = memory.counters();
		if (tick.credit == 0 && memory.last_tick() != 0) // another process looked before
			counters.gap += std::max<Micros>(0, tick.at - memory.last_tick());
		counters.gap += gap;
		counters.late += late ? 1 : 0;
		counters.missed += missed;
		counters.measured += found_.measured;
		counters.on_cpu += found_.on_cpu;
		counters.ready += found_.ready;
		counters.own_cpu += found_.own_cpu;
		memory.tick(tick);
		for (const WaitSight &sight : sights)
			memory.see(sight);
	});
	found_ = {};
	if (rounds_.due(now)) {
		(void)rounds_.begin(now);
		ask_system(sights);
	}
}

void WaitSampler::watch_cpu(std::span<const WaitSight> sights, Micros credit) {
	for (const WaitSight &sight : sights) {
		if (sight.state != WaitState::kActive || sight.event != kNoWait)
			continue;
		CpuWatch &watch = watches_[sight.who.slot];
		if (watch.pid != sight.who.pid)
			watch = {sight.who.pid, 0, 0, {}};
		watch.seen += credit;
	}
}

// Counts only for those that were asked in the round before as well: between two questions the
// system accounts for what we saw as time without a wait.
void WaitSampler::ask_system(std::span<const WaitSight> sights) {
	++round_;
	int asked = 0;
	for (const WaitSight &sight : sights) {
		if (sight.state != WaitState::kActive)
			continue;
		CpuWatch &watch = watches_[sight.who.slot];
		if (watch.pid != sight.who.pid || watch.seen == 0 || asked == kMostAsked)
			continue;
		++asked;
		const Micros seen = std::exchange(watch.seen, 0);
		const std::optional<RunTimes> times = run_times(sight.who.pid);
		if (!times)
			continue;
		if (watch.round != 0 && watch.round + 1 == round_) {
			found_.measured += seen;
			found_.on_cpu += std::max<Micros>(0, times->on_cpu - watch.times.on_cpu);
			found_.ready += std::max<Micros>(0, times->ready - watch.times.ready);
		}
		watch.round = round_;
		watch.times = *times;
	}
	const Micros own = pg::cpu_time();
	found_.own_cpu = own - own_cpu_;
	own_cpu_ = own;
}

} // namespace pgdba
