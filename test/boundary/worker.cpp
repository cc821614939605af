// A background worker that does nothing but fail: half of its ticks end with an ERROR of the server
// in the middle of a transaction, half with a C++ exception. What it did so far is in
// pg_stat_activity.query.
#include "boundary.hpp"

#include "pgdba/pg/query.hpp"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
}

#include <vector>

using pgdba::pg::call;
using pgdba::pg::entry;
using pgdba::pg::PgError;

PGDBA_FUNCTION(boundary_start_worker)
PGDBA_WORKER(boundary_worker_main);
PGDBA_WORKER(boundary_throwing_main);

namespace {

void fail_in_transaction(bool throw_exception) {
	const boundary::Counted object;
	const pgdba::pg::Transaction transaction(false);
	pgdba::pg::execute("INSERT INTO public.half_done VALUES (1)");
	if (throw_exception)
		(void)std::vector<int>().at(1);
	pgdba::pg::execute("SELECT 1/0");
}

// RETURNS whether the tick failed as it was meant to.
bool tick(int number) {
	try {
		fail_in_transaction(number % 2 == 0);
	} catch (const PgError &error) { // aborted: by Transaction
		return error.state() == "22012";
	} catch (const std::out_of_range &) {
		return true;
	}
	return false;
}

void report(int failed) {
	const std::string text = "failed " + std::to_string(failed) + " live " +
							 std::to_string(boundary::Counted::live) + " holdoff " +
							 std::to_string(InterruptHoldoffCount);
	const char *const activity = text.c_str();
	call([activity] { pgstat_report_activity(STATE_RUNNING, activity); });
}

void run() {
	call([] {
		pqsignal(SIGTERM, die);
		BackgroundWorkerUnblockSignals();
		BackgroundWorkerInitializeConnection("postgres", nullptr, 0);
	});
	int failed = 0;
	for (int number = 0;; ++number) {
		call([] { CHECK_FOR_INTERRUPTS(); });
		if (tick(number))
			++failed;
		report(failed);
	}
}

} // namespace

void boundary_worker_main(Datum argument) {
	entry([] { run(); });
}

void boundary_throwing_main(Datum argument) {
	entry([] {
		call([] { BackgroundWorkerUnblockSignals(); });
		throw std::runtime_error("thrown out of a worker");
	});
}

// RETURNS the pid of a worker that runs the named main function, once it has started.
Datum boundary_start_worker(PG_FUNCTION_ARGS) {
	return entry([fcinfo]() -> Datum {
		const std::string function = boundary::text_argument(fcinfo, 0);
		BackgroundWorker worker{};
		worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
		worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
		worker.bgw_restart_time = BGW_NEVER_RESTART;
		worker.bgw_notify_pid = MyProcPid;
		strlcpy(worker.bgw_name, "pgdba boundary", BGW_MAXLEN);
		strlcpy(worker.bgw_type, "pgdba boundary", BGW_MAXLEN);
		strlcpy(worker.bgw_library_name, "pgdba_boundary", BGW_MAXLEN);
		strlcpy(worker.bgw_function_name, function.c_str(), BGW_MAXLEN);
		BackgroundWorker *const definition = &worker;
		pid_t pid = 0;
		const bool started = call([definition, &pid] {
			BackgroundWorkerHandle *handle = nullptr;
			return RegisterDynamicBackgroundWorker(definition, &handle) &&
				   WaitForBackgroundWorkerStartup(handle, &pid) != BGWH_POSTMASTER_DIED;
		});
		if (!started)
			throw PgError(pgdba::pg::sqlstate("53000"), "could not start a background worker");
		return Int32GetDatum(pid);
	});
}
