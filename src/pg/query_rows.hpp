// Rows of the server as rows of a sample.
#pragma once

#include "pgdba/core/sample.hpp"
#include "pgdba/pg/readings.hpp"

extern "C" {
#include "access/tupdesc.h"
}

namespace pgdba::pg {

struct ResultColumn {
	Oid type;
	std::optional<Reading> reading; // what the engine puts in the place of the value
};

// The sample's columns for those of a result, and what take_rows() has to know of these. THROWS
// PgError: 0A000 when a type has no place in a sample, 42804 when a reading cannot begin from it.
std::vector<std::pair<std::string, Type>> describe(TupleDesc descriptor, const Readings &readings,
												   std::vector<ResultColumn> *result);

// Appends the rows of the current SPI_tuptable, up to the limits. RETURNS how many did not fit.
std::int64_t take_rows(Sample &sample, const std::vector<ResultColumn> &types, ColumnReader &reader,
					   std::int64_t max_rows, std::size_t max_bytes);

} // namespace pgdba::pg
