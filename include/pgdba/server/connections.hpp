// Who is connected, and who has to go. A fixed table; the sockets belong to libmicrohttpd, which
// closes a connection when its socket is shut down: so this table can end one without a call into
// the library.
//
// A connection is idle until its request is complete, busy until its response is sent, then idle
// again. Idle ones are ended after 5 s however slowly they dribble, and earlier when others wait
// for the place; busy ones after 30 s. There is no limit per address: on loopback all clients share
// one. THREADING: one. Times: steady_now().
#pragma once

#include "pgdba/core/sample.hpp"

#include <array>

namespace pgdba::server {

Micros steady_now() noexcept; // never goes back; unrelated to the wall clock

class Connections {
public:
	static constexpr int kLimit = 32;
	static constexpr int kReserved = 4; // of these: kept for /healthz
	static constexpr int kIdleSeconds = 5;

	struct Slot {
		int fd = -1; // -1: free
		bool busy = false;
		bool ended = false; // shut down, not yet closed
		Micros since = 0;   // when it became idle, or busy
	};

	Slot *open(int fd, Micros now) noexcept; // RETURNS nullptr when the table is full
	void close(Slot *slot) noexcept;
	void begin(Slot *slot, Micros now) noexcept;
	void finish(Slot *slot, Micros now) noexcept;

	bool full() const noexcept { return count_ == kLimit; }
	// Only the reserve is free: somebody idle has to go.
	bool crowded() const noexcept { return count_ >= kLimit - kReserved; }
	// The request that has just begun uses the reserve: unless it is for /healthz it has to come
	// back later.
	bool overloaded() const noexcept { return busy_ > kLimit - kReserved; }

	void end_overdue(Micros now) noexcept;
	// Ends the connection that is idle longest, if one was given time enough to send its request.
	void make_room(Micros now) noexcept;
	// When end_overdue or (while somebody waits) make_room has something to do. RETURNS 0 for
	// never.
	Micros next_deadline(bool waiting) const noexcept;

private:
	static void end(Slot &slot) noexcept;
	std::array<Slot, kLimit> slots_;
	int count_ = 0, busy_ = 0;
};

} // namespace pgdba::server
