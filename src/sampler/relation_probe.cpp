#include "pgdba/sampler/relation_probe.hpp"

#include "pgdba/pg/databases.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/statistics.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/sampler/names.hpp"

#include <map>
#include <span>
#include <unordered_map>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::size_t kMostRelations = 400'000; // tables and indexes
constexpr std::uint32_t kShared = 0;            // the database of catalogs that all databases share

// The columns, in the order of relation_columns().
enum Field : std::size_t {
	kDb,
	kRelid,
	kSchema,
	kRelname,
	kRelation,
	kRelkind,
	kSeqScan,
	kIdxScan,
	kInserted,
	kUpdated,
	kDeleted,
	kHotUpdated,
	kLive,
	kDead,
	kPctDead,
	kModSinceAnalyze,
	kInsSinceVacuum,
	kLastVacuum,
	kLastAutovacuum,
	kLastAnalyze,
	kLastAutoanalyze,
	kVacuums,
	kAutovacuums,
	kAnalyzes,
	kAutoanalyzes,
	kBlksFetched,
	kBlksHit,
	kFields
};

bool is_table(char kind) noexcept {
	return kind == 'r' || kind == 'm' || kind == 'p' || kind == 't';
}
bool is_index(char kind) noexcept {
	return kind == 'i' || kind == 'I';
}

std::uint64_t table_key(std::uint32_t database, std::uint32_t table) noexcept {
	return std::uint64_t{database} << 32 | table;
}

void set_time(Sample &sample, std::size_t row, Field field, Micros at) {
	if (at != 0)
		sample.set_int(row, field, at);
}

// As labels show it: not an SQL identifier, but never two tables under one text.
std::string label_part(const std::string &name) {
	if (name.find_first_of(".\"") == std::string::npos)
		return name;
	std::string quoted = "\"";
	for (const char c : name)
		quoted.append(c == '"' ? 2 : 1, c);
	return quoted + '"';
}

void add_row(Sample &sample, std::string_view database, const RelationName &name,
			 const pg::RelationCounters &counters, std::int64_t index_scans) {
	const std::size_t row = sample.add_row();
	sample.set_text(row, kDb, database);
	sample.set_int(row, kRelid, counters.relation);
	sample.set_text(row, kSchema, name.schema);
	sample.set_text(row, kRelname, name.relation);
	sample.set_text(row, kRelation, label_part(name.schema) + "." + label_part(name.relation));
	sample.set_text(row, kRelkind, {&name.kind, 1});
	sample.set_int(row, kSeqScan, counters.scans);
	sample.set_int(row, kIdxScan, index_scans);
	sample.set_int(row, kInserted, counters.inserted);
	sample.set_int(row, kUpdated, counters.updated);
	sample.set_int(row, kDeleted, counters.deleted);
	sample.set_int(row, kHotUpdated, counters.hot_updated);
	sample.set_int(row, kLive, counters.live);
	sample.set_int(row, kDead, counters.dead);
	if (const std::int64_t rows = counters.live + counters.dead; rows > 0)
		sample.set_float(row, kPctDead,
						 100.0 * static_cast<double>(counters.dead) / static_cast<double>(rows));
	sample.set_int(row, kModSinceAnalyze, counters.modified_since_analyze);
	sample.set_int(row, kInsSinceVacuum, counters.inserted_since_vacuum);
	set_time(sample, row, kLastVacuum, counters.last_vacuum);
	set_time(sample, row, kLastAutovacuum, counters.last_autovacuum);
	set_time(sample, row, kLastAnalyze, counters.last_analyze);
	set_time(sample, row, kLastAutoanalyze, counters.last_autoanalyze);
	sample.set_int(row, kVacuums, counters.vacuums);
	sample.set_int(row, kAutovacuums, counters.autovacuums);
	sample.set_int(row, kAnalyzes, counters.analyzes);
	sample.set_int(row, kAutoanalyzes, counters.autoanalyzes);
	sample.set_int(row, kBlksFetched, counters.blocks_fetched);
	sample.set_int(row, kBlksHit, counters.blocks_hit);
}

// By OID. The shared catalogs go with the home database, where they can be vacuumed like any other
// table.
std::map<std::uint32_t, const pg::Database *> by_oid(const std::vector<pg::Database> &databases) {
	std::map<std::uint32_t, const pg::Database *> index;
	for (const pg::Database &database : databases) {
		if (!database.sampled)
			continue;
		index[database.oid] = &database;
		if (database.home)
			index[kShared] = &database;
	}
	return index;
}

// What the sampler knows from one tick to the next: the names, and memory it need not ask for
// again.
struct Probe {
	RelationNames names;
	std::vector<pg::RelationCounters> counters;
	std::unordered_map<std::uint64_t, std::int64_t> index_scans; // by table
};

// For the life of the process, never destroyed: at its end nothing of it is needed.
Probe &process_state() {
	static auto *const probe = new Probe;
	return *probe;
}

} // namespace

std::vector<std::pair<std::string, Type>> relation_columns() {
	std::vector<std::pair<std::string, Type>> columns = {
		{"db", Type::kText},
		{"relid", Type::kInt8},
		{"schema", Type::kText},
		{"relname", Type::kText},
		{"relation", Type::kText}, // schema.relname; a part with a dot or a quote in it is quoted
		{"relkind", Type::kText},
		{"seq_scan", Type::kInt8},
		{"idx_scan", Type::kInt8}, // of all its indexes
		{"n_tup_ins", Type::kInt8},
		{"n_tup_upd", Type::kInt8},
		{"n_tup_del", Type::kInt8},
		{"n_tup_hot_upd", Type::kInt8},
		{"n_live_tup", Type::kInt8},
		{"n_dead_tup", Type::kInt8},
		{"pct_dead", Type::kFloat8}, // null for a table without rows
		{"n_mod_since_analyze", Type::kInt8},
		{"n_ins_since_vacuum", Type::kInt8},
		{"last_vacuum", Type::kTimestamp},
		{"last_autovacuum", Type::kTimestamp},
		{"last_analyze", Type::kTimestamp},
		{"last_autoanalyze", Type::kTimestamp},
		{"vacuum_count", Type::kInt8},
		{"autovacuum_count", Type::kInt8},
		{"analyze_count", Type::kInt8},
		{"autoanalyze_count", Type::kInt8},
		{"blks_fetched", Type::kInt8},
		{"blks_hit", Type::kInt8},
	};
	return columns;
}

Sample relation_sample(const ProbeDefinition &definition, std::string_view home, Micros deadline) {
	Probe &probe = process_state();
	Sample sample;
	sample.probe = definition.name;
	sample.loop = definition.loop;
	sample.server_start = pg::server_start();
	sample.set_columns(describe_columns(definition, relation_columns()));

	std::vector<pg::Database> databases;
	std::size_t count = 0, skipped = 0;
	{
		pg::Transaction transaction(true);
		databases = pg::list_databases();
		sample.sampled_at = pg::now();
		count = pg::read_relation_counters(probe.counters, kMostRelations, &skipped);
		transaction.commit();
	}
	const auto sampled = by_oid(databases);
	const std::span counters(probe.counters.data(), count);

	probe.names.begin();
	for (const pg::RelationCounters &relation : counters)
		if (sampled.contains(relation.database))
			(void)probe.names.find(relation);
	probe.names.learn(databases, deadline);

	// Scans of indexes belong to their tables, which may come before or after them.
	probe.index_scans.clear();
	std::vector<const RelationName *> known(count, nullptr);
	sample.cut = static_cast<std::int64_t>(skipped);
	std::size_t tables = 0;
	for (std::size_t i = 0; i < count; ++i) {
		if (!sampled.contains(counters[i].database))
			continue;
		known[i] = probe.names.find(counters[i]);
		if (known[i] == nullptr)
			++sample.cut;
		else if (is_index(known[i]->kind))
			probe.index_scans[table_key(counters[i].database, known[i]->table)] +=
				counters[i].scans;
		else if (is_table(known[i]->kind))
			++tables;
	}
	sample.reserve(tables);
	for (std::size_t i = 0; i < count; ++i) {
		if (known[i] == nullptr || !is_table(known[i]->kind))
			continue;
		const auto scans =
			probe.index_scans.find(table_key(counters[i].database, counters[i].relation));
		const std::string_view database =
			counters[i].database == kShared ? home : sampled.at(counters[i].database)->name;
		add_row(sample, database, *known[i], counters[i],
				scans == probe.index_scans.end() ? 0 : scans->second);
	}
	probe.names.end();
	return sample;
}

} // namespace pgdba
