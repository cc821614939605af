// The front door as text and JSON: what pgdba.health() and pgdba.health_json() answer, from plain
// values.
#pragma once

#include "pgdba/core/verdict.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

struct LoopState {
	std::string loop;
	Micros last = 0; // end of the last tick, 0 when it never ran
	Micros interval = 0;
	bool late = false;     // no tick for three intervals
	bool degraded = false; // over budget, a probe failing, or not written to tables
	std::string reason;    // why, in words
};

struct HealthReport {
	std::string cluster, server_version, version; // version: pgdba's
	bool in_recovery = false;
	Micros now = 0;        // the moment it is asked about (as_of, or now)
	Micros sampled_at = 0; // newest sample, 0 when there is none
	std::vector<LoopState> loops;
	std::vector<Verdict> verdicts;
	std::vector<std::string>
		notices;            // why there is no data, e.g. "the home database does not exist"
	std::size_t checks = 0; // how many checks are defined
};

// Worst severity present; unknown when there is no sample or every loop is late.
Severity overall(const HealthReport &report) noexcept;

// A verdict that is older than three intervals of its loop is unknown: its message then says what
// it was and when.
void mark_stale(std::vector<Verdict> &verdicts, const std::vector<LoopState> &loops, Micros now);

// Lines of at most 100 characters (only a SQL line may be longer: it must be copied whole). A
// healthy cluster gets one line, then set-up advice if there is any. Worst first; `unknown` in one
// block at the end; `ok` is only counted.
std::vector<std::string> health_lines(const HealthReport &report);
std::string
health_json(const HealthReport &report); // the shape of docs/interface.md; valid UTF-8 always

// The body of GET /healthz and its status code. `failing` (503) only when no loop ran for three
// intervals, or the home database or the extension is missing (`missing`, in words; empty when both
// are there).
struct Healthz {
	int status = 200;
	std::string body;
};
Healthz healthz(const HealthReport &report, const std::string &database,
				const std::string &missing);

// "2026-11-20 12:03:11+00" in UTC, and "2 min 5 s", "3.2 s", "1 d 4 h".
std::string format_time(Micros at);
std::string format_duration(double seconds);
std::string format_bytes(double bytes);     // 1024-based as pg_size_pretty: "1.5 GB"
std::string format_count(double count);     // "1,234,567"
std::string format_percent(double percent); // of 0 to 100: "12.5 %"
// By its unit: seconds, bytes and percent as above, anything else as a count in front of the unit's
// name.
std::string format_value(double value, std::string_view unit);

// A time taken apart, in UTC.
struct CivilTime {
	int year, month, day, hour, minute, second, micros;
};
CivilTime civil_time(Micros at) noexcept;

} // namespace pgdba
