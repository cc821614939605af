#include "query_rows.hpp"

#include "pgdba/pg/encoding.hpp"
#include "pgdba/pg/guard.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

namespace pgdba::pg {

namespace {

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

} // namespace

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

} // namespace pgdba::pg
