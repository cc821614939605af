#include "pgdba/server/service.hpp"

#include "pgdba/pg/options.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/wait_set.hpp"
#include "pgdba/server/http_daemon.hpp"
#include "pgdba/server/listeners.hpp"
#include "pgdba/server/metrics_page.hpp"
#include "pgdba/server/router.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include <poll.h>
#include <sys/epoll.h>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

namespace {

constexpr int kAcceptsPerRound = 16;              // then what is connected gets its turn
constexpr int kOtherDescriptors = 12;             // listeners, epoll descriptors
constexpr Micros kAcceptPause = kMicrosPerSecond; // when the system has no descriptor left

bool somebody_waits(int socket) noexcept {
	pollfd waiting{socket, POLLIN, 0};
	return poll(&waiting, 1, 0) > 0;
}

class Service final {
public:
	Service()
		: epoll_(epoll_create1(EPOLL_CLOEXEC)), listeners_(epoll_.get()), metrics_(listeners_),
		  router_(metrics_), http_(router_), waits_(epoll_.get()) {
		epoll_event event{};
		event.events = EPOLLIN;
		if (!epoll_.valid() || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, http_.epoll(), &event) != 0)
			throw std::runtime_error("could not set up the server's epoll descriptor");
		pg::reserve_descriptors(Connections::kLimit + kOtherDescriptors);
		configure();
	}

	// One round: wait, look after the listeners, accept, and let the library do what is ready,
	// once. Whatever it could not finish shows in its timeout, and the latch and interrupts get
	// their turn before.
	void round() {
		if (waits_.wait(timeout()))
			configure();
		const Micros now = steady_now();
		if (const Micros due = listeners_.next_retry(); due != 0 && now >= due) {
			listeners_.retry(now);
			report();
		}
		accept_waiting(now);
		http_.run();
		count_requests(now);
	}

private:
	void configure() {
		listeners_.configure(pg::option("pgdba.listen"), steady_now());
		report();
	}

	// Into the process table, when it changed.
	void report() {
		if (const std::string state = listeners_.state(); state != state_) {
			pg::process_state(pg::Role::kServer, state);
			state_ = state;
		}
		if (const std::string error = listeners_.last_error(); error != error_) {
			if (!error.empty())
				pg::process_error(pg::Role::kServer, error);
			error_ = error;
		}
	}

	void accept_waiting(Micros now) {
		Connections &connections = http_.connections();
		listeners_.pause(now < accept_again_);
		if (listeners_.paused())
			return;
		int accepted = 0;
		for (const Listener &listener : listeners_.all())
			while (listener.socket.valid() && accepted < kAcceptsPerRound) {
				if (connections.crowded()) {
					if (!somebody_waits(listener.socket.get()))
						break;
					connections.make_room(now);
					// Full: the rest stays in the backlog, and wakes nobody until a place is free.
					if (connections.full())
						return listeners_.pause(true);
				}
				sockaddr_storage address{};
				socklen_t length = sizeof address;
				const int fd =
					accept4(listener.socket.get(), reinterpret_cast<sockaddr *>(&address), &length,
							SOCK_NONBLOCK | SOCK_CLOEXEC);
				if (fd >= 0) {
					++accepted;
					http_.adopt(fd, reinterpret_cast<sockaddr *>(&address), length);
				} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
						   errno == ENOMEM) {
					accept_again_ = now + kAcceptPause;
					return listeners_.pause(true);
				} else if (errno != ECONNABORTED && errno != EINTR) {
					break;
				}
			}
	}

	// At most once a second: the lock of the head is not for every request.
	void count_requests(Micros now) {
		if (http_.requests == 0 || now < count_again_)
			return;
		pg::write_head([this](pg::SharedHead &head) {
			head.http_requests += http_.requests;
			head.http_rejected += http_.rejected;
		});
		http_.requests = http_.rejected = 0;
		count_again_ = now + kMicrosPerSecond;
	}

	Micros timeout() {
		Micros timeout = http_.timeout();
		const auto until = [&timeout, now = steady_now()](Micros due) {
			if (due != 0)
				timeout = timeout < 0 ? std::max<Micros>(0, due - now)
									  : std::min(timeout, std::max<Micros>(0, due - now));
		};
		until(listeners_.next_retry());
		until(http_.connections().next_deadline(listeners_.paused()));
		if (listeners_.paused())
			until(accept_again_ > steady_now() ? accept_again_ : 0);
		if (http_.requests != 0)
			until(count_again_);
		return timeout;
	}

	pg::Descriptor epoll_;
	Listeners listeners_;
	MetricsPage metrics_;
	Router router_;
	HttpDaemon http_;
	pg::WaitSet waits_;
	std::string state_, error_; // as they were reported
	Micros accept_again_ = 0, count_again_ = 0;
};

} // namespace

void serve() {
	pg::announce_process(pg::Role::kServer, "starting");
	Service service;
	for (;;)
		service.round();
}

} // namespace pgdba::server
