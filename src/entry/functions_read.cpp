// SQL functions that read: verdicts, health, processes, loops, the ring.
#include "pgdba/pg/datum.hpp"
#include "pgdba/pg/entry.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/sampler/report.hpp"

extern "C" {
#include "utils/timestamp.h"
}

PGDBA_FUNCTION(pgdba_verdicts_at)
PGDBA_FUNCTION(pgdba_health)
PGDBA_FUNCTION(pgdba_health_json)
PGDBA_FUNCTION(pgdba_process_rows)
PGDBA_FUNCTION(pgdba_loop_rows)
PGDBA_FUNCTION(pgdba_ring_usage)
PGDBA_FUNCTION(pgdba_loaded)
PGDBA_FUNCTION(pgdba_require_preload)

using namespace pgdba;

namespace {

// The argument as_of, or the setting pgdba.as_of; 0 is now.
Micros as_of_argument(FunctionCallInfo fcinfo) {
	pg::require_preload();
	const Micros at = PG_ARGISNULL(0) ? pg::as_of() : PG_GETARG_TIMESTAMPTZ(0);
	if (TIMESTAMP_NOT_FINITE(at))
		throw pg::PgError(pg::sqlstate("22008"), "as_of must be a finite time");
	return at;
}

// The names of the view: as a probe's sample the verdict set has `db` and `judged_at` instead,
// because last_verdict has its own sampled_at.
Sample as_view(const Sample &verdicts) {
	std::vector<Column> columns = verdicts.columns();
	for (Column &described : columns)
		described.name = described.name == "db"          ? "database"
						 : described.name == "judged_at" ? "sampled_at"
														 : described.name;
	Sample rows;
	rows.set_columns(std::move(columns));
	for (std::size_t row = 0; row < verdicts.rows(); ++row) {
		rows.add_row();
		for (std::size_t i = 0; i < verdicts.columns().size(); ++i)
			rows.set_cell(row, i, verdicts.at(row, i));
	}
	return rows;
}

} // namespace

Datum pgdba_verdicts_at(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		return pg::return_sample(
			fcinfo, as_view(verdicts_to_sample(verdicts_at(as_of_argument(fcinfo)), pg::now())));
	});
}

Datum pgdba_health(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		return pg::return_lines(fcinfo, health_lines(health_report(as_of_argument(fcinfo))));
	});
}

Datum pgdba_health_json(PG_FUNCTION_ARGS) {
	return pg::entry(
		[fcinfo] { return pg::json_datum(health_json(health_report(as_of_argument(fcinfo)))); });
}

Datum pgdba_process_rows(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		const pg::SharedHead head = pg::snapshot_head();
		Sample rows;
		rows.set_columns(plain_columns({{"name", Type::kText},
										{"pid", Type::kInt8},
										{"started", Type::kTimestamp},
										{"state", Type::kText},
										{"restarts", Type::kInt8},
										{"last_error", Type::kText}}));
		for (const pg::ProcessSlot &process : head.processes) {
			if (process.name[0] == '\0')
				continue; // never started
			const std::size_t row = rows.add_row();
			rows.set_text(row, 0, process.name);
			if (process.pid != 0)
				rows.set_int(row, 1, process.pid);
			rows.set_int(row, 2, process.started);
			rows.set_text(row, 3, process.state);
			rows.set_int(row, 4, process.restarts);
			if (process.last_error[0] != '\0')
				rows.set_text(row, 5, process.last_error);
		}
		return pg::return_sample(fcinfo, rows);
	});
}

Datum pgdba_loop_rows(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		const pg::SharedHead head = pg::snapshot_head();
		Sample rows;
		rows.set_columns(plain_columns({{"loop", Type::kText},
										{"last", Type::kTimestamp},
										{"interval_seconds", Type::kFloat8},
										{"late", Type::kBool},
										{"degraded", Type::kBool},
										{"reason", Type::kText},
										{"ticks", Type::kInt8},
										{"errors", Type::kInt8}}));
		const std::vector<LoopState> states = pg::loop_states(head, pg::now());
		for (std::size_t i = 0; i < states.size(); ++i) {
			const std::size_t row = rows.add_row();
			rows.set_text(row, 0, states[i].loop);
			if (states[i].last != 0)
				rows.set_int(row, 1, states[i].last);
			rows.set_float(row, 2, static_cast<double>(states[i].interval) / kMicrosPerSecond);
			rows.set_bool(row, 3, states[i].late);
			rows.set_bool(row, 4, states[i].degraded);
			rows.set_text(row, 5, states[i].reason);
			rows.set_int(row, 6, head.loops[i].ticks);
			rows.set_int(row, 7, head.loops[i].errors);
		}
		return pg::return_sample(fcinfo, rows);
	});
}

Datum pgdba_ring_usage(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		const RingUsage usage = pg::ring_usage();
		const pg::SharedHead head = pg::snapshot_head();
		Sample rows;
		rows.set_columns(plain_columns({{"item", Type::kText}, {"value", Type::kInt8}}));
		const auto add = [&rows](const char *item, std::uint64_t value) {
			const std::size_t row = rows.add_row();
			rows.set_text(row, 0, item);
			rows.set_int(row, 1, static_cast<std::int64_t>(value));
		};
		add("bytes", usage.blocks * usage.block_bytes);
		add("free_bytes", usage.free_blocks * usage.block_bytes);
		add("streams", usage.streams);
		add("entries", usage.entries);
		add("evicted_entries", usage.evicted);
		add("refused_entries", usage.refused);
		add("dropped_bytes", static_cast<std::uint64_t>(head.dropped_bytes));
		add("dropped_findings", static_cast<std::uint64_t>(head.dropped_findings));
		add("unwritten_samples", static_cast<std::uint64_t>(head.unwritten_samples));
		add("copy_errors", static_cast<std::uint64_t>(head.copy_errors));
		add("skipped_visits", static_cast<std::uint64_t>(head.skipped_visits));
		return pg::return_sample(fcinfo, rows);
	});
}

Datum pgdba_loaded(PG_FUNCTION_ARGS) {
	(void)fcinfo;
	PG_RETURN_BOOL(pg::shared_attached());
}

Datum pgdba_require_preload(PG_FUNCTION_ARGS) {
	(void)fcinfo;
	pg::entry([] { pg::require_preload(); });
	PG_RETURN_VOID();
}
