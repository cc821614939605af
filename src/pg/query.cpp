// Queries of our own, and the transactions they run in.
#include "pgdba/pg/query.hpp"

#include "pgdba/pg/guard.hpp"
#include "query_rows.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
}

namespace pgdba::pg {

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
