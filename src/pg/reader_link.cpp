#include "pgdba/pg/reader_link.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "storage/ipc.h"
#include "storage/lock.h"
}

namespace pgdba::pg::link {

namespace {

struct RequestHead {
	std::int64_t budget, max_rows;
	std::uint64_t length, readings;
};

struct ReadingHead {
	Reading reading;
	std::uint64_t length; // of the column's name
};

template <class Head> void append_head(std::string &packed, const Head &head) {
	packed.append(reinterpret_cast<const char *>(&head), sizeof head);
}

// Takes a head and the text of its length behind it. REQUIRES: made by pack().
template <class Head> std::string take(std::string_view &packed, Head *head) {
	std::memcpy(head, packed.data(), sizeof *head);
	std::string text(packed.substr(sizeof *head, head->length));
	packed.remove_prefix(sizeof *head + text.size());
	return text;
}

// The database whose lock this process holds; one at a time.
constinit Oid locked_database = InvalidOid;

// A process that exits outside a transaction keeps the locks of its session: the server releases
// only those of a transaction. Whoever gets its place in the table of processes would then fail to
// take the same lock, for ever.
extern "C" void pgdba_unlock_database(int, Datum) {
	if (!OidIsValid(locked_database))
		return;
	LOCKTAG tag;
	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, locked_database, 0);
	locked_database = InvalidOid;
	// The abort of any transaction takes the locks of the session with it.
	if (compat::holds_lock(&tag, RowExclusiveLock))
		(void)LockRelease(&tag, RowExclusiveLock, true);
}

// Of the session, not of a transaction: a reader holds nothing else between two statements.
bool lock_conditionally(std::uint32_t database) {
	static constinit bool registered = false;
	if (!registered)
		call([] { before_shmem_exit(pgdba_unlock_database, Datum(0)); });
	registered = true;
	return call([database] {
		LOCKTAG tag;
		SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
		if (LockAcquire(&tag, RowExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
			return false;
		locked_database = database;
		return true;
	});
}

// What every connection reads before it can be told how long to wait for a lock.
constexpr Oid kCatalogs[] = {RelationRelationId, AttributeRelationId, IndexRelationId,
							 ProcedureRelationId, TypeRelationId};

} // namespace

bool can_connect(std::uint32_t database) {
	for (const Oid catalog : kCatalogs) {
		const bool free = call([database, catalog] {
			LOCKTAG tag;
			SET_LOCKTAG_RELATION(tag, database, catalog);
			if (LockAcquire(&tag, AccessShareLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
				return false;
			(void)LockRelease(&tag, AccessShareLock, true);
			return true;
		});
		if (!free)
			return false;
	}
	return true;
}

std::string pack(const std::vector<ReaderRequest> &requests) {
	std::string packed;
	for (const ReaderRequest &request : requests) {
		append_head(packed, RequestHead{request.budget, request.max_rows, request.query.size(),
										request.readings.size()});
		packed += request.query;
		for (const auto &[column, reading] : request.readings) {
			append_head(packed, ReadingHead{reading, column.size()});
			packed += column;
		}
	}
	return packed;
}

std::vector<ReaderRequest> unpack(std::string_view packed) {
	std::vector<ReaderRequest> requests;
	while (packed.size() >= sizeof(RequestHead)) {
		RequestHead head;
		ReaderRequest &request = requests.emplace_back();
		request.query = take(packed, &head);
		request.budget = head.budget;
		request.max_rows = head.max_rows;
		for (std::uint64_t i = 0; i < head.readings; ++i) {
			ReadingHead reading;
			std::string column = take(packed, &reading);
			request.readings.emplace(std::move(column), reading.reading);
		}
	}
	return requests;
}

bool DatabaseLock::acquire() {
	if (!held_)
		held_ = lock_conditionally(database_);
	return held_;
}

void DatabaseLock::release() noexcept {
	if (!held_)
		return;
	held_ = false;
	call_noexcept([] { pgdba_unlock_database(0, Datum(0)); });
}

} // namespace pgdba::pg::link
