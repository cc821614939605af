// The one wait of a worker that also serves sockets: its latch, the postmaster's death and one
// descriptor. More descriptors go behind that one: an epoll descriptor becomes readable when any of
// its own does.
#pragma once

#include "pgdba/core/sample.hpp"

struct WaitEventSet;

namespace pgdba::pg {

// First thing in a worker without a database connection: begin_worker(), and the SIGUSR1 handler
// that the server installs only in workers that connect.
void begin_unconnected_worker();

// Tells the server that this process holds that many descriptors of its own, so that its file cache
// leaves room.
void reserve_descriptors(int count);

class WaitSet {
public:
	explicit WaitSet(int descriptor); // REQUIRES: it stays open as long as the set lives
	~WaitSet();
	WaitSet(const WaitSet &) = delete;
	WaitSet &operator=(const WaitSet &) = delete;

	// Waits at most `timeout` (negative: without limit), and absorbs interrupts: does not return
	// when told to exit. RETURNS true when the configuration was reloaded.
	bool wait(Micros timeout);

private:
	WaitEventSet *set_;
};

} // namespace pgdba::pg
