// Linux accounts for a process in several files of /proc: time and memory, bytes of storage, and
// what of the memory is its own.
#include "pgdba/host/machine.hpp"

#include "pgdba/core/proc_text.hpp"
#include "pgdba/host/files.hpp"

#include <dirent.h>
#include <unistd.h>

#include <charconv>
#include <memory>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

enum Field : std::size_t {
	kPid,
	kState,
	kUser,
	kSystem,
	kMajorFaults,
	kResident,
	kOwn,
	kRead,
	kWritten,
	kOomScore,
	kFields
};
constexpr std::pair<const char *, Type> kColumns[kFields] = {
	{"pid", Type::kInt8},
	{"state", Type::kText},
	{"user_seconds", Type::kFloat8},
	{"system_seconds", Type::kFloat8},
	{"major_faults", Type::kInt8},
	{"resident_bytes", Type::kInt8},
	{"own_bytes", Type::kInt8},
	{"read_bytes", Type::kInt8},
	{"written_bytes", Type::kInt8},
	{"oom_score", Type::kInt8},
};

void add_process(Sample &sample, const std::string &folder, int pid, const ProcessStat &stat) {
	const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
	const std::int64_t page = sysconf(_SC_PAGESIZE);
	const std::size_t row = sample.add_row();
	sample.set_int(row, kPid, pid);
	sample.set_text(row, kState, {&stat.state, 1});
	sample.set_float(row, kUser, static_cast<double>(stat.user) * tick);
	sample.set_float(row, kSystem, static_cast<double>(stat.system) * tick);
	sample.set_int(row, kMajorFaults, stat.major_faults);
	sample.set_int(row, kResident, stat.resident * page);
	const auto put = [&](Field field, const std::optional<double> &value) {
		if (value)
			sample.set_int(row, field, static_cast<std::int64_t>(*value));
	};
	// statm: size, resident, shared, in pages. What is shared is mostly shared_buffers.
	const std::string memory = read_small_file(folder + "/statm");
	std::string_view rest(memory);
	for (int skip = 0; skip < 2; ++skip)
		rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
	if (const auto shared = first_number(rest))
		sample.set_int(
			row, kOwn,
			std::max<std::int64_t>(0, (stat.resident - static_cast<std::int64_t>(*shared)) * page));
	const std::string storage = read_small_file(folder + "/io");
	put(kRead, named_number(storage, "read_bytes"));
	put(kWritten, named_number(storage, "write_bytes"));
	put(kOomScore, first_number(read_small_file(folder + "/oom_score_adj")));
}

struct CloseFolder {
	void operator()(DIR *folder) const noexcept { closedir(folder); }
};

} // namespace

Sample process_sample(int postmaster) {
	Sample sample;
	sample.set_columns(plain_columns(kColumns));
	const std::unique_ptr<DIR, CloseFolder> processes(opendir("/proc"));
	if (!processes)
		return sample;
	while (const dirent *const entry = readdir(processes.get())) {
		const std::string_view name(entry->d_name);
		int pid = 0;
		if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr !=
				name.data() + name.size() ||
			name.empty())
			continue;
		const std::string folder = "/proc/" + std::string(name);
		const auto stat = process_stat(read_small_file(folder + "/stat"));
		if (stat && (pid == postmaster || stat->parent == postmaster))
			add_process(sample, folder, pid, *stat);
	}
	return sample;
}

} // namespace pgdba
