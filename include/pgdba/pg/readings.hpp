// What the engine reads for a column itself (core/reading.hpp). Nothing here waits for a lock of a
// relation. REQUIRES: a transaction, in the database that the query ran in.
#pragma once

#include "pgdba/core/reading.hpp"
#include "pgdba/pg/prelude.hpp"

namespace pgdba::pg {

// For the rows of one query: what it opens or counts is shared by them.
class ColumnReader {
public:
	// After `stop_reading`, 0 for never, no file is read any more: what comes late must not cost
	// what is there already.
	explicit ColumnReader(Micros stop_reading = 0) : stop_reading_(stop_reading) {}

	// Puts the reading into a cell of the sample; leaves it NULL where there is nothing to be had.
	// THROWS PgError for a page that cannot be read.
	void read(Reading reading, Datum from, Sample &sample, std::size_t row, std::size_t column);

private:
	Micros stop_reading_;
	void *strategy_ = nullptr; // a few buffers for all sequences; of the current memory context
	std::int64_t unread_ = -1; // bytes that pgstattuple may still read; -1: not asked yet
};

// Bytes of relation files with all their segments, by paths relative to the data directory, with a
// space between. RETURNS nothing when none of them exists. A path that is not a relation's is
// passed over.
std::optional<std::int64_t> file_size(std::string_view paths);

// The last value that a sequence has given, or nothing: never used, gone, no sequence, locked, or
// not readable here (another session's temporary one; an unlogged one on a standby). `strategy` is
// made at the first call.
std::optional<std::int64_t> sequence_value(std::uint32_t sequence, void **strategy);

// What ANALYZE found out about a column, without any of its values, by "table column", both
// numbers. Of a partitioned table: with its partitions. RETURNS nothing without statistics.
std::optional<double> column_statistic(Reading reading, std::string_view table_and_column);

// Bytes of a table's or a btree's file beyond what its rows would fill when written anew. RETURNS
// nothing without statistics, and for other kinds.
std::optional<std::int64_t> estimated_bloat(std::uint32_t relation);

// The same by looking: what pgstattuple finds dead or free in a heap or btree, and how much that
// reads. `unread` is what may still be read (pgdba.pgstattuple_limit at the first call) and goes
// down. RETURNS nothing without the extension, when it may not be used, beyond the limit, or when
// the relation is locked.
std::optional<std::int64_t> unused_bytes(std::uint32_t relation, std::int64_t *unread);

// How a role's password is stored: scram-sha-256, md5, plain, or none. Never more than that leaves
// here. RETURNS nothing when the role is gone.
std::optional<std::string_view> password_kind(std::uint32_t role);

} // namespace pgdba::pg
