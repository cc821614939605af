// Background workers without the server's headers: registration, connection, the one wait, the
// clock.
#pragma once

#include "pgdba/core/sample.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgdba::pg {

void register_static_workers(); // from _PG_init: launcher, and the server of pgdba_http.so

// Installs signal handlers and unblocks signals. First thing in every worker. SIGHUP: reload.
// SIGTERM: the statement is cancelled and the process ends with this exit code at its next wait or
// check, without a FATAL line in the log. Code 1 asks the postmaster to start it again.
void begin_worker(int exit_code);
void leave_if_told();                     // part of every wait and check
void before_leaving(void (*last)());      // called then, once; neither waits nor throws
void connect_shared_catalogs();           // launcher
void connect_database(std::uint32_t oid); // sampler, reader; a missing database is FATAL
void pin_settings();                      // after connecting: what an owner could plant
bool database_usable(std::string_view name, std::uint32_t *oid, std::string *why_not); // launcher

// A dynamic worker of this library, never restarted by the postmaster.
struct Child {
	void *handle = nullptr; // BackgroundWorkerHandle in TopMemoryContext
	int pid = 0;
};
// RETURNS false when there is no free worker slot (max_worker_processes).
bool start_child(const char *name, const char *function, std::uint32_t argument,
				 std::string_view extra, Child *child);
enum class ChildState { kStarting, kRunning, kStopped };
ChildState child_state(Child &child);
void stop_child(Child &child); // SIGTERM
void forget_child(Child &child);

// Waits for the latch, at most `timeout`, and absorbs interrupts: may not return when told to exit.
// RETURNS true when the configuration was reloaded.
bool wait_latch(Micros timeout);
// The same, and whether it was the latch that ended it. Gives the processor away for whole
// milliseconds, and lasts up to one longer.
struct Woken {
	bool by_latch, reloaded;
};
Woken wait_latch_or_time(Micros timeout);
void check_interrupts();

// After a PgError that passed no (sub)transaction: releases what the server's code held when it
// raised the error (lightweight locks, a wait), as an abort would have done. Harmless after one
// that did.
void recover() noexcept;

Micros now();                        // wall clock
Micros cpu_time();                   // of this process
Micros steady_now() noexcept;        // a clock that nobody sets; counts from anywhere
std::int64_t wal_written() noexcept; // bytes, by this process
bool in_recovery();
std::uint64_t system_identifier(); // of the cluster, as its control file has it

void log(std::string_view message, std::string_view detail = {},
		 std::string_view hint = {}); // level LOG

} // namespace pgdba::pg
