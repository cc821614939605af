#include "pgdba/pg/lock_waits.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "access/transam.h"
#include "port/atomics.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
}

namespace pgdba::pg {

namespace {

constexpr std::size_t kFirstRoom = 1024, kMostRoom = 1 << 17;

// One process that holds a lock, or waits for it.
struct Entry {
	LOCKTAG lock;
	bool first; // of its lock
	const PGPROC *leader;
	int leader_pid, pid;
	TransactionId xid;
	LOCKMASK held;   // 0 of those in the queue
	LOCKMODE wanted; // 0 of holders
	TimestampTz since;
	LOCKTAG row;
};

struct Pass {
	Entry *out;
	std::size_t room;
	std::size_t found = 0; // also those without room
};

template <class Item, class Link, class Visit>
void for_each(const Link &head, std::size_t offset, Visit visit) {
	for (const Link *link = head.next; link != nullptr && link != &head; link = link->next)
		visit(*reinterpret_cast<const Item *>(reinterpret_cast<const char *>(link) - offset));
}

const LOCK *awaited(const PGPROC &process) {
	return *const_cast<LOCK *const volatile *>(&process.waitLock);
}

// Who waits for a transaction to end mostly wants a row that this has changed, and holds the lock
// on that row meanwhile.
LOCKTAG wanted_row(const PGPROC &process) {
	LOCKTAG row{};
	for (int partition = 0; partition < NUM_LOCK_PARTITIONS; ++partition)
		for_each<PROCLOCK>(compat::entries_of(process, partition), offsetof(PROCLOCK, procLink),
						   [&row](const PROCLOCK &entry) {
							   if (entry.tag.myLock->tag.locktag_type == LOCKTAG_TUPLE)
								   row = entry.tag.myLock->tag;
						   });
	return row;
}

Entry entry_of(const LOCK &lock, const PROCLOCK &proclock) {
	Entry entry{};
	entry.lock = lock.tag;
	entry.leader = proclock.groupLeader;
	entry.leader_pid = proclock.groupLeader->pid;
	entry.pid = proclock.tag.myProc->pid;
	entry.xid = proclock.tag.myProc->xid;
	return entry;
}

void put(Pass *pass, const Entry &entry) {
	if (pass->found < pass->room)
		pass->out[pass->found] = entry;
	++pass->found;
}

void copy_lock(const LOCK &lock, Pass *pass) {
	bool first = true;
	for_each<PROCLOCK>(compat::entries_of(lock), offsetof(PROCLOCK, lockLink),
					   [&](const PROCLOCK &proclock) {
						   if (proclock.holdMask == 0)
							   return;
						   Entry entry = entry_of(lock, proclock);
						   entry.first = std::exchange(first, false);
						   entry.held = proclock.holdMask;
						   put(pass, entry);
					   });
	for_each<PGPROC>(compat::queue_of(lock), offsetof(PGPROC, links), [&](const PGPROC &process) {
		Entry entry = entry_of(lock, *process.waitProcLock);
		entry.first = std::exchange(first, false);
		entry.wanted = process.waitLockMode;
		entry.since = static_cast<TimestampTz>(
			pg_atomic_read_u64(const_cast<pg_atomic_uint64 *>(&process.waitStart)));
		if (lock.tag.locktag_type == LOCKTAG_TRANSACTION)
			entry.row = wanted_row(process);
		put(pass, entry);
	});
}

bool is_first_in_queue(const PGPROC &process, const LOCK &lock) {
	return compat::queue_of(lock).next == &process.links;
}

// Plain memory only, for it runs inside call() and under all locks of the lock table, in the order
// in which the server itself takes them.
void scan(Pass *pass) {
	for (int i = 0; i < NUM_LOCK_PARTITIONS; ++i)
		LWLockAcquire(LockHashPartitionLockByIndex(i), LW_SHARED);
	for (uint32 number = 0; number < ProcGlobal->allProcCount; ++number) {
		const PGPROC &process = ProcGlobal->allProcs[number];
		const LOCK *const lock = awaited(process);
		if (lock != nullptr && is_first_in_queue(process, *lock)) // so each lock comes once
			copy_lock(*lock, pass);
	}
	for (int i = NUM_LOCK_PARTITIONS; --i >= 0;)
		LWLockRelease(LockHashPartitionLockByIndex(i));
}

bool anybody_waits() {
	for (uint32 number = 0; number < ProcGlobal->allProcCount; ++number)
		if (awaited(ProcGlobal->allProcs[number]) != nullptr)
			return true;
	return false;
}

std::vector<Entry> read_entries() {
	std::vector<Entry> entries;
	if (!anybody_waits())
		return entries;
	for (std::size_t room = kFirstRoom;;) {
		entries.resize(room);
		Pass pass{entries.data(), room};
		Pass *const argument = &pass;
		call([argument] { scan(argument); });
		if (pass.found <= room) {
			entries.resize(pass.found);
			return entries;
		}
		if (room >= kMostRoom)
			throw PgError(sqlstate("54000"), "too many sessions hold or await the locks of queues");
		room = std::min(kMostRoom, pass.found + pass.found / 4); // more may come meanwhile
	}
}

} // namespace

LockWaits read_lock_waits() {
	LockWaits waits;
	std::unordered_map<const PGPROC *, std::uint32_t> numbers;
	for (const Entry &entry : read_entries()) {
		if (entry.first) {
			waits.tags.push_back(entry.lock);
			waits.locks.emplace_back().of_relation = entry.lock.locktag_type == LOCKTAG_RELATION;
			waits.waits.emplace_back();
		}
		const auto [known, added] =
			numbers.try_emplace(entry.leader, static_cast<std::uint32_t>(waits.sessions.size()));
		if (added)
			waits.sessions.push_back(
				{entry.leader_pid, entry.pid == 0 ? entry.xid : InvalidTransactionId});
		if (entry.wanted == NoLock) {
			waits.locks.back().holders.push_back(
				{known->second, static_cast<LockModes>(entry.held)});
		} else {
			waits.locks.back().queue.push_back({known->second, entry.wanted, entry.since});
			waits.waits.back().push_back({entry.pid, entry.row});
		}
	}
	return waits;
}

} // namespace pgdba::pg
