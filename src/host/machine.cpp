#include "pgdba/host/machine.hpp"

#include "pgdba/core/proc_text.hpp"
#include "pgdba/host/files.hpp"

#include <sys/timex.h>
#include <unistd.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// Limits of a control group that mean "none": near the largest number of 63 bits, in whole pages.
constexpr double kNoLimit = 9e18;

class Row {
public:
	void put(const char *name, Type type, const std::optional<double> &value) {
		columns_.emplace_back(name, type);
		values_.push_back(value);
	}
	void bytes(const char *name, const std::optional<double> &value) {
		put(name, Type::kInt8, value);
	}
	void number(const char *name, const std::optional<double> &value) {
		put(name, Type::kFloat8, value);
	}
	void flag(const char *name, const std::optional<double> &value) {
		put(name, Type::kBool, value);
	}
	void text(const char *name, const std::optional<std::string> &value) {
		put(name, Type::kText,
			value ? std::optional(static_cast<double>(texts_.size())) : std::nullopt);
		if (value)
			texts_.push_back(*value);
	}
	Sample sample() const {
		Sample made;
		made.set_columns(plain_columns(columns_));
		made.add_row();
		for (std::size_t i = 0; i < columns_.size(); ++i)
			if (!values_[i])
				continue;
			else if (columns_[i].second == Type::kInt8)
				made.set_int(0, i, static_cast<std::int64_t>(*values_[i]));
			else if (columns_[i].second == Type::kBool)
				made.set_bool(0, i, *values_[i] != 0);
			else if (columns_[i].second == Type::kText)
				made.set_text(0, i, texts_[static_cast<std::size_t>(*values_[i])]);
			else
				made.set_float(0, i, *values_[i]);
		return made;
	}

private:
	std::vector<std::pair<std::string, Type>> columns_;
	std::vector<std::optional<double>> values_; // of a text its place in texts_
	std::vector<std::string> texts_;
};

void add_memory(Row &row) {
	const std::string memory = read_small_file("/proc/meminfo");
	const std::string events = read_small_file("/proc/vmstat");
	const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
	const auto pages = [&](const char *name) {
		const auto count = named_number(events, name);
		return count ? std::optional(*count * page) : std::nullopt;
	};
	row.bytes("memory_total", named_number(memory, "MemTotal"));
	row.bytes("memory_available", named_number(memory, "MemAvailable"));
	row.bytes("memory_free", named_number(memory, "MemFree"));
	row.bytes("memory_cached", named_number(memory, "Cached"));
	row.bytes("memory_dirty", named_number(memory, "Dirty"));
	row.bytes("memory_writeback", named_number(memory, "Writeback"));
	row.bytes("memory_shared", named_number(memory, "Shmem"));
	row.bytes("memory_page_tables", named_number(memory, "PageTables"));
	row.bytes("memory_committed", named_number(memory, "Committed_AS"));
	row.bytes("memory_commit_limit", named_number(memory, "CommitLimit"));
	row.number("overcommit", first_number(read_small_file("/proc/sys/vm/overcommit_memory")));
	row.number("swappiness", first_number(read_small_file("/proc/sys/vm/swappiness")));
	row.bytes("swap_total", named_number(memory, "SwapTotal"));
	row.bytes("swap_free", named_number(memory, "SwapFree"));
	row.bytes("swapped_in", pages("pswpin"));
	row.bytes("swapped_out", pages("pswpout"));
	row.bytes("oom_kills", named_number(events, "oom_kill"));
	row.bytes("huge_pages", named_number(memory, "HugePages_Total"));
	row.bytes("huge_pages_free", named_number(memory, "HugePages_Free"));
	row.bytes("huge_page_size", named_number(memory, "Hugepagesize"));
	row.text("transparent_huge_pages",
			 chosen_word(read_small_file("/sys/kernel/mm/transparent_hugepage/enabled")));
}

void add_cpu(Row &row) {
	const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
	const std::string stat = read_small_file("/proc/stat");
	std::string_view line(stat);
	line.remove_prefix(std::min(line.find(' '), line.size()));
	// The first line is the sum of all CPUs.
	for (const char *const name : {"cpu_user", "cpu_nice", "cpu_system", "cpu_idle", "cpu_iowait",
								   "cpu_irq", "cpu_softirq", "cpu_steal"}) {
		line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
		const auto ticks = first_number(line);
		line.remove_prefix(std::min(line.find_first_of(" \n"), line.size()));
		row.number(name, ticks ? std::optional(*ticks * tick) : std::nullopt);
	}
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	row.number("cpus", online > 0 ? std::optional(static_cast<double>(online)) : std::nullopt);
	row.bytes("running", named_number(stat, "procs_running"));
	row.bytes("blocked", named_number(stat, "procs_blocked"));
	row.number("boot_time", named_number(stat, "btime"));
	std::string governor = read_small_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	governor.resize(std::min(governor.find('\n'), governor.size()));
	row.text("cpu_governor", governor.empty() ? std::nullopt : std::optional(governor));
	const std::string load = read_small_file("/proc/loadavg");
	std::string_view rest(load);
	for (const char *const name : {"load_1m", "load_5m", "load_15m"}) {
		row.number(name, first_number(rest));
		rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
	}
}

// What the kernel knows of whoever sets its clock. Reading needs no privilege.
void add_clock(Row &row) {
	timex clock{};
	const bool known = adjtimex(&clock) >= 0;
	row.flag("clock_synchronized",
			 known ? std::optional((clock.status & STA_UNSYNC) == 0 ? 1.0 : 0.0) : std::nullopt);
	row.number("clock_error",
			   known ? std::optional(static_cast<double>(clock.maxerror) / 1e6) : std::nullopt);
}

// Time in which somebody ("some") or everybody ("full") waited for it.
void add_pressure(Row &row) {
	for (const std::string what : {"cpu", "memory", "io"}) {
		const std::string text = read_small_file("/proc/pressure/" + what);
		row.number((what + "_pressure").c_str(), stall_seconds(text, "some"));
		row.number((what + "_full_pressure").c_str(), stall_seconds(text, "full"));
	}
}

struct Group {
	bool second_version = false;
	std::string folder;
	std::string file(const char *second, const char *first) const {
		return folder.empty() ? ""
							  : read_small_file(folder + "/" + (second_version ? second : first));
	}
};

// Inside a container its own group is the root of what is mounted, whatever the path says.
Group group_of(const std::string &controller) {
	const auto group = control_group(read_small_file("/proc/self/cgroup"), controller);
	if (!group)
		return {};
	const std::string root =
		group->second_version ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controller;
	const std::string own =
		group->second_version
			? root + group->path
			: root + group->path.substr(std::min(group->path.find('/', 1), group->path.size()));
	const bool there = access(own.c_str(), R_OK) == 0;
	return {group->second_version, there ? own : root};
}

std::optional<double> limit(const std::optional<double> &value) {
	return value && *value > 0 && *value < kNoLimit ? value : std::nullopt;
}

void add_group(Row &row) {
	const Group memory = group_of("memory"), cpu = group_of("cpu");
	row.bytes("group_memory_limit",
			  limit(first_number(memory.file("memory.max", "memory.limit_in_bytes"))));
	row.bytes("group_memory_used",
			  first_number(memory.file("memory.current", "memory.usage_in_bytes")));
	row.bytes("group_oom_kills",
			  named_number(memory.file("memory.events", "memory.oom_control"), "oom_kill"));
	std::optional<double> cpus;
	if (cpu.second_version) { // "quota period" or "max period"
		const std::string both = cpu.file("cpu.max", "");
		const auto quota = first_number(both);
		const auto period =
			first_number(std::string_view(both).substr(std::min(both.find(' ') + 1, both.size())));
		if (quota && period && *period > 0)
			cpus = *quota / *period;
	} else {
		const auto quota = first_number(cpu.file("", "cpu.cfs_quota_us"));
		const auto period = first_number(cpu.file("", "cpu.cfs_period_us"));
		if (quota && period && *quota > 0 && *period > 0)
			cpus = *quota / *period;
	}
	row.number("group_cpus", cpus);
	const std::string throttling = cpu.file("cpu.stat", "cpu.stat");
	const auto in_micros = named_number(throttling, "throttled_usec");
	const auto in_nanos = named_number(throttling, "throttled_time");
	row.number("group_throttled", in_micros  ? std::optional(*in_micros / 1e6)
								  : in_nanos ? std::optional(*in_nanos / 1e9)
											 : std::nullopt);
}

} // namespace

Sample machine_sample() {
	Row row;
	add_memory(row);
	add_cpu(row);
	add_clock(row);
	add_pressure(row);
	add_group(row);
	return row.sample();
}

} // namespace pgdba
