#include "pgdba/sampler/records.hpp"

#include "pgdba/core/row_writer.hpp"
#include "pgdba/core/verdict.hpp"
#include "pgdba/sampler/canary.hpp"
#include "pgdba/sampler/relation_probe.hpp"
#include "pgdba/sampler/wait_probe.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

using Described = std::vector<std::pair<std::string, Type>>;

const Described &heartbeat_columns() {
	static const auto *const columns = new Described{{"loop", Type::kText},
													 {"tick", Type::kInt8},
													 {"last_tick", Type::kTimestamp},
													 {"interval_seconds", Type::kFloat8},
													 {"duration_seconds", Type::kFloat8},
													 {"lateness_seconds", Type::kFloat8},
													 {"rows", Type::kInt8},
													 {"bytes", Type::kInt8},
													 {"errors", Type::kInt8},
													 {"skipped", Type::kInt8},
													 {"degraded", Type::kBool},
													 {"reason", Type::kText}};
	return *columns;
}

const Described &probe_run_columns() {
	static const auto *const columns =
		new Described{{"probe", Type::kText},         {"loop", Type::kText},
					  {"runs", Type::kInt8},          {"wall_seconds", Type::kFloat8},
					  {"cpu_seconds", Type::kFloat8}, {"rows", Type::kInt8},
					  {"cut", Type::kInt8},           {"bytes", Type::kInt8},
					  {"wal_bytes", Type::kInt8},     {"errors", Type::kInt8},
					  {"late", Type::kInt8},          {"skipped", Type::kInt8},
					  {"last_error", Type::kText},    {"last_error_at", Type::kTimestamp}};
	return *columns;
}

const Described &database_visit_columns() {
	static const auto *const columns = new Described{{"db", Type::kText},
													 {"last_visit", Type::kTimestamp},
													 {"age_seconds", Type::kFloat8},
													 {"duration_seconds", Type::kFloat8},
													 {"visits", Type::kInt8},
													 {"missed", Type::kInt8},
													 {"last_error", Type::kText}};
	return *columns;
}

Sample empty_sample(std::string_view probe, const std::vector<Column> &columns, Micros at) {
	Sample sample;
	sample.probe = probe;
	sample.loop = kLoops[0];
	sample.sampled_at = at;
	sample.set_columns(columns);
	return sample;
}

} // namespace

Sample heartbeat_sample(const LoopRecords &loops, const std::vector<Column> &columns, Micros at) {
	Sample sample = empty_sample("heartbeat", columns, at);
	for (std::size_t i = 0; i < loops.size(); ++i) {
		const LoopRecord &loop = loops[i];
		if (loop.tick == 0)
			continue; // it never ran
		RowWriter row(sample);
		row.text("loop", kLoops[i]);
		row.integer("tick", loop.tick);
		row.integer("last_tick", loop.last_tick);
		row.seconds("interval_seconds", loop.interval);
		row.seconds("duration_seconds", loop.duration);
		row.seconds("lateness_seconds", loop.lateness);
		row.integer("rows", loop.rows);
		row.integer("bytes", loop.bytes);
		row.integer("errors", loop.errors);
		row.integer("skipped", loop.skipped);
		row.truth("degraded", loop.degraded);
		row.text("reason", loop.reason);
	}
	return sample;
}

Sample probe_run_sample(const ProbeRecords &probes, const std::vector<Column> &columns, Micros at) {
	Sample sample = empty_sample("probe_run", columns, at);
	for (const auto &[name, probe] : probes) {
		RowWriter row(sample);
		row.text("probe", name);
		row.text("loop", probe.loop);
		row.integer("runs", probe.runs);
		row.seconds("wall_seconds", probe.wall);
		row.seconds("cpu_seconds", probe.cpu);
		row.integer("rows", probe.rows);
		row.integer("cut", probe.cut);
		row.integer("bytes", probe.bytes);
		row.integer("wal_bytes", probe.wal);
		row.integer("errors", probe.errors);
		row.integer("late", probe.late);
		row.integer("skipped", probe.skipped);
		if (!probe.last_error.empty()) {
			row.text("last_error", probe.last_error);
			row.integer("last_error_at", probe.last_error_at);
		}
	}
	return sample;
}

Sample database_visit_sample(const VisitRecords &visits, const std::vector<Column> &columns,
							 Micros at) {
	Sample sample = empty_sample("database_visit", columns, at);
	sample.loop = kVisitLoop;
	for (const auto &[database, visit] : visits) {
		RowWriter row(sample);
		row.text("db", database);
		if (visit.at != 0) {
			row.integer("last_visit", visit.at);
			row.seconds("age_seconds", std::max<Micros>(0, at - visit.at));
			row.seconds("duration_seconds", visit.duration);
		}
		row.integer("visits", visit.visits);
		row.integer("missed", visit.missed);
		if (!visit.error.empty())
			row.text("last_error", visit.error);
	}
	return sample;
}

bool is_record(std::string_view probe) noexcept {
	return probe == "heartbeat" || probe == "probe_run" || probe == "verdict" ||
		   probe == "database_visit";
}

std::vector<std::pair<std::string, Type>> native_columns(std::string_view probe) {
	if (probe == "heartbeat")
		return heartbeat_columns();
	if (probe == "probe_run")
		return probe_run_columns();
	if (probe == "database_visit")
		return database_visit_columns();
	if (probe == "relation")
		return relation_columns();
	if (probe == "canary")
		return canary_columns();
	if (probe == "wait")
		return wait_columns();
	if (probe == "wait_tick")
		return wait_tick_columns();
	Described columns;
	if (probe == "verdict")
		for (const Column &column : verdict_columns())
			columns.emplace_back(column.name, column.type);
	return columns;
}

} // namespace pgdba
