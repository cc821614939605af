// Background workers: how they are registered, connected, pinned and kept waiting.
#include "pgdba/pg/worker.hpp"

#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/settings.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_database.h"
#include "executor/instrument.h"
#include "mb/pg_wchar.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/bufmgr.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

#include <ctime>
#include <utility>

namespace pgdba::pg {

namespace {

constexpr int kRestartSeconds = 5;
constexpr std::int32_t kInvalidDatabase =
	-2; // datconnlimit of a database whose DROP was interrupted

void copy_name(char *to, const char *from) {
	strlcpy(to, from, BGW_MAXLEN);
}

void register_static(const char *name, const char *library, const char *function, int flags,
					 BgWorkerStartTime start) {
	BackgroundWorker worker{};
	copy_name(worker.bgw_name, name);
	copy_name(worker.bgw_type, name);
	copy_name(worker.bgw_library_name, library);
	copy_name(worker.bgw_function_name, function);
	worker.bgw_flags = flags;
	worker.bgw_start_time = start;
	worker.bgw_restart_time = kRestartSeconds;
	RegisterBackgroundWorker(&worker);
}

constinit int exit_code_when_told = 1;
using Act = void (*)();
constinit Act last_act = nullptr;

extern "C" void pgdba_worker_sigterm(int signal) {
	ShutdownRequestPending = true;
	StatementCancelHandler(signal); // also sets the latch
}

} // namespace

void leave_if_told() {
	if (!ShutdownRequestPending)
		return;
	if (last_act != nullptr)
		std::exchange(last_act, nullptr)();
	call([] { proc_exit(exit_code_when_told); });
}

void before_leaving(void (*last)()) {
	last_act = last;
}

void register_static_workers() {
	register_static("pgdba launcher", "pgdba", "pgdba_launcher_main",
					BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
					BgWorkerStart_ConsistentState);
	// Shared memory only, so that it answers during recovery, saturation and shutdown.
	register_static("pgdba server", "pgdba_http", "pgdba_server_main", BGWORKER_SHMEM_ACCESS,
					BgWorkerStart_PostmasterStart);
}

void begin_worker(int exit_code) {
	exit_code_when_told = exit_code;
	call([] {
		pqsignal(SIGHUP, SignalHandlerForConfigReload);
		pqsignal(SIGTERM, pgdba_worker_sigterm);
		BackgroundWorkerUnblockSignals();
	});
}

void connect_shared_catalogs() {
	call([] { BackgroundWorkerInitializeConnection(nullptr, nullptr, 0); });
}

void connect_database(std::uint32_t oid) {
	call([oid] { BackgroundWorkerInitializeConnectionByOid(oid, InvalidOid, 0); });
}

bool database_usable(std::string_view name, std::uint32_t *oid, std::string *why_not) {
	const std::string text(name);
	const char *const cname = text.c_str();
	struct Found {
		Oid oid;
		bool allow_connections;
		std::int32_t connection_limit;
	};
	// A plain scan: without a database this process has no system cache, and on a new cluster no
	// index either.
	const Found found = call([cname]() -> Found {
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		(void)GetTransactionSnapshot();
		Found f{InvalidOid, false, 0};
		Relation const relation = table_open(DatabaseRelationId, AccessShareLock);
		TableScanDesc const scan = table_beginscan_catalog(relation, 0, nullptr);
		while (HeapTuple const tuple = heap_getnext(scan, ForwardScanDirection)) {
			auto *const row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
			if (std::strcmp(NameStr(row->datname), cname) == 0)
				f = {row->oid, row->datallowconn, row->datconnlimit};
		}
		table_endscan(scan);
		table_close(relation, AccessShareLock);
		CommitTransactionCommand();
		return f;
	});
	*oid = found.oid;
	if (found.oid == InvalidOid)
		*why_not = "database \"" + text + "\" (pgdba.database) does not exist";
	else if (!found.allow_connections)
		*why_not = "database \"" + text + "\" (pgdba.database) does not allow connections";
	else if (found.connection_limit == kInvalidDatabase)
		*why_not =
			"database \"" + text + "\" (pgdba.database) is invalid: its DROP was interrupted";
	else
		return true;
	return false;
}

bool start_child(const char *name, const char *function, std::uint32_t argument,
				 std::string_view extra, Child *child) {
	BackgroundWorker worker{};
	copy_name(worker.bgw_name, name);
	copy_name(worker.bgw_type, name);
	copy_name(worker.bgw_library_name, "pgdba");
	copy_name(worker.bgw_function_name, function);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = UInt32GetDatum(argument);
	worker.bgw_notify_pid = MyProcPid;
	std::memcpy(worker.bgw_extra, extra.data(),
				std::min<std::size_t>(extra.size(), BGW_EXTRALEN - 1));
	BackgroundWorker *const registration = &worker;
	BackgroundWorkerHandle *handle = nullptr;
	BackgroundWorkerHandle **const place = &handle;
	const bool registered = call([registration, place] {
		MemoryContext const before = MemoryContextSwitchTo(TopMemoryContext);
		const bool ok = RegisterDynamicBackgroundWorker(registration, place);
		MemoryContextSwitchTo(before);
		return ok;
	});
	*child = {registered ? handle : nullptr, 0};
	return registered;
}

ChildState child_state(Child &child) {
	if (child.handle == nullptr)
		return ChildState::kStopped;
	pid_t pid = 0;
	auto *const handle = static_cast<BackgroundWorkerHandle *>(child.handle);
	const BgwHandleStatus status =
		call([handle, &pid] { return GetBackgroundWorkerPid(handle, &pid); });
	if (status == BGWH_STARTED) {
		child.pid = pid;
		return ChildState::kRunning;
	}
	return status == BGWH_NOT_YET_STARTED ? ChildState::kStarting : ChildState::kStopped;
}

void stop_child(Child &child) {
	if (auto *const handle = static_cast<BackgroundWorkerHandle *>(child.handle))
		call([handle] { TerminateBackgroundWorker(handle); });
}

void forget_child(Child &child) {
	if (void *const handle = child.handle)
		call([handle] { pfree(handle); });
	child = {};
}

bool wait_latch(Micros timeout) {
	return wait_latch_or_time(timeout).reloaded;
}

Woken wait_latch_or_time(Micros timeout) {
	const long milliseconds = static_cast<long>(std::max<Micros>(0, (timeout + 999) / 1000));
	const bool by_latch = call([milliseconds] {
		const int events = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
									 milliseconds, compat::wait_event());
		ResetLatch(MyLatch);
		return (events & WL_LATCH_SET) != 0;
	});
	leave_if_told();
	const bool reloaded = call([] {
		CHECK_FOR_INTERRUPTS();
		if (!ConfigReloadPending)
			return false;
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		return true;
	});
	return {by_latch, reloaded};
}

void check_interrupts() {
	leave_if_told();
	call([] { CHECK_FOR_INTERRUPTS(); });
}

void recover() noexcept {
	call_noexcept([] {
		AbortOutOfAnyTransaction();
		LWLockReleaseAll();
		ConditionVariableCancelSleep();
		pgstat_report_wait_end();
		UnlockBuffers();
	});
}

Micros now() {
	return GetCurrentTimestamp();
} // reads the clock: cannot fail

std::int64_t wal_written() noexcept {
	return static_cast<std::int64_t>(pgWalUsage.wal_bytes);
}

Micros cpu_time() {
	timespec time{};
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * kMicrosPerSecond + time.tv_nsec / 1000;
}

Micros steady_now() noexcept {
	timespec time{};
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * kMicrosPerSecond + time.tv_nsec / 1000;
}

bool in_recovery() {
	return call([] { return RecoveryInProgress(); });
}

std::uint64_t system_identifier() {
	return call([] { return GetSystemIdentifier(); });
}

void log(std::string_view message, std::string_view detail, std::string_view hint) {
	const std::string texts[] = {std::string(message), std::string(detail), std::string(hint)};
	const char *const m = texts[0].c_str(), *const d = texts[1].c_str(),
					  *const h = texts[2].c_str();
	call([m, d, h] {
		ereport(LOG, (errcode(ERRCODE_SUCCESSFUL_COMPLETION), errmsg_internal("%s", m),
					  d[0] != '\0' ? errdetail_internal("%s", d) : 0,
					  h[0] != '\0' ? errhint("%s", h) : 0));
	});
}

} // namespace pgdba::pg
