// The sampler of waits: looks at all sessions `pgdba.wait_rate` times a second, inside the
// launcher's loop, and adds what it sees to the memory of waits.
//
// Ticks lie on multiples of the interval, by a clock that nobody sets. A late tick stands for the
// time since the one before; one that is so late that nobody knows what was in between stands for
// one interval, and the rest is a gap.
//
// Once a second it asks the system about sessions that seem to be on a CPU: which part of that time
// they had one, and which they waited for it.
#pragma once

#include "pgdba/core/schedule.hpp"
#include "pgdba/host/cpu.hpp"
#include "pgdba/pg/wait_sessions.hpp"

#include <vector>

namespace pgdba {

class WaitSampler {
public:
	WaitSampler();
	Micros until_due() const noexcept; // 0: now
	void tick();

private:
	// What is known of a session's CPU time since it was last asked for.
	struct CpuWatch {
		int pid = 0;
		Micros seen = 0; // without a wait, since then
		std::uint32_t round = 0;
		RunTimes times;
	};

	WaitTick step(Micros now, Micros *gap) noexcept;
	void watch_cpu(std::span<const WaitSight> sights, Micros credit);
	void ask_system(std::span<const WaitSight> sights);

	pg::WaitReader reader_;
	Schedule schedule_, rounds_;
	Micros before_ = 0, wall_before_ = 0; // the last tick, by both clocks
	std::vector<CpuWatch> watches_;       // by the session's place
	std::uint32_t round_ = 0;
	Micros own_cpu_ = 0;
	WaitCounters found_{}; // by the last round, to be added at the next tick
};

} // namespace pgdba
