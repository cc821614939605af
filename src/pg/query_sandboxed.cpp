// Queries of probes and checks: exactly one SELECT each, in the sandbox.
#include "pgdba/pg/query.hpp"

#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/worker.hpp"
#include "query_rows.hpp"
#include "sandbox.hpp"

extern "C" {
#include "executor/instrument.h"
#include "executor/spi.h"
#include "tcop/cmdtag.h"
#include "utils/plancache.h"
}

namespace pgdba::pg {

namespace {

constexpr long kBatch = 256; // rows a cursor fetches at once

// Plans of the sampler's probes and checks, by text; kept for the life of the process, never
// destroyed.
std::unordered_map<std::string, SPIPlanPtr> &plans() {
	static auto *const kept = new std::unordered_map<std::string, SPIPlanPtr>;
	return *kept;
}

// REQUIRES: SPI connected.
SPIPlanPtr prepare_select(const std::string &query) {
	const char *const text = query.c_str();
	SPIPlanPtr const plan = call([text] { return SPI_prepare(text, 0, nullptr); });
	if (plan == nullptr)
		throw PgError(sqlstate("42601"), "query cannot be prepared",
					  call([] { return SPI_result_code_string(SPI_result); }));
	const bool one_select = call([plan] {
		List *const sources = SPI_plan_get_plan_sources(plan);
		if (list_length(sources) != 1 || !SPI_is_cursor_plan(plan))
			return false;
		const auto *const source = static_cast<CachedPlanSource *>(linitial(sources));
		const auto *const parsed = linitial_node(Query, source->query_list);
		return source->commandTag == CMDTAG_SELECT && !parsed->hasModifyingCTE &&
			   parsed->rowMarks == NIL;
	});
	if (!one_select)
		throw PgError(sqlstate("42601"), "query is not exactly one SELECT", {},
					  "Probes and checks are single SELECT or VALUES statements.");
	return plan;
}

TupleDesc result_descriptor(SPIPlanPtr plan) {
	return static_cast<CachedPlanSource *>(
			   linitial(call([plan] { return SPI_plan_get_plan_sources(plan); })))
		->resultDesc;
}

} // namespace

QueryResult run_sandboxed(std::string_view query, const QueryLimits &limits) {
	const std::string text(query);
	QueryResult result;
	const Micros wall = now(), cpu = cpu_time();
	const std::int64_t hit = pgBufferUsage.shared_blks_hit, read = pgBufferUsage.shared_blks_read;
	{
		const Sandbox sandbox(limits.budget);
		SPIPlanPtr plan = nullptr;
		if (const auto kept = plans().find(text); sandbox.in_worker() && kept != plans().end()) {
			plan = kept->second;
		} else {
			plan = prepare_select(text);
			if (sandbox.in_worker() && limits.keep_plan) {
				call([plan] { (void)SPI_keepplan(plan); });
				plans().emplace(text, plan);
			}
		}
		Portal const portal =
			call([plan] { return SPI_cursor_open(nullptr, plan, nullptr, nullptr, true); });
		std::vector<ResultColumn> types;
		result.rows.set_columns(plain_columns(describe(portal->tupDesc, limits.readings, &types)));
		ColumnReader reader(limits.budget > 0 ? wall + limits.budget / 2 : 0);
		do {
			call([portal] { SPI_cursor_fetch(portal, true, kBatch); });
			if (SPI_processed == 0)
				break;
			result.rows.cut +=
				take_rows(result.rows, types, reader, limits.max_rows, limits.max_bytes);
			call([] { CHECK_FOR_INTERRUPTS(); });
		} while (result.rows.cut == 0);
		if (result.rows.cut > 0) { // count the rest without taking it
			call([portal] { SPI_scroll_cursor_move(portal, FETCH_FORWARD, FETCH_ALL); });
			result.rows.cut += static_cast<std::int64_t>(SPI_processed);
		}
	}
	result.wall = now() - wall;
	result.cpu = cpu_time() - cpu;
	result.blocks_hit = pgBufferUsage.shared_blks_hit - hit;
	result.blocks_read = pgBufferUsage.shared_blks_read - read;
	return result;
}

void forget_plans() {
	for (const auto &[text, plan] : plans()) {
		SPIPlanPtr const gone = plan;
		call_noexcept([gone] { (void)SPI_freeplan(gone); });
	}
	plans().clear();
}

std::vector<std::pair<std::string, Type>> describe_query(std::string_view query,
														 const Readings &readings) {
	const std::string text(query);
	const Sandbox sandbox(0);
	SPIPlanPtr const plan = prepare_select(text);
	std::vector<ResultColumn> types;
	return describe(result_descriptor(plan), readings, &types);
}

} // namespace pgdba::pg
