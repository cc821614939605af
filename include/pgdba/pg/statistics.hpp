// The counters of every relation of every database, straight from the server's shared statistics:
// no connection to the databases, no SQL, nothing that DROP DATABASE would have to wait for.
#pragma once

#include "pgdba/core/sample.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pgdba::pg {

struct RelationCounters {
	std::uint32_t database, relation; // database 0: a catalog that all databases share
	std::int64_t scans;               // of a table: sequential scans; of an index: index scans
	std::int64_t rows_returned;       // by those scans
	std::int64_t rows_fetched;        // of a table: through index scans of it
	std::int64_t inserted, updated, deleted, hot_updated;
	std::int64_t live, dead, modified_since_analyze, inserted_since_vacuum;
	std::int64_t blocks_fetched, blocks_hit;
	Micros last_vacuum, last_autovacuum, last_analyze, last_autoanalyze; // 0: never
	std::int64_t vacuums, autovacuums, analyzes, autoanalyzes;
};

// Copies them into `buffer`, which grows up to `max` elements and keeps its size, so that a pass
// allocates nothing. RETURNS how many of its elements are filled. `*skipped`: relations beyond max,
// or whose counters another process was just writing. REQUIRES: an open transaction: when the
// server raises an error in the middle, its abort releases the locks. THROWS: PgError 0A000 when
// the server lays its statistics out otherwise than the one this library was built for.
std::size_t read_relation_counters(std::vector<RelationCounters> &buffer, std::size_t max,
								   std::size_t *skipped);

} // namespace pgdba::pg
