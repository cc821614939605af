#include "pgdba/server/listeners.hpp"

#include "pgdba/pg/worker.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <netinet/in.h>
#include <sys/epoll.h>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

namespace {

constexpr Micros kFirstDelay = kMicrosPerSecond;
constexpr Micros kLongestDelay = 60 * kMicrosPerSecond;
constexpr int kBacklog = 64;

// RETURNS a listening socket, or an invalid one with errno set.
pg::Descriptor open_socket(const ListenAddress &where) {
	pg::Descriptor fd(
		socket(where.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	const int on = 1;
	if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
		(where.address.ss_family == AF_INET6 &&
		 setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
		bind(fd.get(), reinterpret_cast<const sockaddr *>(&where.address), where.length) != 0 ||
		listen(fd.get(), kBacklog) != 0) {
		const int error = errno;
		fd = pg::Descriptor();
		errno = error;
	}
	return fd;
}

} // namespace

void Listeners::watch(int socket) noexcept {
	epoll_event event{};
	event.events = EPOLLIN;
	event.data.fd = socket;
	if (!paused_)
		epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
}

void Listeners::pause(bool paused) noexcept {
	if (paused == paused_)
		return;
	paused_ = paused;
	for (const Listener &listener : listeners_)
		if (listener.socket.valid()) {
			if (paused)
				epoll_ctl(epoll_, EPOLL_CTL_DEL, listener.socket.get(), nullptr);
			else
				watch(listener.socket.get());
		}
}

void Listeners::configure(std::string_view setting, Micros now) {
	std::vector<Listener> old = std::move(listeners_);
	listeners_.clear();
	for (ListenAddress &where : parse_listen(setting)) {
		const auto same = std::find_if(old.begin(), old.end(), [&](const Listener &listener) {
			return listener.where.text == where.text;
		});
		if (same != old.end()) {
			listeners_.push_back(std::move(*same));
			old.erase(same);
			continue;
		}
		Listener &listener = listeners_.emplace_back();
		listener.where = std::move(where);
		if (listener.where.refusal.empty()) {
			open(listener, now);
			continue;
		}
		listener.error = "address \"" + listener.where.text + "\" in pgdba.listen is not opened";
		pg::log(listener.error, listener.where.refusal);
	}
	// `old` now holds what is no longer wanted; its sockets close here, and leave the epoll set by
	// that.
}

void Listeners::retry(Micros now) {
	for (Listener &listener : listeners_)
		if (listener.retry_at != 0 && now >= listener.retry_at)
			open(listener, now);
}

Micros Listeners::next_retry() const noexcept {
	Micros next = 0;
	for (const Listener &listener : listeners_)
		if (listener.retry_at != 0 && (next == 0 || listener.retry_at < next))
			next = listener.retry_at;
	return next;
}

void Listeners::open(Listener &listener, Micros now) {
	listener.socket = open_socket(listener.where);
	if (listener.socket.valid()) {
		watch(listener.socket.get());
		listener.delay = listener.retry_at = 0;
		listener.error.clear();
		pg::log("pgdba server listens on address \"" + listener.where.text + "\"");
		return;
	}
	const std::string reason = std::generic_category().message(errno);
	listener.delay =
		listener.delay == 0 ? kFirstDelay : std::min(2 * listener.delay, kLongestDelay);
	listener.retry_at = now + listener.delay;
	const std::string error =
		"could not listen on address \"" + listener.where.text + "\": " + reason;
	if (error == listener.error)
		return; // said already; only a change is news
	listener.error = error;
	pg::log(error, "It is tried again, at least once a minute.",
			"Is another process using the port? See pgdba.listen.");
}

std::string Listeners::state() const {
	if (listeners_.empty())
		return "not listening: pgdba.listen is empty";
	std::string open;
	std::size_t count = 0;
	for (const Listener &listener : listeners_)
		if (listener.socket.valid()) {
			open += (open.empty() ? "" : ", ") + listener.where.text;
			++count;
		}
	if (count == listeners_.size())
		return "listening on " + open;
	return "listening on " + std::to_string(count) + " of " + std::to_string(listeners_.size()) +
		   " addresses";
}

std::string Listeners::last_error() const {
	for (const Listener &listener : listeners_)
		if (!listener.error.empty())
			return listener.error +
				   (listener.where.refusal.empty() ? "" : ": " + listener.where.refusal);
	return {};
}

} // namespace pgdba::server
