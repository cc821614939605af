// Processes in shared memory: who runs, and what they ask of each other.
#include "shared_region.hpp"

#include "pgdba/pg/worker.hpp"

extern "C" {
#include "storage/ipc.h"
}

#include <csignal>

namespace pgdba::pg {

namespace {

// Leaves the process table when the process exits, whatever the reason but a crash (which wipes
// shared memory).
extern "C" void pgdba_leave_process_table(int, Datum role) {
	if (region == nullptr)
		return;
	const int index = DatumGetInt32(role);
	LWLockAcquire(&locks[kHeadLock].lock, LW_EXCLUSIVE);
	if (region->head.processes[index].pid == MyProcPid) {
		region->head.processes[index].pid = 0;
		region->process_number[index] = -1;
		copy_text(region->head.processes[index].state, sizeof ProcessSlot::state, "stopped");
	}
	LWLockRelease(&locks[kHeadLock].lock);
	ConditionVariableBroadcast(&region->requests_done);
}

} // namespace

void announce_process(Role role, std::string_view state) {
	const int index = static_cast<int>(role);
	call([index] { before_shmem_exit(pgdba_leave_process_table, Int32GetDatum(index)); });
	constexpr const char *kNames[kRoles] = {"pgdba launcher", "pgdba sampler", "pgdba server",
											"pgdba reader"};
	const Micros started = now();
	const int number = compat::my_process_number();
	locked(kHeadLock, LW_EXCLUSIVE, [&] {
		ProcessSlot &slot = region->head.processes[index];
		if (slot.name[0] != '\0')
			++slot.restarts;
		copy_text(slot.name, sizeof slot.name, kNames[index]);
		slot.pid = MyProcPid;
		slot.started = started;
		copy_text(slot.state, sizeof slot.state, state);
		region->process_number[index] = number;
	});
}

void process_state(Role role, std::string_view state) {
	write_head([&](SharedHead &head) {
		copy_text(head.processes[static_cast<int>(role)].state, sizeof ProcessSlot::state, state);
	});
}

void process_error(Role role, std::string_view error) {
	write_head([&](SharedHead &head) {
		copy_text(head.processes[static_cast<int>(role)].last_error, sizeof ProcessSlot::last_error,
				  error);
	});
}

void wake(Role role) {
	int number = -1;
	locked(kHeadLock, LW_SHARED, [&] { number = region->process_number[static_cast<int>(role)]; });
	if (number >= 0)
		compat::set_latch_of(number);
}

bool end_process(Role role) {
	int pid = 0;
	read_head([&](const SharedHead &head) { pid = head.processes[static_cast<int>(role)].pid; });
	if (pid != 0)
		(void)kill(pid, SIGTERM); // it is in the table until it exits: the number is still its own
	return pid != 0;
}

bool is_own_process(int pid) noexcept {
	if (region != nullptr)
		for (const ProcessSlot &slot : region->head.processes)
			if (*const_cast<const volatile int *>(&slot.pid) == pid)
				return true;
	return false;
}

Micros request_sample(unsigned loops, Micros timeout) {
	std::uint64_t wanted[kLoops.size()] = {};
	bool running = false;
	write_head([&](SharedHead &head) {
		running =
			head.processes[static_cast<int>(Role::kSampler)].pid != 0 && head.missing[0] == '\0';
		for (std::size_t i = 0; i < kLoops.size(); ++i)
			if (running && (loops & (1U << i)) != 0)
				wanted[i] = ++head.loops[i].requested;
	});
	const Micros deadline = now() + timeout;
	wake(Role::kSampler);
	while (running) {
		call([] { ConditionVariablePrepareToSleep(&region->requests_done); });
		bool done = true;
		Micros last = 0;
		read_head([&](const SharedHead &head) {
			running = head.processes[static_cast<int>(Role::kSampler)].pid != 0 &&
					  head.missing[0] == '\0';
			for (std::size_t i = 0; i < kLoops.size(); ++i) {
				if (head.loops[i].completed < wanted[i])
					done = false;
				else if (wanted[i] != 0)
					last = std::max(last, head.loops[i].last_end);
			}
		});
		if (done) {
			call([] { ConditionVariableCancelSleep(); });
			return last;
		}
		if (now() >= deadline) {
			call([] { ConditionVariableCancelSleep(); });
			throw PgError(sqlstate("57014"), "the sampler did not finish in time", {},
						  "See pgdba.processes and pgdba.loops; a larger timeout may help.");
		}
		// Short sleeps: a sampler that dies does not broadcast.
		call([] {
			ConditionVariableTimedSleep(&region->requests_done, 200, compat::wait_event());
			CHECK_FOR_INTERRUPTS();
		});
	}
	call([] { ConditionVariableCancelSleep(); });
	const SharedHead head = snapshot_head();
	throw PgError(sqlstate("55000"), "no sampler is running",
				  head.missing[0] != '\0' ? head.missing : "",
				  "See pgdba.processes; pgdba.resume() ends a pause.");
}

void complete_requests(int loop, std::uint64_t up_to) {
	write_head([&](SharedHead &head) { head.loops[loop].completed = up_to; });
	call([] { ConditionVariableBroadcast(&region->requests_done); });
}

} // namespace pgdba::pg
