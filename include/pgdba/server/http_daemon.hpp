// libmicrohttpd as a value: no thread and no socket of its own. Accepted connections are handed in,
// run() does what is ready and returns. Its C frames are never crossed by an exception.
#pragma once

#include "pgdba/server/connections.hpp"
#include "pgdba/server/reply.hpp"

#include <cstdint>

#include <sys/socket.h>

struct MHD_Daemon;

namespace pgdba::server {

class Responder {
public:
	virtual Reply answer(const Request &request) = 0; // an exception becomes 500
protected:
	~Responder() = default;
};

class HttpDaemon {
public:
	explicit HttpDaemon(Responder &responder); // THROWS std::runtime_error
	~HttpDaemon();
	HttpDaemon(const HttpDaemon &) = delete;
	HttpDaemon &operator=(const HttpDaemon &) = delete;

	int epoll() const; // becomes readable when run() has something to do
	// REQUIRES: connections() is not full. Takes the socket over, also when it fails.
	void adopt(int socket, const sockaddr *address, socklen_t length) noexcept;
	void run() noexcept;
	Micros timeout() const noexcept; // until run() is needed at the latest; -1 for no limit

	Connections &connections() noexcept { return connections_; }
	Responder &responder() noexcept { return responder_; }
	std::int64_t requests = 0, rejected = 0; // answered, and of these with a status of 400 and more

private:
	Responder &responder_;
	Connections connections_;
	MHD_Daemon *daemon_;
};

} // namespace pgdba::server
