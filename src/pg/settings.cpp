// The one list of settings. docs/settings.md is generated from pg_settings, so the texts here are
// the documentation.
#include "pgdba/pg/settings.hpp"

#include "pgdba/core/definition.hpp"
#include "pgdba/core/health.hpp"
#include "pgdba/pg/guard.hpp"

extern "C" {
#include "postmaster/postmaster.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
}

#include <climits>
#include <unistd.h>

namespace pgdba::pg {

namespace {

constinit Settings current{};

// A loop's defaults: the specification's table of loops, and how long its history is kept.
struct LoopDefault {
	const char *interval, *budget, *retention; // setting names
	const char *interval_text, *budget_text, *retention_text;
	LoopSettings value;
};
constexpr int kDay = 24 * 60 * 60;
constexpr LoopDefault kLoopDefaults[4] = {
	{"pgdba.hot_interval",
	 "pgdba.hot_budget",
	 "pgdba.hot_retention",
	 "Time between two samples of sessions, locks and the vacuum horizon.",
	 "Time that one tick of the hot loop may take before its remaining probes are skipped.",
	 "How long samples of the hot loop are kept in tables.",
	 {15'000, 1'000, kDay}},
	{"pgdba.workload_interval",
	 "pgdba.workload_budget",
	 "pgdba.workload_retention",
	 "Time between two samples of databases, statements, WAL and relation counters.",
	 "Time that one tick of the workload loop may take before its remaining probes are skipped.",
	 "How long samples of the workload loop are kept in tables.",
	 {60'000, 3'000, 8 * kDay}},
	{"pgdba.storage_interval",
	 "pgdba.storage_budget",
	 "pgdba.storage_retention",
	 "Time between two samples of sizes, indexes and the server's set-up.",
	 "Time that one tick of the storage loop may take before its remaining probes are skipped.",
	 "How long samples of the storage loop are kept in tables.",
	 {600'000, 10'000, 35 * kDay}},
	{"pgdba.hourly_interval",
	 "pgdba.hourly_budget",
	 "pgdba.hourly_retention",
	 "Time between two samples of bloat, wraparound and statistics.",
	 "Time that one tick of the hourly loop may take before its remaining probes are skipped.",
	 "How long samples of the hourly loop are kept in tables.",
	 {3'600'000, 60'000, 400 * kDay}},
};
static_assert(std::size(kLoopDefaults) == kLoops.size());

extern "C" bool pgdba_check_as_of(char **value, void **, GucSource) {
	if ((*value)[0] == '\0' || compat::is_timestamp(*value))
		return true;
	GUC_check_errdetail("The value is not a time such as \"2026-11-20 03:15:00+00\".");
	return false;
}

void define_text(const char *name, const char *text, const char *more, char **value,
				 const char *boot, GucContext context, int flags,
				 GucStringCheckHook check = nullptr) {
	DefineCustomStringVariable(name, text, more, value, boot, context, flags, check, nullptr,
							   nullptr);
}

void define_number(const char *name, const char *text, const char *more, int *value, int boot,
				   int least, int most, GucContext context, int flags) {
	DefineCustomIntVariable(name, text, more, value, boot, least, most, context, flags, nullptr,
							nullptr, nullptr);
}

} // namespace

const Settings &settings() noexcept {
	return current;
}

void define_settings() {
	define_text("pgdba.database", "Database that holds the pgdba extension and its history.",
				nullptr, &current.database, "postgres", PGC_POSTMASTER, 0);
	define_text("pgdba.listen", "Addresses that the metrics endpoint listens on.",
				"A comma-separated list of address:port; empty turns the endpoint off.",
				&current.listen, "127.0.0.1:8181", PGC_SIGHUP, 0);
	define_text("pgdba.cluster", "Name of this cluster in verdicts and metrics.",
				"When empty it is cluster_name, and when that is empty too the host name.",
				&current.cluster, "", PGC_SIGHUP, 0);
	define_text("pgdba.include_databases", "Databases whose relations are sampled.",
				"A comma-separated list of names in which * stands for any text; empty means all.",
				&current.include_databases, "", PGC_SIGHUP, 0);
	define_text("pgdba.exclude_databases", "Databases whose relations are not sampled.",
				"A comma-separated list of names in which * stands for any text.",
				&current.exclude_databases, "", PGC_SIGHUP, 0);
	define_text("pgdba.as_of", "Moment that the last_ and hist_ views show.",
				"Empty means the newest samples.", &current.as_of, "", PGC_USERSET,
				GUC_NOT_IN_SAMPLE, pgdba_check_as_of);
	for (std::size_t i = 0; i < std::size(kLoopDefaults); ++i) {
		const LoopDefault &loop = kLoopDefaults[i];
		LoopSettings &value = current.loops[i];
		define_number(loop.interval, loop.interval_text, nullptr, &value.interval_ms,
					  loop.value.interval_ms, 100, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS);
		define_number(loop.budget, loop.budget_text, nullptr, &value.budget_ms,
					  loop.value.budget_ms, 10, 3'600'000, PGC_SIGHUP, GUC_UNIT_MS);
		define_number(loop.retention, loop.retention_text, nullptr, &value.retention_s,
					  loop.value.retention_s, 80, INT_MAX, PGC_SIGHUP, GUC_UNIT_S);
	}
	define_number("pgdba.top_relations", "Relations kept per ranking in rings and metrics.",
				  "Checks see all relations; this bounds what is kept and exported.",
				  &current.top_relations, 50, 1, 10'000, PGC_SIGHUP, 0);
	define_number("pgdba.top_indexes", "Indexes kept per ranking in rings and metrics.",
				  "Checks see all indexes; this bounds what is kept and exported.",
				  &current.top_indexes, 50, 1, 10'000, PGC_SIGHUP, 0);
	define_number("pgdba.top_queries", "Statements kept per ranking in rings and metrics.",
				  "Checks see all statements; this bounds what is kept and exported.",
				  &current.top_queries, 50, 1, 10'000, PGC_SIGHUP, 0);
	define_number("pgdba.slow_session",
				  "How long a statement or transaction runs before its session is a slow one.",
				  "The hot loop looks for them: what is slow for longer than its interval is never "
				  "missed.",
				  &current.slow_session_ms, 10'000, 1, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS);
	define_number("pgdba.shared_memory", "Shared memory for the memory ring.", nullptr,
				  &current.shared_memory_mb, 32, 1, 4096, PGC_POSTMASTER, GUC_UNIT_MB);
	define_number("pgdba.max_series", "Largest number of series that /metrics gives.",
				  "Series beyond it are left out and counted in pgdba_series_dropped_total.",
				  &current.max_series, 3000, 100, 1'000'000, PGC_SIGHUP, 0);
	define_number(
		"pgdba.pgstattuple_limit",
		"Data that the extension pgstattuple may read per hour and database.",
		"Where it is installed the largest relations that fit are looked at to tell bloat "
		"exactly; 0 turns that off.",
		&current.pgstattuple_limit_mb, 1024, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MB);
	define_number("pgdba.lock_timeout", "Longest time that a sample waits for a lock.", nullptr,
				  &current.lock_timeout_ms, 100, 1, 10'000, PGC_SIGHUP, GUC_UNIT_MS);
	define_number("pgdba.wait_rate", "How often sessions are looked at to tell what they wait for.",
				  "Times a second.", &current.wait_rate, 10, 1, 100, PGC_SIGHUP, 0);
	define_number("pgdba.wait_memory", "Shared memory for what sessions waited for lately.",
				  "The more, the more minutes it goes back; some is added for each session that "
				  "max_connections allows.",
				  &current.wait_memory_mb, 4, 1, 64, PGC_POSTMASTER, GUC_UNIT_MB);
	MarkGUCPrefixReserved("pgdba");
}

std::string_view cluster_label() {
	static constinit char host[256] = "";
	if (current.cluster != nullptr && current.cluster[0] != '\0')
		return current.cluster;
	if (cluster_name != nullptr && cluster_name[0] != '\0')
		return cluster_name;
	if (host[0] == '\0')
		gethostname(host, sizeof host - 1);
	return host;
}

Micros as_of() {
	const char *const text = current.as_of;
	if (text == nullptr || text[0] == '\0')
		return 0;
	return call([&] {
		return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
													   ObjectIdGetDatum(InvalidOid),
													   Int32GetDatum(-1)));
	});
}

AsOf::AsOf(Micros at) {
	// In UTC and ISO, with all digits: reads back the same whatever DateStyle and TimeZone are.
	std::string text = format_time(at);
	const std::string fraction = std::to_string(
		kMicrosPerSecond + (at % kMicrosPerSecond + kMicrosPerSecond) % kMicrosPerSecond);
	text.insert(text.size() - 3, "." + fraction.substr(1));
	const char *const value = text.c_str();
	nest_level_ = call([value] {
		const int level = NewGUCNestLevel();
		(void)set_config_option("pgdba.as_of", value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								true, 0, false);
		return level;
	});
}

AsOf::~AsOf() {
	const int level = nest_level_;
	call_noexcept([level] { AtEOXact_GUC(true, level); });
}

int setting_by_name(std::string_view name, int fallback) noexcept {
	return name == "top_relations" ? current.top_relations
		   : name == "top_indexes" ? current.top_indexes
		   : name == "top_queries" ? current.top_queries
								   : fallback;
}

} // namespace pgdba::pg
