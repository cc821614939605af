#include "pgdba/sampler/names.hpp"

#include "pgdba/pg/query.hpp"
#include "pgdba/pg/reader.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"

#include <algorithm>
#include <utility>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::size_t kChunk = 1'000; // relations asked for in one statement: a few ms
constexpr int kVisits = 4;            // a tick
constexpr Micros kVisitBudget = kMicrosPerSecond;
constexpr Micros kLeastTime = 20'000; // with less than this left no visit begins
constexpr std::uint32_t kShared = 0;  // the database of catalogs that all databases share
constexpr std::size_t kHourly = 3;    // in kLoops

// A join might read all of pg_index for each chunk.
constexpr std::string_view kSelect =
	"SELECT c.oid, n.nspname, c.relname, c.relkind, (SELECT i.indrelid FROM pg_catalog.pg_index i "
	"WHERE i.indexrelid OPERATOR(pg_catalog.=) c.oid) "
	"FROM pg_catalog.pg_class c "
	"JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
	"WHERE c.oid OPERATOR(pg_catalog.=) ANY (";

std::string oid_array(const std::vector<std::uint32_t> &relations) {
	std::string text = "{";
	for (const std::uint32_t relation : relations) {
		if (text.size() > 1)
			text += ',';
		text += std::to_string(relation);
	}
	return text + "}";
}

std::vector<std::vector<std::uint32_t>> chunks(const std::vector<std::uint32_t> &relations) {
	std::vector<std::vector<std::uint32_t>> parts;
	for (std::size_t at = 0; at < relations.size(); at += kChunk) {
		const auto first = relations.begin() + static_cast<std::ptrdiff_t>(at);
		parts.emplace_back(
			first, first + static_cast<std::ptrdiff_t>(std::min(kChunk, relations.size() - at)));
	}
	return parts;
}

// Changes with every counter; that it may run over does not matter.
std::uint64_t activity(const pg::RelationCounters &c) noexcept {
	std::uint64_t sum = 0;
	for (const std::int64_t counter :
		 {c.scans, c.inserted, c.updated, c.deleted, c.live, c.dead, c.blocks_fetched, c.vacuums,
		  c.autovacuums, c.analyzes, c.autoanalyzes})
		sum = sum * 31 + static_cast<std::uint64_t>(counter);
	return sum;
}

Micros refresh_interval() {
	return Micros{pg::settings().loops[kHourly].interval_ms} * 1000;
}

} // namespace

void RelationNames::begin() noexcept {
	cache_.begin_pass();
	for (auto &[database, progress] : progress_)
		progress.wanted.clear();
}

const RelationName *RelationNames::find(const pg::RelationCounters &relation) {
	const RelationName *const name =
		cache_.find(relation.database, relation.relation, activity(relation));
	if (name == nullptr)
		progress_[relation.database].wanted.push_back(relation.relation);
	return name;
}

void RelationNames::end() {
	cache_.end_pass();
}

bool RelationNames::due(std::uint32_t database, Micros now) {
	const auto found = progress_.find(database);
	if (found == progress_.end())
		return false;
	const Progress &progress = found->second;
	const bool old = progress.refreshed != 0 && now - progress.refreshed >= refresh_interval();
	return old || (!progress.wanted.empty() && !cache_.full());
}

void RelationNames::learn(const std::vector<pg::Database> &databases, Micros deadline) {
	std::map<std::uint32_t, const pg::Database *> waiting;
	std::vector<std::uint32_t> members;
	const Micros now = pg::now();
	for (const pg::Database &database : databases) {
		const bool asks = due(database.oid, now) || (database.home && due(kShared, now));
		if (!database.sampled || !asks || progress_[database.oid].back_off.rests())
			continue;
		waiting[database.oid] = &database;
		members.push_back(database.oid);
	}
	int visits = 0;
	for (const std::uint32_t oid : turns_after(std::move(members), last_visited_)) {
		if (pg::now() + kLeastTime >= deadline || (!waiting[oid]->home && ++visits > kVisits))
			break;
		ask(*waiting[oid], deadline);
		last_visited_ = oid;
	}
	std::erase_if(progress_, [&databases](const auto &item) {
		return item.first != kShared &&
			   std::none_of(databases.begin(), databases.end(),
							[&](const pg::Database &d) { return d.oid == item.first; });
	});
}

std::vector<std::uint32_t> RelationNames::questions(std::uint32_t database, bool refresh) const {
	const auto found = progress_.find(database);
	std::vector<std::uint32_t> relations =
		found == progress_.end() ? std::vector<std::uint32_t>{} : found->second.wanted;
	if (refresh) {
		const std::vector<std::uint32_t> known = cache_.relations(database);
		relations.insert(relations.end(), known.begin(), known.end());
	}
	return relations;
}

void RelationNames::ask(const pg::Database &database, Micros deadline) {
	Progress &progress = progress_[database.oid];
	const Micros begin = pg::now();
	const bool refresh =
		progress.refreshed != 0 && begin - progress.refreshed >= refresh_interval();
	const std::vector<std::uint32_t> relations = questions(database.oid, refresh);
	bool all = false;
	if (database.home)
		all = ask_here(database.oid, relations) && ask_here(kShared, questions(kShared, refresh));
	else
		all = ask_reader(database, relations, std::min(deadline, begin + kVisitBudget));
	if (all && (refresh || progress.refreshed == 0))
		progress.refreshed = begin;
}

// In the home database it is our own fixed text with a parameter: nothing to be sandboxed, and one
// plan.
bool RelationNames::ask_here(std::uint32_t database, const std::vector<std::uint32_t> &relations) {
	for (const std::vector<std::uint32_t> &part : chunks(relations)) {
		pg::Transaction transaction(true);
		const Sample answer =
			pg::select_rows(std::string(kSelect) + "$1::pg_catalog.oid[])", {oid_array(part)});
		transaction.commit();
		keep(database, part, answer);
	}
	return true;
}

// RETURNS: whether everything was answered. What was answered is kept in any case.
bool RelationNames::ask_reader(const pg::Database &database,
							   const std::vector<std::uint32_t> &relations, Micros deadline) {
	const auto parts = chunks(relations);
	std::vector<pg::ReaderRequest> requests;
	for (const std::vector<std::uint32_t> &part : parts) {
		pg::ReaderRequest &request = requests.emplace_back();
		request.query = std::string(kSelect) + "'" + oid_array(part) + "'::pg_catalog.oid[])";
		request.max_rows = kChunk;
	}
	const auto results = pg::visit_database(database.oid, database.name, requests, deadline);
	bool all = true;
	BackOff &back_off = progress_[database.oid].back_off;
	for (std::size_t i = 0; i < results.size(); ++i) {
		if (results[i].error.empty()) {
			keep(database.oid, parts[i], results[i].rows);
			continue;
		}
		all = false;
		if (results[i].asked) {
			back_off.failed();
			pg::process_error(pg::Role::kReader,
							  "in database " + database.name + ": " + results[i].error);
			break;
		}
	}
	if (all)
		back_off.succeeded();
	return all;
}

void RelationNames::keep(std::uint32_t database, const std::vector<std::uint32_t> &asked,
						 const Sample &answer) {
	// First all as missing, then those that are there.
	for (const std::uint32_t relation : asked)
		cache_.learn(database, relation, {});
	for (std::size_t row = 0; row < answer.rows(); ++row) {
		RelationName name;
		name.schema = answer.at(row, 1).text;
		name.relation = answer.at(row, 2).text;
		const std::string_view kind = answer.at(row, 3).text;
		name.kind = kind.empty() ? '\0' : kind.front();
		name.table = static_cast<std::uint32_t>(answer.at(row, 4).integer);
		cache_.learn(database, static_cast<std::uint32_t>(answer.at(row, 0).integer),
					 std::move(name));
	}
}

} // namespace pgdba
