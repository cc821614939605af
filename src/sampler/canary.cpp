#include "pgdba/sampler/canary.hpp"

#include "pgdba/core/row_writer.hpp"
#include "pgdba/core/verdict.hpp"
#include "pgdba/pg/worker.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// Both are parsed, planned and executed anew each time, as a client's would be.
constexpr std::pair<std::string_view, std::string_view> kStatements[] = {
	{"select", "SELECT 1"},
	// One row by its primary key, and what is stored outside of the row.
	{"read", "SELECT pg_catalog.md5(p.query) FROM pgdba.probe p WHERE p.name "
			 "OPERATOR(pg_catalog.=) 'activity'"},
};

} // namespace

std::vector<std::pair<std::string, Type>> canary_columns() {
	return {{"kind", Type::kText},
			{"seconds", Type::kFloat8},
			{"blks_hit", Type::kInt8},
			{"blks_read", Type::kInt8}};
}

Sample canary_sample(const ProbeDefinition &definition, const pg::QueryLimits &limits) {
	Sample sample;
	sample.set_columns(describe_columns(definition, canary_columns()));
	for (const auto &[kind, statement] : kStatements) {
		pg::QueryLimits once = limits;
		once.keep_plan = false;
		const pg::QueryResult result = pg::run_sandboxed(statement, once);
		RowWriter row(sample);
		row.text("kind", kind);
		row.seconds("seconds", result.wall);
		row.integer("blks_hit", result.blocks_hit);
		row.integer("blks_read", result.blocks_read);
	}
	return sample;
}

} // namespace pgdba
