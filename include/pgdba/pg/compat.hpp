// Everything that differs between server versions. The only file with PG_VERSION_NUM (scripts/lint
// proves it).
#pragma once

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "pgdba supports PostgreSQL 15, 16, 17 and 18"
#endif

// Before 16 PGDLLEXPORT is empty, and with hidden visibility no entry point would be found.
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

// Since 18 a library may say its name and version (pg_get_loaded_modules).
#ifndef PG_MODULE_MAGIC_EXT
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC
#endif

extern "C" {
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#else
#include "storage/latch.h"
#endif
#include "catalog/pg_proc.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/guc_tables.h"
#include "utils/wait_event.h"
}

namespace pgdba::pg::compat {

// A wait event set that lives as long as the process: since 17 it is tied to a resource owner, here
// to none.
inline WaitEventSet *create_wait_event_set(int events) {
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(nullptr, events);
#else
	return CreateWaitEventSet(TopMemoryContext, events);
#endif
}

// The number of this process among all PGPROCs: since 17 the same as that of its backend status,
// with a name of its own.
inline int my_process_number() noexcept {
#if PG_VERSION_NUM >= 170000
	return MyProcNumber;
#else
	return MyProc->pgprocno;
#endif
}

// The status of all processes that have one, and how many places there are. Until 16 a process has
// its place by its backend id, or its kind when it has none; since 17 by its number.
inline const volatile PgBackendStatus *first_backend_status() noexcept {
#if PG_VERSION_NUM >= 170000
	return MyBEEntry - MyProcNumber;
#else
	return MyBEEntry - (MyBackendId - 1);
#endif
}
inline int backend_status_places() noexcept {
#if PG_VERSION_NUM >= 170000
	return MaxBackends + NUM_AUXILIARY_PROCS;
#else
	return MaxBackends + NUM_AUXPROCTYPES;
#endif
}
// The number among all PGPROCs of the process at that place; -1: to be looked for by its PID.
inline int process_number_at(int place) noexcept {
#if PG_VERSION_NUM >= 170000
	return place;
#else
	(void)place;
	return -1;
#endif
}

// Since 18 some processes read for others, who wait for them.
inline bool is_io_worker(BackendType type) noexcept {
#if PG_VERSION_NUM >= 180000
	return type == B_IO_WORKER;
#else
	(void)type;
	return false;
#endif
}

// Wakes the process with that number. When it is gone, whoever has its place now looks up once for
// nothing.
inline void set_latch_of(int number) noexcept {
	SetLatch(&GetPGProcByNumber(number)->procLatch);
}

// What pg_stat_activity.wait_event shows while a process of ours waits: since 17 an extension may
// name it. Raises server errors.
inline uint32 wait_event() {
#if PG_VERSION_NUM >= 170000
	static uint32 event = 0;
	if (event == 0)
		event = WaitEventExtensionNew("Pgdba");
	return event;
#else
	return PG_WAIT_EXTENSION;
#endif
}

// Whether the text reads as a point in time (src/pg/compat.cpp: 16 added an argument to the
// parser). Raises nothing for any text.
bool is_timestamp(const char *text);

// Whether the current user may call a function: 16 has one check for all kinds of objects. Raises
// server errors.
inline bool may_execute(Oid function) {
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

// Whether this process holds a lock in that mode: 17 can be asked for stronger ones as well. Raises
// server errors.
inline bool holds_lock(const LOCKTAG *tag, LOCKMODE mode) {
#if PG_VERSION_NUM >= 170000
	return LockHeldByMe(tag, mode, false);
#else
	return LockHeldByMe(tag, mode);
#endif
}

// All settings of this process, in whatever order. Raises server errors.
inline config_generic **all_settings(int *count) {
#if PG_VERSION_NUM >= 160000
	return get_guc_variables(count);
#else
	*count = GetNumConfigOptions();
	return get_guc_variables();
#endif
}

// A path for a foreign scan without parameters: 17 added restrictions, 18 a count of disabled
// nodes. A template, so that only its user needs the planner's headers.
template <class Root, class Rel, class Private>
auto *foreign_scan_path(Root *root, Rel *rel, double rows, double startup_cost, double total_cost,
						Private *fdw_private) {
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(root, rel, nullptr, rows, 0, startup_cost, total_cost, nullptr,
								   rel->lateral_relids, nullptr, nullptr, fdw_private);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, nullptr, rows, startup_cost, total_cost, nullptr,
								   rel->lateral_relids, nullptr, nullptr, fdw_private);
#else
	return create_foreignscan_path(root, rel, nullptr, rows, startup_cost, total_cost, nullptr,
								   rel->lateral_relids, nullptr, fdw_private);
#endif
}

} // namespace pgdba::pg::compat

// Statistics of relations. Templates, so that only their users need the server's headers for it.
namespace pgdba::pg::compat {

// The fields that 16 gave other names.
template <class Entry, class Counters>
void copy_renamed_counters(const Entry &from, Counters &to) noexcept {
#if PG_VERSION_NUM < 160000
	to.live = from.n_live_tuples;
	to.dead = from.n_dead_tuples;
	to.modified_since_analyze = from.changes_since_analyze;
	to.inserted_since_vacuum = from.inserts_since_vacuum;
	to.last_vacuum = from.vacuum_timestamp;
	to.vacuums = from.vacuum_count;
	to.last_autovacuum = from.autovac_vacuum_timestamp;
	to.autovacuums = from.autovac_vacuum_count;
	to.last_analyze = from.analyze_timestamp;
	to.analyzes = from.analyze_count;
	to.last_autoanalyze = from.autovac_analyze_timestamp;
	to.autoanalyzes = from.autovac_analyze_count;
#else
	to.live = from.live_tuples;
	to.dead = from.dead_tuples;
	to.modified_since_analyze = from.mod_since_analyze;
	to.inserted_since_vacuum = from.ins_since_vacuum;
	to.last_vacuum = from.last_vacuum_time;
	to.vacuums = from.vacuum_count;
	to.last_autovacuum = from.last_autovacuum_time;
	to.autovacuums = from.autovacuum_count;
	to.last_analyze = from.last_analyze_time;
	to.analyzes = from.analyze_count;
	to.last_autoanalyze = from.last_autoanalyze_time;
	to.autoanalyzes = from.autoanalyze_count;
#endif
}

// The object of a key of the statistics: eight bytes from 18 on, for relations an OID still.
template <class Key> auto object_oid(const Key &key) noexcept {
#if PG_VERSION_NUM < 180000
	return key.objoid;
#else
	return static_cast<decltype(key.dboid)>(key.objid);
#endif
}

} // namespace pgdba::pg::compat

// Lists in the lock table: rings of links inside the items. 16 gave them other types.
namespace pgdba::pg::compat {

// The entries of a lock, one for each process that holds or wants it: PROCLOCK.lockLink.
inline const auto &entries_of(const LOCK &lock) noexcept {
#if PG_VERSION_NUM < 160000
	return lock.procLocks;
#else
	return lock.procLocks.head;
#endif
}

// The processes that wait for a lock, in their order: PGPROC.links.
inline const auto &queue_of(const LOCK &lock) noexcept {
#if PG_VERSION_NUM < 160000
	return lock.waitProcs.links;
#else
	return lock.waitProcs.dlist.head;
#endif
}

// The entries of a process in a partition of the lock table: PROCLOCK.procLink.
inline const auto &entries_of(const PGPROC &process, int partition) noexcept {
#if PG_VERSION_NUM < 160000
	return process.myProcLocks[partition];
#else
	return process.myProcLocks[partition].head;
#endif
}

} // namespace pgdba::pg::compat
