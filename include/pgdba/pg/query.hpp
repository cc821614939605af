// Running SQL from a worker or a function: the sandbox for probes and checks, and plain queries of
// our own.
#pragma once

#include "pgdba/core/reading.hpp"
#include "pgdba/core/sample.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgdba::pg {

struct QueryLimits {
	Micros budget =
		kMicrosPerSecond; // of the statement; 0 means none (a caller's session has its own)
	std::int64_t max_rows = 10'000;
	std::size_t max_bytes = 64 << 20;
	bool keep_plan = false; // a worker runs it again soon: the plan, some 300 kB, is worth its room
	Readings readings = {}; // columns to be read by the engine from what the query returns in them
};

// What came back. `rows` has the query's own columns (name and type; no meaning yet). `cut` counts
// rows beyond max_rows.
struct QueryResult {
	Sample rows;
	Micros wall = 0, cpu = 0;
	std::int64_t blocks_hit = 0, blocks_read = 0; // shared buffers found, and not found
};

// Runs exactly one SELECT as pgdba_sampler, read-only, and takes back everything it may have done:
// in a worker (no transaction open) in a transaction of its own that is always aborted; in a
// session in a subtransaction that is always aborted. THROWS PgError: the query's own error, 57014
// over budget, 42601 when it is not one SELECT, 0A000 when a column's type has no place in a sample
// (cast it), 42804 when a reading cannot begin from the column's type.
QueryResult run_sandboxed(std::string_view query, const QueryLimits &limits);
// Forgets cached plans (definitions were reloaded).
void forget_plans();

// Only prepares, as pgdba_sampler: the columns the query would return. Same errors. Executes
// nothing.
std::vector<std::pair<std::string, Type>> describe_query(std::string_view query,
														 const Readings &readings = {});

// A transaction of our own in a worker; aborted unless committed. Only one at a time.
class Transaction {
public:
	explicit Transaction(bool read_only);
	~Transaction();
	Transaction(const Transaction &) = delete;
	Transaction &operator=(const Transaction &) = delete;
	void commit();

private:
	bool open_ = true;
};

// Our own fixed text, in the current transaction, as the current user, with text parameters ($1
// ...). THROWS PgError. Never called with text from a definition.
Sample select_rows(std::string_view query, const std::vector<std::string> &parameters = {});
void execute(std::string_view command, const std::vector<std::string> &parameters = {});

} // namespace pgdba::pg
