// What the sampler records of itself, as samples of built-in native probes: `heartbeat` (a row per
// loop, each tick), `probe_run` (the cost and the errors of each probe) and `database_visit`. So an
// idle minute and an outage look different, the price of every probe is known, and so is the age of
// what is shown of each database.
#pragma once

#include "pgdba/core/definition.hpp"
#include "pgdba/core/sample.hpp"

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pgdba {

struct LoopRecord {
	std::int64_t tick = 0, rows = 0, bytes = 0, errors = 0, skipped = 0;
	Micros interval = 0, last_tick = 0, duration = 0, lateness = 0;
	bool degraded = false;
	bool unwritten = false; // degraded only because its samples were not written to tables
	std::string reason;
};
using LoopRecords = std::array<LoopRecord, kLoops.size()>;

struct ProbeRecord {
	std::string loop;
	std::int64_t runs = 0, rows = 0, cut = 0, bytes = 0, wal = 0, errors = 0;
	std::int64_t late = 0, skipped = 0; // ticks without time left for it; ticks that it rested
	Micros wall = 0, cpu = 0, last_error_at = 0;
	std::string last_error; // of the last run; empty when it went well
};
using ProbeRecords = std::map<std::string, ProbeRecord, std::less<>>;

// The last visit to each database, by name.
struct VisitRecord {
	Micros at = 0; // of the last one that answered; 0: none has
	Micros duration = 0;
	std::int64_t visits = 0, missed = 0; // missed: no time, no free process, or somebody wanted it
	std::string error;                   // of the last one
};
using VisitRecords = std::map<std::string, VisitRecord, std::less<>>;
constexpr std::string_view kVisitLoop = kLoops[2];

Sample heartbeat_sample(const LoopRecords &loops, const std::vector<Column> &columns, Micros at);
Sample probe_run_sample(const ProbeRecords &probes, const std::vector<Column> &columns, Micros at);
Sample database_visit_sample(const VisitRecords &visits, const std::vector<Column> &columns,
							 Micros at);

// Whether a native probe is one of these records, which the sampler takes after the others.
bool is_record(std::string_view probe) noexcept;
// The columns a native probe returns, without their meaning; empty when there is no such native
// probe.
std::vector<std::pair<std::string, Type>> native_columns(std::string_view probe);

} // namespace pgdba
