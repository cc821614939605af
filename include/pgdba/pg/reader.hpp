// Queries in a database other than the home database: a transient process connects there, answers,
// and is gone (about 3 ms a visit). One at a time, and never in the way: whoever wants to drop,
// rename or copy the database finds the reader gone within the length of one statement and one
// look.
#pragma once

#include "pgdba/core/reading.hpp"
#include "pgdba/core/sample.hpp"
#include "pgdba/pg/databases.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba::pg {

constexpr Micros kReaderBudget = 100'000; // of a statement, unless the request says otherwise

struct ReaderRequest {
	std::string query; // one SELECT, run as run_sandboxed() does
	Micros budget = kReaderBudget;
	std::int64_t max_rows = 10'000;
	Readings readings = {};
};

struct ReaderResult {
	Sample rows;
	Micros wall = 0, cpu = 0;
	std::string error;  // empty when it was answered
	bool asked = false; // false: the visit did not take place or ended before; nobody's fault
};

// Asks in the sampler; RETURNS one result per request, in their order. Not visited at all: a
// database that is being dropped, is invalid, allows no connections or is a template. No free
// process for a reader: not visited, and counted (SharedHead::skipped_visits). REQUIRES: no
// transaction is open. THROWS PgError only for what is wrong with this process, never for the
// visited database.
std::vector<ReaderResult> visit_database(std::uint32_t oid, std::string_view name,
										 const std::vector<ReaderRequest> &requests,
										 Micros deadline);

// What the asking process does again and again while a reader works. It opens and ends its own
// transactions and sends no reader. Set once.
void while_visiting(void (*work)());

// The whole life of a reader; `segment` is the shared memory with its errand.
void run_reader(std::uint32_t segment);

} // namespace pgdba::pg
