// SQL functions that act on the workers, and the seam for golden samples.
#include <nlohmann/json.hpp> // before the server's headers, which redefine snprintf

#include "pgdba/core/codec.hpp"
#include "pgdba/pg/datum.hpp"
#include "pgdba/pg/entry.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/sampler/definitions.hpp"
#include "pgdba/sampler/records.hpp"

extern "C" {
#include "utils/timestamp.h"
}

PGDBA_FUNCTION(pgdba_sample_now)
PGDBA_FUNCTION(pgdba_pause)
PGDBA_FUNCTION(pgdba_resume)
PGDBA_FUNCTION(pgdba_inject_sample)

using namespace pgdba;

namespace {

constexpr Micros kLongestStop =
	10 * kMicrosPerSecond; // how long pause() waits for the sampler to leave
constexpr Micros kLook = 20'000;

unsigned loops_named(const std::string &name) {
	if (name == "all")
		return (1U << kLoops.size()) - 1;
	if (const int loop = loop_index(name); loop >= 0)
		return 1U << loop;
	throw pg::PgError(pg::sqlstate("22023"), "loop \"" + name + "\" does not exist", {},
					  "Loops are hot, workload, storage and hourly; all means every one.");
}

[[noreturn]] void bad_row(const std::string &detail, const std::string &hint = {}) {
	throw pg::PgError(pg::sqlstate("22023"), "rows of a sample are not as its probe describes them",
					  detail, hint);
}

void set_from_json(Sample &sample, std::size_t row, std::size_t column,
				   const nlohmann::json &value) {
	const Column &described = sample.columns()[column];
	switch (described.type) {
	case Type::kBool:
		if (value.is_boolean())
			return sample.set_bool(row, column, value.get<bool>());
		break;
	case Type::kInt8:
		if (value.is_number_integer())
			return sample.set_int(row, column, value.get<std::int64_t>());
		break;
	case Type::kFloat8:
		if (value.is_number())
			return sample.set_float(row, column, value.get<double>());
		break;
	case Type::kTimestamp:
		if (value.is_string())
			return sample.set_int(row, column, pg::parse_time(value.get<std::string>()));
		break;
	case Type::kText:
		if (value.is_string())
			return sample.set_text(row, column, value.get<std::string>());
		break;
	case Type::kJson:
		return sample.set_text(row, column, value.dump());
	}
	bad_row("Column \"" + described.name + "\" is of type " +
			std::string(sql_type(described.type)) + ", not " + value.dump() + ".");
}

// The columns a probe's sample has, without running it.
std::vector<Column> columns_of(const std::string &name) {
	const Definitions definitions = load_definitions();
	const ProbeDefinition *const probe = definitions.probe(name);
	if (probe == nullptr)
		throw pg::PgError(pg::sqlstate("42704"), "probe \"" + name + "\" does not exist", {},
						  "SELECT name FROM pgdba.probe lists the probes.");
	return describe_columns(*probe, probe->scope == Scope::kNative
										? native_columns(name)
										: pg::describe_query(probe->query, probe->readings));
}

} // namespace

Datum pgdba_sample_now(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		pg::require_preload();
		const unsigned loops = loops_named(pg::text_argument(fcinfo, 0));
		return TimestampTzGetDatum(pg::request_sample(loops, pg::interval_argument(fcinfo, 1)));
	});
}

Datum pgdba_pause(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		pg::require_preload();
		const Micros duration = pg::interval_argument(fcinfo, 0);
		if (duration <= 0)
			throw pg::PgError(pg::sqlstate("22023"), "duration of a pause must be positive", {},
							  "For example: SELECT pgdba.pause('5 minutes').");
		const Micros until = pg::now() + duration, deadline = pg::now() + kLongestStop;
		pg::write_head([until](pg::SharedHead &head) { head.paused_until = until; });
		pg::wake(pg::Role::kLauncher);
		while (pg::snapshot_head().processes[static_cast<int>(pg::Role::kSampler)].pid != 0) {
			if (pg::now() > deadline)
				throw pg::PgError(pg::sqlstate("57014"), "the sampler did not stop in time", {},
								  "See pgdba.processes.");
			(void)pg::wait_latch(kLook);
		}
		return TimestampTzGetDatum(until);
	});
}

Datum pgdba_resume(PG_FUNCTION_ARGS) {
	(void)fcinfo;
	pg::entry([] {
		pg::require_preload();
		pg::write_head([](pg::SharedHead &head) { head.paused_until = 0; });
		pg::wake(pg::Role::kLauncher);
	});
	PG_RETURN_VOID();
}

Datum pgdba_inject_sample(PG_FUNCTION_ARGS) {
	pg::entry([fcinfo] {
		pg::require_preload();
		Sample sample;
		sample.probe = pg::text_argument(fcinfo, 0);
		sample.sampled_at = PG_GETARG_TIMESTAMPTZ(1);
		if (TIMESTAMP_NOT_FINITE(sample.sampled_at))
			throw pg::PgError(pg::sqlstate("22008"), "sampled_at must be a finite time");
		sample.server_start = pg::server_start();
		sample.injected = true;
		sample.set_columns(columns_of(sample.probe));
		const nlohmann::json rows = nlohmann::json::parse(pg::json_argument(fcinfo, 2));
		if (!rows.is_array())
			bad_row("It is not an array.",
					"Give an array of objects: '[{\"pid\": 1, \"state\": \"active\"}]'.");
		for (const nlohmann::json &object : rows) {
			if (!object.is_object())
				bad_row("An element is not an object.",
						"Give an array of objects with the columns as keys.");
			const std::size_t row = sample.add_row();
			for (const auto &[key, value] : object.items()) {
				const int column = sample.find_column(key);
				if (column < 0)
					bad_row("The probe has no column \"" + key + "\".",
							"\\d pgdba.last_" + sample.probe + " shows them.");
				if (!value.is_null())
					set_from_json(sample, row, static_cast<std::size_t>(column), value);
			}
		}
		if (!pg::ring_append(sample.probe, true, sample.sampled_at, true, encode_keyframe(sample)))
			throw pg::PgError(pg::sqlstate("53200"), "the memory ring has no room for this sample",
							  {}, "Inject fewer rows, or raise pgdba.shared_memory.");
	});
	PG_RETURN_VOID();
}
