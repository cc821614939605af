#include "pgdba/host/cpu.hpp"

#include "pgdba/core/proc_text.hpp"
#include "pgdba/host/files.hpp"
#include "pgdba/host/machine.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

std::optional<double> usable_cpus() {
	const Sample machine = machine_sample();
	const Cell all = machine.at(0, "cpus"), allowed = machine.at(0, "group_cpus");
	if (all.null)
		return allowed.null ? std::nullopt : std::optional(allowed.real);
	return allowed.null ? all.real : std::min(all.real, allowed.real);
}

std::optional<RunTimes> run_times(int pid) {
	// Nanoseconds on a CPU, nanoseconds in the queue for one, how often.
	const std::string text = read_small_file("/proc/" + std::to_string(pid) + "/schedstat");
	const auto on_cpu = first_number(text);
	const auto ready =
		first_number(std::string_view(text).substr(std::min(text.find(' ') + 1, text.size())));
	if (!on_cpu || !ready)
		return std::nullopt;
	return RunTimes{static_cast<Micros>(*on_cpu / 1000), static_cast<Micros>(*ready / 1000)};
}

} // namespace pgdba
