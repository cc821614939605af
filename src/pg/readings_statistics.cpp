// What ANALYZE knows of columns. pg_stats shows a monitoring role nothing of other people's tables;
// here the numbers are read, never the values.
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/readings.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

#include <charconv>

namespace pgdba::pg {

namespace {

struct Statistic {
	bool known = false;
	double value = 0;
};

// Raises server errors; called inside call().
double correlation_of(HeapTuple tuple, bool *known) {
	AttStatsSlot slot;
	*known = get_attstatsslot(&slot, tuple, STATISTIC_KIND_CORRELATION, InvalidOid,
							  ATTSTATSSLOT_NUMBERS) &&
			 slot.nnumbers == 1;
	const double value = *known ? slot.numbers[0] : 0;
	free_attstatsslot(&slot);
	return value;
}

// Those of a partitioned table stand in a row that includes its children, which an ordinary table
// that others inherit from has beside its own.
Statistic read_statistic(Reading reading, Oid table, std::int16_t column) {
	Statistic found;
	for (const bool inherited : {false, true}) {
		HeapTuple const tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(table),
												Int16GetDatum(column), BoolGetDatum(inherited));
		if (!HeapTupleIsValid(tuple))
			continue;
		const auto *const row = reinterpret_cast<Form_pg_statistic>(GETSTRUCT(tuple));
		found.known = true;
		switch (reading) {
		case Reading::kNullFraction:
			found.value = row->stanullfrac;
			break;
		case Reading::kAverageWidth:
			found.value = row->stawidth;
			break;
		case Reading::kDistinctValues:
			found.value = row->stadistinct;
			break;
		default:
			found.value = correlation_of(tuple, &found.known);
		}
		ReleaseSysCache(tuple);
		break;
	}
	return found;
}

} // namespace

std::optional<double> column_statistic(Reading reading, std::string_view table_and_column) {
	std::uint32_t table = 0;
	std::int16_t column = 0;
	const char *const end = table_and_column.data() + table_and_column.size();
	const auto [after, error] = std::from_chars(table_and_column.data(), end, table);
	if (error != std::errc() || after == end || *after != ' ' ||
		std::from_chars(after + 1, end, column).ptr != end)
		return std::nullopt;
	const Statistic found =
		call([reading, table, column] { return read_statistic(reading, table, column); });
	return found.known ? std::optional(found.value) : std::nullopt;
}

} // namespace pgdba::pg
