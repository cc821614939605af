// Probes that run in every database, each of which is visited once a tick for all of them, as far
// as the budget goes: the home database first.
#include "pgdba/sampler/sampler.hpp"

#include "pgdba/core/name_cache.hpp"
#include "pgdba/core/verdict.hpp"
#include "pgdba/pg/reader.hpp"
#include "pgdba/pg/worker.hpp"

#include <algorithm>
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

// The home database is visited like the others: what its catalog weighs is gone with the reader,
// and shorter loops go on meanwhile. Others take turns, so that a budget that does not last for all
// leaves none out for ever.
void Sampler::run_database_probes(Tick &tick) {
	std::vector<DatabaseRun> runs;
	for (const ProbeDefinition &probe : definitions_.probes)
		if (probe.loop == tick.name && probe.scope == Scope::kDatabase && may_run(tick, probe))
			runs.push_back({&probe, {}, {}});
	if (!runs.empty())
		visit_home(tick, runs);
	if (runs.empty())
		return;
	std::map<std::uint32_t, pg::VisitableDatabase> others;
	std::vector<std::uint32_t> members;
	for (pg::VisitableDatabase &database : pg::visitable_databases()) {
		members.push_back(database.oid);
		others.emplace(database.oid, std::move(database));
	}
	for (const std::uint32_t oid : turns_after(std::move(members), last_visited_)) {
		run_urgent(Within::kTick);
		if (pg::now() < tick.deadline)
			last_visited_ = oid;
		visit(tick, others[oid], runs);
	}
	std::erase_if(visits_, [&](const auto &each) {
		return each.first != database_ &&
			   std::none_of(others.begin(), others.end(),
							[&](const auto &other) { return other.second.name == each.first; });
	});
	for (DatabaseRun &run : runs) {
		probes_[run.probe->name].last_error = std::move(run.error);
		accept(tick, *run.probe, std::move(run.sample));
	}
}

// All that the probes want of one database, and what the visit was like.
std::vector<pg::ReaderResult> Sampler::ask(const Tick &tick, const pg::VisitableDatabase &database,
										   const std::vector<DatabaseRun> &runs) {
	std::vector<pg::ReaderRequest> requests;
	for (const DatabaseRun &run : runs) {
		const pg::QueryLimits limits = limits_of(tick, *run.probe);
		requests.push_back({run.probe->query, limits.budget, limits.max_rows, limits.readings});
	}
	std::vector<pg::ReaderResult> results(runs.size());
	const Micros begin = pg::now();
	if (begin < tick.deadline)
		results = pg::visit_database(database.oid, database.name, requests, tick.deadline);
	VisitRecord &record = visits_[database.name];
	record.error.clear();
	bool answered = true;
	for (const pg::ReaderResult &result : results) {
		answered = answered && result.asked;
		if (result.asked && !result.error.empty())
			record.error = result.error;
	}
	++record.visits;
	if (answered)
		record.at = begin, record.duration = pg::now() - begin;
	else
		++record.missed;
	return results;
}

void Sampler::account(const ProbeDefinition &probe, Micros wall, Micros cpu) {
	ProbeRecord &record = probes_[probe.name];
	record.wall += wall;
	record.cpu += cpu;
}

// What fails at home is not tried elsewhere. Without a reader, for want of a free process, the
// sampler asks itself.
void Sampler::visit_home(Tick &tick, std::vector<DatabaseRun> &runs) {
	const std::vector<pg::ReaderResult> results =
		ask(tick, {pg::connected_database(), database_}, runs);
	std::vector<DatabaseRun> well;
	for (std::size_t i = 0; i < runs.size(); ++i) {
		const ProbeDefinition &probe = *runs[i].probe;
		const pg::ReaderResult &result = results[i];
		if (!result.asked) {
			if (std::optional<Sample> sample = run_here(tick, probe))
				well.push_back({&probe, std::move(*sample), {}});
			continue;
		}
		++probes_[probe.name].runs;
		account(probe, result.wall, result.cpu);
		try {
			if (result.error.empty())
				well.push_back({&probe, with_meaning(probe, result.rows, &database_), {}});
			else
				run_failed(tick, probe, result.error);
		} catch (const BadDefinition &bad) {
			run_failed(tick, probe, bad.what());
		}
	}
	runs = std::move(well);
}

void Sampler::visit(const Tick &tick, const pg::VisitableDatabase &database,
					std::vector<DatabaseRun> &runs) {
	const std::vector<pg::ReaderResult> results = ask(tick, database, runs);
	for (std::size_t i = 0; i < runs.size(); ++i) {
		DatabaseRun &run = runs[i];
		const pg::ReaderResult &result = results[i];
		account(*run.probe, result.wall, result.cpu);
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
		ProbeRecord &record = probes_[run.probe->name];
		++record.errors;
		record.last_error_at = pg::now();
	}
}

} // namespace pgdba
