// The texts of Linux's /proc and /sys, taken apart. Whatever is not there or not as expected is
// nothing, never 0: other kernels have other files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgdba {

// The first number of a text such as that of a file with one line.
std::optional<double> first_number(std::string_view text);
// The number behind a name at the beginning of a line, as in "MemTotal:  123 kB" (then bytes) or
// "oom_kill 3".
std::optional<double> named_number(std::string_view text, std::string_view name);
// Which of several words is in force, as in "always [madvise] never".
std::optional<std::string> chosen_word(std::string_view text);
// Of a line of pressure stall information, "some avg10=… total=123456": seconds.
std::optional<double> stall_seconds(std::string_view text, std::string_view line);

// Where the process's control group of a controller ("memory") is, as a path below
// /sys/fs/cgroup. Version 1 names controllers; the one hierarchy of version 2 has an empty list.
struct ControlGroup {
	bool second_version = false;
	std::string path;
};
std::optional<ControlGroup> control_group(std::string_view proc_cgroup,
										  std::string_view controller);

// /proc/<pid>/stat. Times in ticks, memory in pages.
struct ProcessStat {
	std::string name;
	char state = '?';
	std::int64_t parent = 0, major_faults = 0, user = 0, system = 0, started = 0, resident = 0;
};
std::optional<ProcessStat> process_stat(std::string_view text);

} // namespace pgdba
