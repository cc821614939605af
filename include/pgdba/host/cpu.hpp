// What the system tells of CPUs: how many there are for us, and how long a process had one.
#pragma once

#include "pgdba/core/sample.hpp"

#include <optional>

namespace pgdba {

// What the control group allows, else those of the machine. RETURNS nothing when neither is known.
std::optional<double> usable_cpus();

// Of a process since it began: with a CPU, and ready to run without one. From
// /proc/<pid>/schedstat.
struct RunTimes {
	Micros on_cpu = 0, ready = 0;
};
std::optional<RunTimes> run_times(int pid);

} // namespace pgdba
