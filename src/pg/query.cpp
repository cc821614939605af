// The sandbox for probes and checks, and plain queries of our own.
//
// The sandbox is a read-only subtransaction that is always aborted, running as pgdba_sampler in a
// security-restricted context, one prepared SELECT, SPI read-only. The abort takes back settings,
// notifications and large objects; session advisory locks, which survive it, are released by the
// worker. The enclosing transaction of a worker has nothing left in it and is committed, because
// aborting it would count in xact_rollback of the home database.
#include "pgdba/pg/query.hpp"

#include "pgdba/pg/encoding.hpp"
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/readings.hpp"
#include "pgdba/pg/worker.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/instrument.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "storage/lock.h"
#include "tcop/cmdtag.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
}

#include <unordered_map>

namespace pgdba::pg {

namespace {

constexpr long kBatch = 256; // rows a cursor fetches at once

// Plans of the sampler's probes and checks, by text; kept for the life of the process, never
// destroyed.
std::unordered_map<std::string, SPIPlanPtr> &plans() {
	static auto *const kept = new std::unordered_map<std::string, SPIPlanPtr>;
	return *kept;
}

// Type of a sample's column for a type of the server. RETURNS false when there is none.
bool sample_type(Oid oid, Type *type) noexcept {
	switch (oid) {
	case BOOLOID:
		*type = Type::kBool;
		return true;
	case INT2OID:
	case INT4OID:
	case INT8OID:
	case OIDOID:
	case XIDOID:
	case XID8OID:
		*type = Type::kInt8;
		return true;
	case FLOAT4OID:
	case FLOAT8OID:
	case NUMERICOID:
	case INTERVALOID:
		*type = Type::kFloat8;
		return true;
	case TEXTOID:
	case VARCHAROID:
	case BPCHAROID:
	case NAMEOID:
	case CHAROID:
	case UNKNOWNOID:
	case JSONOID:
		*type = Type::kText;
		return true;
	case TIMESTAMPTZOID:
		*type = Type::kTimestamp;
		return true;
	case JSONBOID:
		*type = Type::kJson;
		return true;
	default:
		return false;
	}
}

struct ResultColumn {
	Oid type;
	std::optional<Reading> reading; // what the engine puts in the place of the value
};

std::optional<Reading> reading_of(const std::string &column, Oid type, const Readings &readings) {
	const auto found = readings.find(column);
	if (found == readings.end())
		return std::nullopt;
	const ReadingShape &shape = shape_of(found->second);
	if (type != (shape.from_oid ? OIDOID : TEXTOID))
		throw PgError(sqlstate("42804"),
					  "column \"" + column + "\" is not " + std::string(shape.from), {},
					  std::string("Return it as ") + (shape.from_oid ? "oid." : "text."));
	return found->second;
}

std::vector<std::pair<std::string, Type>> describe(TupleDesc descriptor, const Readings &readings,
												   std::vector<ResultColumn> *result) {
	std::vector<std::pair<std::string, Type>> columns;
	for (int i = 0; i < descriptor->natts; ++i) {
		const FormData_pg_attribute *const attribute = TupleDescAttr(descriptor, i);
		Type type{};
		if (!sample_type(attribute->atttypid, &type)) {
			const Oid oid = attribute->atttypid;
			const char *const name = call([oid] { return format_type_be(oid); });
			throw PgError(
				sqlstate("0A000"),
				"column \"" + std::string(NameStr(attribute->attname)) + "\" has type " + name +
					", which a sample cannot hold",
				{}, "Cast it to text, bigint, double precision, boolean, timestamptz or jsonb.");
		}
		columns.emplace_back(NameStr(attribute->attname), type);
		const auto reading = reading_of(columns.back().first, attribute->atttypid, readings);
		if (reading)
			columns.back().second = shape_of(*reading).gives;
		result->push_back({attribute->atttypid, reading});
	}
	return columns;
}

double interval_seconds(const Interval &interval) noexcept {
	return static_cast<double>(interval.time) / kMicrosPerSecond +
		   86'400.0 * (interval.day + 30.0 * interval.month);
}

void set_text(Sample &sample, std::size_t row, std::size_t column, std::string_view text) {
	if (needs_conversion())
		sample.set_text(row, column, to_utf8(text));
	else
		sample.set_text(row, column, text);
}

void set_cell(Sample &sample, std::size_t row, std::size_t column, Oid type, Datum value) {
	switch (type) {
	case BOOLOID:
		sample.set_bool(row, column, DatumGetBool(value));
		break;
	case INT2OID:
		sample.set_int(row, column, DatumGetInt16(value));
		break;
	case INT4OID:
		sample.set_int(row, column, DatumGetInt32(value));
		break;
	case INT8OID:
	case TIMESTAMPTZOID:
	case XID8OID:
		sample.set_int(row, column, DatumGetInt64(value));
		break;
	case OIDOID:
	case XIDOID:
		sample.set_int(row, column, DatumGetUInt32(value));
		break;
	case FLOAT4OID:
		sample.set_float(row, column, DatumGetFloat4(value));
		break;
	case FLOAT8OID:
		sample.set_float(row, column, DatumGetFloat8(value));
		break;
	case INTERVALOID:
		sample.set_float(row, column, interval_seconds(*DatumGetIntervalP(value)));
		break;
	case NUMERICOID:
		sample.set_float(row, column, call([value] {
							 return DatumGetFloat8(
								 DirectFunctionCall1(numeric_float8_no_overflow, value));
						 }));
		break;
	case NAMEOID:
		set_text(sample, row, column, NameStr(*DatumGetName(value)));
		break;
	case CHAROID: {
		const char text[2] = {DatumGetChar(value), '\0'};
		sample.set_text(row, column, text);
		break;
	}
	case UNKNOWNOID:
		set_text(sample, row, column, DatumGetCString(value));
		break;
	case JSONBOID: {
		const char *const text = call([value] {
			Jsonb *const json = DatumGetJsonbP(value);
			return JsonbToCString(nullptr, &json->root, static_cast<int>(VARSIZE(json)));
		});
		set_text(sample, row, column, text);
		break;
	}
	default: {
		const text *const packed = call([value] { return DatumGetTextPP(value); });
		set_text(sample, row, column, {VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)});
	}
	}
}

// Appends the rows of the current SPI_tuptable, up to the limits. RETURNS how many did not fit.
std::int64_t take_rows(Sample &sample, const std::vector<ResultColumn> &types, ColumnReader &reader,
					   std::int64_t max_rows, std::size_t max_bytes) {
	SPITupleTable *const table = SPI_tuptable;
	const std::uint64_t rows = SPI_processed;
	std::int64_t cut = 0;
	for (std::uint64_t i = 0; i < rows; ++i) {
		if (static_cast<std::int64_t>(sample.rows()) >= max_rows || sample.bytes() >= max_bytes) {
			++cut;
			continue;
		}
		HeapTuple const tuple = table->vals[i];
		const std::size_t row = sample.add_row();
		for (std::size_t column = 0; column < types.size(); ++column) {
			bool null = false;
			const int number = static_cast<int>(column) + 1;
			const Datum value = call([tuple, table, number, &null] {
				return SPI_getbinval(tuple, table->tupdesc, number, &null);
			});
			if (null)
				continue;
			if (const auto reading = types[column].reading)
				reader.read(*reading, value, sample, row, column);
			else
				set_cell(sample, row, column, types[column].type, value);
		}
	}
	call([table] { SPI_freetuptable(table); });
	return cut;
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

// Begins in the constructor, is aborted in the destructor. Everything that a query did is gone
// after it.
class Sandbox {
public:
	explicit Sandbox(Micros budget)
		: armed_(budget > 0 && !call([] { return IsTransactionState(); })) {
		owns_transaction_ = !call([] { return IsTransactionState(); });
		const int milliseconds = static_cast<int>(std::max<Micros>(1, budget / 1000));
		if (owns_transaction_)
			call([] {
				SetCurrentStatementStartTimestamp();
				StartTransactionCommand();
			});
		began_ = true;
		try {
			// The timer runs before the snapshot is taken: taking one can wait.
			if (armed_)
				call([milliseconds] { enable_timeout_after(STATEMENT_TIMEOUT, milliseconds); });
			begin_restricted();
		} catch (...) {
			leave();
			throw;
		}
	}
	Sandbox(const Sandbox &) = delete;
	Sandbox &operator=(const Sandbox &) = delete;
	~Sandbox() { leave(); }

private:
	void begin_restricted() {
		ResourceOwner *const owner = &owner_;
		MemoryContext *const memory = &memory_;
		call([owner, memory] {
			*memory = CurrentMemoryContext;
			*owner = CurrentResourceOwner;
			BeginInternalSubTransaction(nullptr);
		});
		subtransaction_ = true;
		const Oid role = call([] { return get_role_oid("pgdba_sampler", true); });
		if (!OidIsValid(role))
			throw PgError(sqlstate("42704"), "role \"pgdba_sampler\" does not exist", {},
						  "Probes and checks run as this role; CREATE EXTENSION pgdba makes it.");
		call([role] {
			Oid user = InvalidOid;
			int context = 0;
			XactReadOnly = true; // goes back when the subtransaction ends
			GetUserIdAndSecContext(&user, &context);
			SetUserIdAndSecContext(role, context | SECURITY_RESTRICTED_OPERATION |
											 SECURITY_LOCAL_USERID_CHANGE);
			// A caller's search_path must not decide which operator a check means.
			(void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
									PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
			PushActiveSnapshot(GetTransactionSnapshot());
			(void)SPI_connect();
		});
	}

	// Also after an error: the abort puts back user, settings, SPI, snapshots and portals.
	void leave() noexcept {
		if (armed_)
			call_noexcept([] { disable_timeout(STATEMENT_TIMEOUT, false); });
		bool sound = true;
		if (subtransaction_) {
			ResourceOwner const owner = owner_;
			MemoryContext const memory = memory_;
			sound = call_noexcept([owner, memory] {
				RollbackAndReleaseCurrentSubTransaction();
				MemoryContextSwitchTo(memory);
				CurrentResourceOwner = owner;
			});
		}
		if (!owns_transaction_ || !began_)
			return;
		if (!sound || !call_noexcept([] { CommitTransactionCommand(); }))
			call_noexcept([] { AbortCurrentTransaction(); });
		call_noexcept([] {
			LockReleaseAll(USER_LOCKMETHOD, true);
			pgstat_report_stat(true);
			pgstat_report_activity(STATE_IDLE, nullptr);
		});
	}

	bool armed_, owns_transaction_ = false, began_ = false, subtransaction_ = false;
	ResourceOwner owner_ = nullptr;
	MemoryContext memory_ = nullptr;
};

} // namespace

QueryResult run_sandboxed(std::string_view query, const QueryLimits &limits) {
	const std::string text(query);
	QueryResult result;
	const Micros wall = now(), cpu = cpu_time();
	const std::int64_t hit = pgBufferUsage.shared_blks_hit, read = pgBufferUsage.shared_blks_read;
	{
		const bool in_worker = !call([] { return IsTransactionState(); });
		const Sandbox sandbox(limits.budget);
		SPIPlanPtr plan = nullptr;
		if (const auto kept = plans().find(text); in_worker && kept != plans().end()) {
			plan = kept->second;
		} else {
			plan = prepare_select(text);
			if (in_worker && limits.keep_plan) {
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

Transaction::Transaction(bool read_only) {
	call([read_only] {
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		if (read_only)
			XactReadOnly = true;
		PushActiveSnapshot(GetTransactionSnapshot());
	});
}

Transaction::~Transaction() {
	if (open_)
		call_noexcept([] { AbortCurrentTransaction(); });
	call_noexcept([] {
		pgstat_report_stat(true);
		pgstat_report_activity(STATE_IDLE, nullptr);
	});
}

void Transaction::commit() {
	call([] {
		PopActiveSnapshot();
		CommitTransactionCommand();
	});
	open_ = false;
}

namespace {

// REQUIRES: a transaction. Connects, executes with text parameters, leaves the result to `take`.
template <class Take>
void run_own(std::string_view query, const std::vector<std::string> &parameters, Take take) {
	const std::string text(query);
	const char *const command = text.c_str();
	std::vector<Oid> types(parameters.size(), TEXTOID);
	std::vector<Datum> values(parameters.size());
	call([] { (void)SPI_connect(); });
	for (std::size_t i = 0; i < parameters.size(); ++i) {
		const char *const value = parameters[i].c_str();
		values[i] = call([value] { return CStringGetTextDatum(value); });
	}
	Oid *const type = types.data();
	Datum *const value = values.data();
	const int count = static_cast<int>(parameters.size());
	const int code =
		call([=] { return SPI_execute_with_args(command, count, type, value, nullptr, false, 0); });
	if (code < 0)
		throw PgError(sqlstate("XX000"), "could not run a query of pgdba",
					  call([code] { return SPI_result_code_string(code); }));
	take();
	call([] { (void)SPI_finish(); });
}

} // namespace

Sample select_rows(std::string_view query, const std::vector<std::string> &parameters) {
	Sample sample;
	run_own(query, parameters, [&sample] {
		std::vector<ResultColumn> types;
		ColumnReader none;
		sample.set_columns(plain_columns(describe(SPI_tuptable->tupdesc, {}, &types)));
		(void)take_rows(sample, types, none, INT64_MAX, SIZE_MAX);
	});
	return sample;
}

void execute(std::string_view command, const std::vector<std::string> &parameters) {
	run_own(command, parameters, [] {});
}

} // namespace pgdba::pg
