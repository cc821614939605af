#include "pgdba/pg/reader_link.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "catalog/pg_database.h"
#include "storage/ipc.h"
#include "storage/lock.h"
}

namespace pgdba::pg::link {

namespace {

struct RequestHead {
	std::int64_t budget, max_rows;
	std::uint64_t length;
};

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

} // namespace

std::string pack(const std::vector<ReaderRequest> &requests) {
	std::string packed;
	for (const ReaderRequest &request : requests) {
		const RequestHead head{request.budget, request.max_rows, request.query.size()};
		packed.append(reinterpret_cast<const char *>(&head), sizeof head);
		packed += request.query;
	}
	return packed;
}

std::vector<ReaderRequest> unpack(std::string_view packed) {
	std::vector<ReaderRequest> requests;
	RequestHead head;
	while (packed.size() >= sizeof head) {
		std::memcpy(&head, packed.data(), sizeof head);
		packed.remove_prefix(sizeof head);
		ReaderRequest &request = requests.emplace_back();
		request.query = packed.substr(0, head.length);
		request.budget = head.budget;
		request.max_rows = head.max_rows;
		packed.remove_prefix(request.query.size());
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
