#include "pgdba/pg/datum.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
}

namespace pgdba::pg {

bool datum_of(const Cell &cell, Oid type, Datum *value) {
	if (cell.null)
		return false;
	switch (type) {
	case BOOLOID:
		*value = BoolGetDatum(cell.integer != 0);
		return cell.type == Type::kBool;
	case INT8OID:
		*value = Int64GetDatum(cell.integer);
		return cell.type == Type::kInt8;
	case INT4OID:
		*value = Int32GetDatum(static_cast<std::int32_t>(cell.integer));
		return cell.type == Type::kInt8;
	case FLOAT8OID:
		*value = Float8GetDatum(cell.number());
		return cell.type == Type::kFloat8 || cell.type == Type::kInt8;
	case TIMESTAMPTZOID:
		*value = TimestampTzGetDatum(cell.integer);
		return cell.type == Type::kTimestamp;
	case TEXTOID:
		if (cell.type != Type::kText && cell.type != Type::kJson)
			return false;
		*value = text_datum(cell.text);
		return true;
	case JSONBOID:
		if (cell.type != Type::kJson)
			return false;
		*value = json_datum(std::string(cell.text));
		return true;
	default:
		return false;
	}
}

Datum return_sample(FunctionCallInfo fcinfo, const Sample &sample) {
	call([fcinfo] { InitMaterializedSRF(fcinfo, 0); });
	auto *const info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	TupleDesc const descriptor = info->setDesc;
	std::vector<Datum> values(descriptor->natts);
	const auto nulls = std::make_unique<bool[]>(descriptor->natts);
	Datum *const value = values.data();
	bool *const null = nulls.get();
	for (std::size_t row = 0; row < sample.rows(); ++row) {
		for (int i = 0; i < descriptor->natts; ++i) {
			const FormData_pg_attribute *const attribute = TupleDescAttr(descriptor, i);
			null[i] = !datum_of(sample.at(row, std::string_view(NameStr(attribute->attname))),
								attribute->atttypid, &value[i]);
		}
		call([info, value, null] {
			tuplestore_putvalues(info->setResult, info->setDesc, value, null);
		});
	}
	return Datum(0);
}

Datum return_lines(FunctionCallInfo fcinfo, const std::vector<std::string> &lines) {
	call([fcinfo] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
	auto *const info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	for (const std::string &line : lines) {
		Datum value = text_datum(line);
		bool null = false;
		call([info, &value, &null] {
			tuplestore_putvalues(info->setResult, info->setDesc, &value, &null);
		});
	}
	return Datum(0);
}

std::string text_argument(FunctionCallInfo fcinfo, int number) {
	const text *const value = call([=] { return PG_GETARG_TEXT_PP(number); });
	return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

std::vector<std::string> text_array_argument(FunctionCallInfo fcinfo, int number) {
	Datum *elements = nullptr;
	bool *nulls = nullptr;
	int count = 0;
	call([=, &elements, &nulls, &count] {
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), TEXTOID, -1, false, TYPALIGN_INT,
						  &elements, &nulls, &count);
	});
	std::vector<std::string> texts;
	for (int i = 0; i < count; ++i) {
		if (nulls[i])
			throw PgError(sqlstate("22004"), "the list must not have a null in it");
		const Datum element = elements[i];
		const text *const value = call([element] { return DatumGetTextPP(element); });
		texts.emplace_back(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	}
	return texts;
}

std::string json_argument(FunctionCallInfo fcinfo, int number) {
	return call([=] {
		Jsonb *const json = PG_GETARG_JSONB_P(number);
		return JsonbToCString(nullptr, &json->root, static_cast<int>(VARSIZE(json)));
	});
}

Micros interval_argument(FunctionCallInfo fcinfo, int number) {
	const Interval *const interval = PG_GETARG_INTERVAL_P(number);
	return interval->time + USECS_PER_DAY * (interval->day + Micros{30} * interval->month);
}

Micros parse_time(const std::string &text) {
	const char *const value = text.c_str();
	return call([value] {
		return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(value),
													   ObjectIdGetDatum(InvalidOid),
													   Int32GetDatum(-1)));
	});
}

Datum text_datum(std::string_view text) {
	const char *const data = text.data();
	const int length = static_cast<int>(text.size());
	return call([=] { return PointerGetDatum(cstring_to_text_with_len(data, length)); });
}

Datum json_datum(const std::string &json) {
	const char *const text = json.c_str();
	return call([text] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(text)); });
}

} // namespace pgdba::pg
