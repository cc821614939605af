// What the sampler and its reader share: the errand in a segment of dynamic shared memory, the
// queue of answers in the same segment, and the lock that says whether somebody wants the database
// for himself. Used by src/pg/reader.cpp and src/pg/visit.cpp only. In the segment plain values
// only.
#pragma once

#include "pgdba/pg/prelude.hpp"

#include "pgdba/pg/reader.hpp"

namespace pgdba::pg::link {

constexpr std::uint32_t kMagic = 0x70676472;
constexpr std::size_t kQueueBytes = 64 * 1024; // longer answers pass through it in pieces

// The segment: this, the requests, the queue.
struct Errand {
	std::uint32_t magic, database;
	std::uint64_t requests_offset, requests_bytes, queue_offset;
	char name[256]; // of the database, for pgdba.processes
};

// One answer per request, in their order; before them kConnected, when the reader is in the
// database.
enum class Message : char { kConnected = 'C', kRows = 'R', kError = 'E' };
struct RowsHead { // after the kind; then a keyframe
	std::int64_t wall, cpu;
};

// Whether a connection to a database would find its catalogs free. Waits for nothing.
bool can_connect(std::uint32_t database);

std::string pack(const std::vector<ReaderRequest> &requests);
std::vector<ReaderRequest> unpack(std::string_view packed);

// The lock that every connection takes for a moment when it begins, and that DROP DATABASE, ALTER
// DATABASE RENAME and CREATE DATABASE ... TEMPLATE hold against it: while they hold it or wait for
// it, it cannot be had. Never waits.
class DatabaseLock {
public:
	explicit DatabaseLock(std::uint32_t database) noexcept : database_(database) {}
	DatabaseLock(const DatabaseLock &) = delete;
	DatabaseLock &operator=(const DatabaseLock &) = delete;
	~DatabaseLock() { release(); }
	bool acquire(); // RETURNS: false when somebody is in the way
	void release() noexcept;

private:
	std::uint32_t database_;
	bool held_ = false;
};

} // namespace pgdba::pg::link
