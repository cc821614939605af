// Probes that run in every database: at home first, then in the others, each of which is visited
// once a tick for all of them, as far as the budget goes.
#include "pgdba/sampler/sampler.hpp"

#include "pgdba/pg/reader.hpp"
#include "pgdba/pg/worker.hpp"

#include <utility>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// Of all databases together; max_rows is for each.
constexpr std::size_t kMostBytes = 128 << 20;

void append_rows(Sample &to, const Sample &from) {
	for (std::size_t row = 0; row < from.rows(); ++row)
		if (to.bytes() < kMostBytes)
			to.copy_row(from, row);
		else
			++to.cut;
	to.cut += from.cut;
}

// A database that could not be visited this time has not changed its tables for that: its rows
// stay as they were, or every finding about it would come and go.
void keep_rows(Sample &to, const Sample *before, std::string_view database) {
	if (before == nullptr || before->columns() != to.columns())
		return;
	for (std::size_t row = 0; row < before->rows(); ++row)
		if (before->at(row, 0).text == database)
			to.copy_row(*before, row);
}

} // namespace

struct Sampler::DatabaseRun {
	const ProbeDefinition *probe;
	Sample sample; // of the home database, then of all
	std::string error;
};

void Sampler::run_database_probes(Tick &tick) {
	std::vector<DatabaseRun> runs;
	for (const ProbeDefinition &probe : definitions_.probes)
		if (probe.loop == tick.name && probe.scope == Scope::kDatabase && may_run(tick, probe))
			if (std::optional<Sample> home = run_here(tick, probe))
				runs.push_back({&probe, std::move(*home), {}});
	if (runs.empty())
		return;
	for (const pg::VisitableDatabase &database : pg::visitable_databases())
		visit(tick, database, runs);
	for (DatabaseRun &run : runs) {
		probes_[run.probe->name].last_error = std::move(run.error);
		accept(tick, *run.probe, std::move(run.sample));
	}
}

void Sampler::visit(const Tick &tick, const pg::VisitableDatabase &database,
					std::vector<DatabaseRun> &runs) {
	std::vector<pg::ReaderRequest> requests;
	for (const DatabaseRun &run : runs) {
		const pg::QueryLimits limits = limits_of(tick, *run.probe);
		requests.push_back({run.probe->query, limits.budget, limits.max_rows, limits.readings});
	}
	std::vector<pg::ReaderResult> results(runs.size());
	if (pg::now() < tick.deadline)
		results = pg::visit_database(database.oid, database.name, requests, tick.deadline);
	for (std::size_t i = 0; i < runs.size(); ++i) {
		DatabaseRun &run = runs[i];
		const pg::ReaderResult &result = results[i];
		ProbeRecord &record = probes_[run.probe->name];
		record.wall += result.wall;
		record.cpu += result.cpu;
		if (result.asked && result.error.empty()) {
			append_rows(run.sample, with_meaning(*run.probe, result.rows, &database.name));
			continue;
		}
		const auto before = live_.find(run.probe->name);
		keep_rows(run.sample, before == live_.end() ? nullptr : before->second.get(),
				  database.name);
		++run.sample.cut;
		if (!result.asked)
			continue; // it is being dropped, or there was no time or no free process: nobody's
					  // fault
		run.error = "in database \"" + database.name + "\": " + result.error;
		++record.errors;
		record.last_error_at = pg::now();
	}
}

} // namespace pgdba
