// The sockets that are listened on: opened from pgdba.listen, retried while they cannot be, changed
// by a reload. Whatever goes wrong here is said (log, state()) and retried; nothing is fatal.
// THREADING: one.
#pragma once

#include "pgdba/core/sample.hpp"
#include "pgdba/pg/descriptor.hpp"
#include "pgdba/server/listen_address.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgdba::server {

struct Listener {
	ListenAddress where;
	pg::Descriptor socket; // closed while it could not be opened
	Micros delay = 0;      // back-off: 1 s doubling to 60 s; 0 when nothing failed yet
	Micros retry_at = 0;   // when it is tried again
	std::string error;     // why it is not open, as it was said in the log
};

class Listeners {
public:
	explicit Listeners(int epoll) : epoll_(epoll) {}

	// Makes the open sockets those of `setting`: what stays is kept, new ones are opened before old
	// ones are closed.
	void configure(std::string_view setting, Micros now);
	void retry(Micros now);             // what is due
	Micros next_retry() const noexcept; // 0: nothing to retry
	// While paused, waiting connections stay in the backlog and wake nobody.
	void pause(bool paused) noexcept;
	bool paused() const noexcept { return paused_; }

	const std::vector<Listener> &all() const noexcept { return listeners_; }
	std::string state() const;      // for pgdba.processes: "listening on 127.0.0.1:8181"
	std::string last_error() const; // empty when everything configured is open

private:
	void open(Listener &listener, Micros now);
	void watch(int socket) noexcept;

	int epoll_;
	bool paused_ = false;
	std::vector<Listener> listeners_;
};

} // namespace pgdba::server
