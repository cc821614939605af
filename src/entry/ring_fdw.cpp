// The foreign-data wrapper under the last_ and hist_ views. A foreign table and not a function,
// because the planner hands it the filter on sampled_at: a look at ten minutes decodes ten minutes.
//
// Options of a foreign table: probe (a name), kind ('last' or 'hist'). Columns are matched by name:
// one that the sample lacks is NULL. Costs are rough on purpose: nothing joins these in ways that
// would matter.
#include "pgdba/core/definition.hpp"
#include "pgdba/pg/datum.hpp"
#include "pgdba/pg/entry.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/rings/window.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"

#include "optimizer/restrictinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

// Its header moved in 18; the function did not change.
void ExplainPropertyInteger(const char *label, const char *unit, int64 value,
							struct ExplainState *state);
}

PGDBA_FUNCTION(pgdba_ring_handler)

#include <algorithm>
#include <limits>

using namespace pgdba;

namespace {

constexpr double kGuessedRows = 1000;
constexpr AttrNumber kSampledAt = 1; // first column of every ring table

struct TableOptions {
	std::string probe, loop;
	bool history = false;
};

TableOptions table_options(Oid table) {
	TableOptions options;
	const ForeignTable *const foreign = pg::call([table] { return GetForeignTable(table); });
	ListCell *cell = nullptr;
	foreach (cell, foreign->options) {
		auto *const option = static_cast<DefElem *>(lfirst(cell));
		const char *const value = pg::call([option] { return defGetString(option); });
		if (std::strcmp(option->defname, "probe") == 0)
			options.probe = value;
		else if (std::strcmp(option->defname, "loop") == 0)
			options.loop = value;
		else if (std::strcmp(option->defname, "kind") == 0)
			options.history = std::strcmp(value, "hist") == 0;
	}
	if (options.loop.empty())
		options.loop = kLoops[0];
	return options;
}

// One bound on sampled_at: a strategy of the btree family of timestamptz, and an expression without
// columns.
struct Bound {
	int strategy;
	Expr *expression;
};

// RETURNS whether a qual is such a bound ("sampled_at > now() - interval '1 hour'", either way
// round).
bool bound_of(const RestrictInfo *restriction, Index relid, Bound *bound) {
	if (!IsA(restriction->clause, OpExpr))
		return false;
	auto *const clause = reinterpret_cast<OpExpr *>(restriction->clause);
	if (list_length(clause->args) != 2)
		return false;
	auto *left = static_cast<Node *>(linitial(clause->args));
	auto *right = static_cast<Node *>(lsecond(clause->args));
	const auto is_sampled_at = [relid](Node *node) {
		const auto *const var = reinterpret_cast<Var *>(node);
		return IsA(node, Var) && var->varno == static_cast<int>(relid) &&
			   var->varattno == kSampledAt && var->varlevelsup == 0;
	};
	Oid operation = clause->opno;
	if (is_sampled_at(right)) {
		std::swap(left, right);
		operation = pg::call([operation] { return get_commutator(operation); });
	}
	if (!OidIsValid(operation) || !is_sampled_at(left) || exprType(right) != TIMESTAMPTZOID)
		return false;
	const bool fixed = pg::call([right] {
		return !contain_var_clause(right) && !contain_volatile_functions(right) &&
			   !contain_subplans(right);
	});
	if (!fixed)
		return false;
	const int strategy = pg::call([operation] {
		TypeCacheEntry *const type = lookup_type_cache(TIMESTAMPTZOID, TYPECACHE_BTREE_OPFAMILY);
		return get_op_opfamily_strategy(operation, type->btree_opf);
	});
	if (strategy == 0)
		return false;
	*bound = {strategy, reinterpret_cast<Expr *>(right)};
	return true;
}

extern "C" void pgdba_ring_size(PlannerInfo *, RelOptInfo *relation, Oid) {
	relation->rows = kGuessedRows;
}

extern "C" void pgdba_ring_paths(PlannerInfo *root, RelOptInfo *relation, Oid) {
	pg::entry([&] {
		pg::call([&] {
			add_path(relation, reinterpret_cast<Path *>(pg::compat::foreign_scan_path(
								   root, relation, kGuessedRows, 10,
								   10 + kGuessedRows * cpu_tuple_cost, static_cast<List *>(NIL))));
		});
	});
}

extern "C" ForeignScan *pgdba_ring_plan(PlannerInfo *, RelOptInfo *relation, Oid, ForeignPath *,
										List *targets, List *clauses, Plan *outer) {
	return pg::entry([&] {
		List *strategies = NIL, *expressions = NIL;
		ListCell *cell = nullptr;
		foreach (cell, clauses) {
			Bound bound{};
			if (!bound_of(lfirst_node(RestrictInfo, cell), relation->relid, &bound))
				continue;
			pg::call([&] {
				strategies = lappend_int(strategies, bound.strategy);
				expressions = lappend(expressions, bound.expression);
			});
		}
		// All quals are checked again by the executor: a bound only says what need not be decoded.
		return pg::call([&] {
			return make_foreignscan(targets, extract_actual_clauses(clauses, false),
									relation->relid, expressions, strategies, NIL, NIL, outer);
		});
	});
}

// Where a column of the foreign table comes from.
enum class Source { kMissing, kSampledAt, kCell };

// The state of one scan. It holds C++ objects, so it lives on the heap and a reset callback of the
// query's memory context deletes it, whatever way the query ends.
struct Scan {
	TableOptions options;
	ExprContext *context = nullptr;
	List *bounds = NIL;     // ExprState
	List *strategies = NIL; // int
	// Columns that the query looks at, and those that decide which rows it wants, as
	// pull_varattnos() numbers them.
	Bitmapset *wanted = nullptr, *tested = nullptr;
	bool tests = false; // whether rows are tested here, before their other columns are made
	MemoryContextCallback callback{};

	bool started = false;
	std::unique_ptr<Window> window;
	SamplePointer before,
		shown; // `shown` is what rows are given from: a sample, or a step of history
	Micros since = 0;
	std::size_t row = 0;
	const Sample *mapped = nullptr;
	struct Mapped {
		int attribute; // from 0
		Source source;
		std::size_t column;
	};
	std::vector<Mapped> first, rest; // of the wanted columns: what is tested, and the others
};

extern "C" void pgdba_ring_delete_scan(void *scan) {
	delete static_cast<Scan *>(scan);
}

extern "C" void pgdba_ring_begin(ForeignScanState *node, int flags) {
	if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0)
		return;
	pg::entry([&] {
		pg::require_preload();
		auto scan = std::make_unique<Scan>();
		scan->options = table_options(RelationGetRelid(node->ss.ss_currentRelation));
		scan->context = node->ss.ps.ps_ExprContext;
		auto *const plan = castNode(ForeignScan, node->ss.ps.plan);
		scan->strategies = plan->fdw_private;
		pg::call([&] {
			pull_varattnos(reinterpret_cast<Node *>(plan->scan.plan.targetlist),
						   plan->scan.scanrelid, &scan->wanted);
			pull_varattnos(reinterpret_cast<Node *>(plan->scan.plan.qual), plan->scan.scanrelid,
						   &scan->tested);
			scan->wanted = bms_add_members(scan->wanted, scan->tested);
			scan->tests =
				plan->scan.plan.qual != NIL &&
				!contain_volatile_functions(reinterpret_cast<Node *>(plan->scan.plan.qual));
		});
		scan->bounds = pg::call([&] { return ExecInitExprList(plan->fdw_exprs, &node->ss.ps); });
		scan->callback.func = pgdba_ring_delete_scan;
		scan->callback.arg = scan.get();
		MemoryContext const memory = node->ss.ps.state->es_query_cxt;
		MemoryContextRegisterResetCallback(memory, &scan->callback); // links a list: cannot fail
		node->fdw_state = scan.release();
	});
}

// The window that the bounds leave, in the caller's as_of.
void start(Scan &scan) {
	Micros since = std::numeric_limits<Micros>::min() + 1,
		   until = std::numeric_limits<Micros>::max();
	const Micros as_of = pg::as_of();
	if (as_of != 0)
		until = as_of;
	ListCell *expression = nullptr, *strategy = nullptr;
	forboth(expression, scan.bounds, strategy, scan.strategies) {
		auto *const state = static_cast<ExprState *>(lfirst(expression));
		bool null = false;
		ExprContext *const context = scan.context;
		const Datum value =
			pg::call([=, &null] { return ExecEvalExprSwitchContext(state, context, &null); });
		const Micros at = null ? 0 : DatumGetTimestampTz(value);
		if (null) { // compares as unknown with everything: no rows
			until = std::numeric_limits<Micros>::min();
			break;
		}
		const int which = lfirst_int(strategy);
		if (which == BTGreaterStrategyNumber || which == BTGreaterEqualStrategyNumber ||
			which == BTEqualStrategyNumber)
			since = std::max(since, at);
		if (which == BTLessStrategyNumber || which == BTLessEqualStrategyNumber ||
			which == BTEqualStrategyNumber)
			until = std::min(until, at);
	}
	scan.since = since;
	scan.started = true;
	scan.row = 0;
	scan.shown = scan.before = nullptr;
	scan.mapped = nullptr;
	scan.window = nullptr;
	if (since > until)
		return;
	if (scan.options.history)
		scan.window = std::make_unique<Window>(scan.options.probe, scan.options.loop, since, until,
											   as_of != 0);
	else
		scan.shown = last_sample(scan.options.probe, scan.options.loop, as_of);
}

// The next sample to give rows from. RETURNS false at the end.
bool advance(Scan &scan) {
	if (!scan.options.history || scan.window == nullptr)
		return false;
	while (SamplePointer next = scan.window->next()) {
		const SamplePointer before = std::exchange(scan.before, next);
		if (next->sampled_at < scan.since)
			continue; // only there for its deltas
		scan.shown = std::make_shared<const Sample>(
			step(step_base(before, *next).get(), *next, next->interval));
		scan.row = 0;
		return true;
	}
	return false;
}

void map_columns(Scan &scan, TupleDesc descriptor) {
	scan.mapped = scan.shown.get();
	scan.first.clear();
	scan.rest.clear();
	const auto is_in = [](const Bitmapset *set, int attribute) { // reads a set: cannot fail
		return bms_is_member(attribute - FirstLowInvalidHeapAttributeNumber, set) ||
			   bms_is_member(InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber, set);
	};
	for (int i = 0; i < descriptor->natts; ++i) {
		if (!is_in(scan.wanted, i + 1))
			continue;
		const int column = scan.shown->find_column(NameStr(TupleDescAttr(descriptor, i)->attname));
		const Scan::Mapped mapped = {i,
									 i + 1 == kSampledAt ? Source::kSampledAt
									 : column >= 0       ? Source::kCell
														 : Source::kMissing,
									 static_cast<std::size_t>(std::max(0, column))};
		(scan.tests && is_in(scan.tested, i + 1) ? scan.first : scan.rest).push_back(mapped);
	}
}

void fill(const Scan &scan, const std::vector<Scan::Mapped> &columns, TupleTableSlot *slot) {
	for (const auto &[i, source, column] : columns) {
		if (source == Source::kSampledAt) {
			slot->tts_values[i] = TimestampTzGetDatum(scan.shown->sampled_at);
			slot->tts_isnull[i] = false;
		} else if (source == Source::kCell) {
			slot->tts_isnull[i] = !pg::datum_of(
				scan.shown->at(scan.row, column),
				TupleDescAttr(slot->tts_tupleDescriptor, i)->atttypid, &slot->tts_values[i]);
		}
	}
}

// Whether the query wants the row, of which the columns that decide are in the slot. The executor
// asks the same of what it is given; but of a hundred thousand rows that is a few.
bool passes(ForeignScanState *node) {
	return pg::call([node] {
		ExprContext *const context = node->ss.ps.ps_ExprContext;
		context->ecxt_scantuple = node->ss.ss_ScanTupleSlot;
		if (ExecQual(node->ss.ps.qual, context))
			return true;
		InstrCountFiltered1(node, 1);
		ResetExprContext(context); // where the values of the row are
		CHECK_FOR_INTERRUPTS();
		return false;
	});
}

extern "C" TupleTableSlot *pgdba_ring_iterate(ForeignScanState *node) {
	return pg::entry([&] {
		auto &scan = *static_cast<Scan *>(node->fdw_state);
		TupleTableSlot *const slot = node->ss.ss_ScanTupleSlot;
		if (!scan.started)
			start(scan);
		while (true) {
			pg::call([slot] { ExecClearTuple(slot); });
			while (scan.shown == nullptr || scan.row >= scan.shown->rows())
				if (!advance(scan))
					return slot;
			if (scan.mapped != scan.shown.get())
				map_columns(scan, slot->tts_tupleDescriptor);
			std::fill_n(slot->tts_isnull, slot->tts_tupleDescriptor->natts, true);
			fill(scan, scan.first, slot);
			pg::call([slot] { ExecStoreVirtualTuple(slot); });
			const bool wanted = !scan.tests || passes(node);
			if (wanted)
				fill(scan, scan.rest, slot);
			++scan.row;
			if (wanted)
				return slot;
		}
	});
}

extern "C" void pgdba_ring_rescan(ForeignScanState *node) {
	if (node->fdw_state != nullptr)
		static_cast<Scan *>(node->fdw_state)->started = false;
}

extern "C" void pgdba_ring_end(ForeignScanState *) {} // the reset callback deletes the state

extern "C" void pgdba_ring_explain(ForeignScanState *node, struct ExplainState *state) {
	pg::entry([&] {
		pg::call([&] {
			ExplainPropertyInteger(
				"Bounds on sampled_at", nullptr,
				list_length(castNode(ForeignScan, node->ss.ps.plan)->fdw_private), state);
		});
	});
}

} // namespace

Datum pgdba_ring_handler(PG_FUNCTION_ARGS) {
	(void)fcinfo;
	return pg::entry([] {
		FdwRoutine *const routine = pg::call([] { return makeNode(FdwRoutine); });
		routine->GetForeignRelSize = pgdba_ring_size;
		routine->GetForeignPaths = pgdba_ring_paths;
		routine->GetForeignPlan = pgdba_ring_plan;
		routine->BeginForeignScan = pgdba_ring_begin;
		routine->IterateForeignScan = pgdba_ring_iterate;
		routine->ReScanForeignScan = pgdba_ring_rescan;
		routine->EndForeignScan = pgdba_ring_end;
		routine->ExplainForeignScan = pgdba_ring_explain;
		return PointerGetDatum(routine);
	});
}
