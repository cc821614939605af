#include "pgdba/pg/wait_set.hpp"

#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/worker.hpp"

extern "C" {
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "storage/procsignal.h"
#include "utils/guc.h"
}

#include <climits>

namespace pgdba::pg {

void begin_unconnected_worker() {
	call([] { pqsignal(SIGUSR1, procsignal_sigusr1_handler); });
	begin_worker(1);
}

void reserve_descriptors(int count) {
	for (int i = 0; i < count; ++i)
		call([] { ReserveExternalFD(); });
}

WaitSet::WaitSet(int descriptor) {
	set_ = call([] { return compat::create_wait_event_set(3); });
	try {
		call([set = set_] {
			AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
		});
		call([set = set_] {
			AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
		});
		call([set = set_, descriptor] {
			AddWaitEventToSet(set, WL_SOCKET_READABLE, descriptor, nullptr, nullptr);
		});
	} catch (...) {
		call_noexcept([set = set_] { FreeWaitEventSet(set); });
		throw;
	}
}

WaitSet::~WaitSet() {
	call_noexcept([set = set_] { FreeWaitEventSet(set); });
}

bool WaitSet::wait(Micros timeout) {
	const long milliseconds =
		timeout < 0
			? -1L
			: static_cast<long>(std::min<Micros>(timeout / 1000 + (timeout % 1000 != 0), INT_MAX));
	call([set = set_, milliseconds] {
		WaitEvent events[2];
		(void)WaitEventSetWait(set, milliseconds, events, lengthof(events), compat::wait_event());
	});
	// The latch is reset before what it announces is looked at: nothing said in between is lost.
	call([] { ResetLatch(MyLatch); });
	check_interrupts();
	return call([] {
		if (!ConfigReloadPending)
			return false;
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		return true;
	});
}

} // namespace pgdba::pg
