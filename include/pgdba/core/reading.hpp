// Columns whose value the engine reads itself, where SQL could not without locking or without a
// privilege: the query returns what is to be read, and the reading takes its place in the sample.
#pragma once

#include "pgdba/core/sample.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace pgdba {

enum class Reading : std::uint8_t {
	kFileSize,
	kSequenceValue,
	kEstimatedBloat,
	kUnusedBytes,
	kNullFraction,
	kAverageWidth,
	kDistinctValues,
	kCorrelation,
	kPasswordKind,
};

// What a reading is called in a definition, what the query returns for it, and what it gives.
struct ReadingShape {
	std::string_view name;
	bool from_oid;         // else from text
	std::string_view from; // in words, for who gave something else
	Type gives;
};
// In the order of Reading. What each reads exactly is told in pg/readings.hpp and in the docs.
inline constexpr std::array<ReadingShape, 9> kReadings = {{
	{"file_size", false, "the path of a file, as pg_relation_filepath() gives it", Type::kInt8},
	{"sequence_value", true, "the OID of a sequence", Type::kInt8},
	{"estimated_bloat", true, "the OID of a table or index", Type::kInt8},
	{"unused_bytes", true, "the OID of a table or index", Type::kInt8},
	{"null_fraction", false, "the OID of a table, a space, and the number of a column",
	 Type::kFloat8},
	{"average_width", false, "the OID of a table, a space, and the number of a column",
	 Type::kFloat8},
	{"distinct_values", false, "the OID of a table, a space, and the number of a column",
	 Type::kFloat8},
	{"correlation", false, "the OID of a table, a space, and the number of a column",
	 Type::kFloat8},
	{"password_kind", true, "the OID of a role", Type::kText},
}};

constexpr const ReadingShape &shape_of(Reading reading) noexcept {
	return kReadings[static_cast<std::size_t>(reading)];
}

using Readings = std::map<std::string, Reading, std::less<>>; // by name of the column

} // namespace pgdba
