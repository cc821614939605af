// Columns whose value the engine reads itself, where SQL could not without locking or without a
// privilege: the query returns what is to be read, and the reading takes its place in the sample.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace pgdba {

enum class Reading : std::uint8_t {
	kFileSize,      // text: paths as pg_relation_filepath() gives them, separated by spaces; bytes
	kSequenceValue, // oid of a sequence; the last value it has given
};

using Readings = std::map<std::string, Reading, std::less<>>; // by name of the column

} // namespace pgdba
