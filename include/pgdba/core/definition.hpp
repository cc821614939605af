// Probes and checks as data: what pgdba.define_probe() and pgdba.define_check() accept, parsed and
// checked once. The keys of the JSON arguments are declared here and nowhere else.
#pragma once

#include "pgdba/core/history.hpp"
#include "pgdba/core/reading.hpp"
#include "pgdba/core/sample.hpp"

#include <array>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

constexpr std::array<std::string_view, 4> kLoops = {"hot", "workload", "storage", "hourly"};
int loop_index(std::string_view loop) noexcept; // -1 when there is no such loop
// Whether it ticks every minute or more often by default: what is prepared for it is kept.
bool is_frequent(std::string_view loop) noexcept;

// Bad input of a definition; becomes SQLSTATE 22023 with this message, detail and hint (house style
// of messages).
class BadDefinition : public std::runtime_error {
public:
	BadDefinition(const std::string &message, std::string detail, std::string hint)
		: std::runtime_error(message), detail(std::move(detail)), hint(std::move(hint)) {}
	std::string detail, hint;
};

enum class Scope : std::uint8_t { kCluster, kDatabase, kNative };

struct ColumnMeaning {
	Kind kind = Kind::kInfo;
	bool kind_given = false;
	std::string unit, metric, help;
};

struct ProbeDefinition {
	std::string name; // [a-z][a-z0-9_]*, at most 48 characters: it becomes part of view names
	std::string loop;
	std::string query; // empty for native probes
	Scope scope = Scope::kCluster;
	std::vector<std::string> key;
	std::map<std::string, ColumnMeaning> columns;
	Readings readings; // {"read": "file_size"}: columns that the engine reads itself
	// options
	Micros budget = 0; // 0: the loop's
	std::int64_t max_rows = 10'000;
	std::string top_setting; // {"top": {"n": "top_relations", "by": [...]}}: a setting's name, or
	TopRule top;             //  {"top": {"n": 20, "by": [...]}} a number
	std::string object; // {"object": "relation:{db:I}/{schema:I}.{relation:I}"}: how a row is named
						// in findings
	std::string ring;   // {"ring": "hourly"}: the loop whose tables keep it; its own unless given
	std::string needs_extension; // {"needs_extension": "pg_stat_statements"}: skipped, and said,
								 // while it is missing
};

// `columns` and `options` are JSON texts. THROWS: BadDefinition.
ProbeDefinition parse_probe(std::string_view name, std::string_view loop, std::string_view query,
							const std::vector<std::string> &key, std::string_view columns,
							std::string_view scope, std::string_view options);

// Gives the columns of a query's result (name and type in order) their meaning from the definition;
// `db` comes first and is added when the query has none. THROWS: BadDefinition when the key or a
// described column is not returned, when a counter is not a number, or when a metric name is not
// valid in Prometheus.
std::vector<Column> describe_columns(const ProbeDefinition &probe,
									 std::vector<std::pair<std::string, Type>> result);

enum class Direction : std::uint8_t { kAbove, kBelow };

struct Threshold {
	std::optional<double> info, warning, critical, clear;
	Direction direction = Direction::kAbove;
	Micros hold = 0;                     // `for`: belongs to the alert, a verdict is immediate
	std::map<std::string, double> floor; // column of the check's query -> least value that counts
};

struct CheckDefinition {
	std::string id; // area.name, each [a-z][a-z0-9_]*
	std::string query;
	std::string title, loop, message, why, action, lock_level, undo, symptom_of;
	std::vector<std::string> sql;    // statements, each printed only when all its keys are there
	std::vector<std::string> probes; // staleness of any of these makes the verdict unknown
	std::vector<std::string>
		needs; // probes without which it cannot judge: missing is unknown, by name
	Threshold threshold;

	std::string area() const { return id.substr(0, id.find('.')); }
};

// THROWS: BadDefinition.
CheckDefinition parse_check(std::string_view id, std::string_view query,
							std::string_view definition);

// An override of pgdba.threshold: the first matching row, most specific pattern first (the caller
// orders them).
struct ThresholdOverride {
	std::string check_id, object_pattern; // LIKE-style: % and _; '%' for all
	std::optional<double> warning, critical;
	std::map<std::string, double> floor;
};

} // namespace pgdba
