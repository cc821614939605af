#include "pgdba/server/http_daemon.hpp"

#include <cstddef>
#include <stdexcept>

#include <microhttpd.h>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

namespace {

// Of a connection: request line and headers, and the headers of its response. More gives 414 or
// 431.
constexpr std::size_t kConnectionMemory = std::size_t{10} * 1024;

HttpDaemon &daemon_of(void *self) {
	return *static_cast<HttpDaemon *>(self);
}

Connections::Slot *slot_of(MHD_Connection *connection) {
	const MHD_ConnectionInfo *const info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info != nullptr ? static_cast<Connections::Slot *>(info->socket_context) : nullptr;
}

const char *header_of(MHD_Connection *connection, const char *name) {
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

bool has_body(MHD_Connection *connection) {
	const char *const length = header_of(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return header_of(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) != nullptr ||
		   (length != nullptr && std::string_view(length) != "0");
}

extern "C" void pgdba_http_body_sent(void *body) {
	delete static_cast<std::shared_ptr<const std::string> *>(body);
}

MHD_Result send(MHD_Connection *connection, const Reply &reply) {
	// The library keeps a reference to the text until it is sent; nothing is copied.
	auto body = std::make_unique<std::shared_ptr<const std::string>>(reply.body);
	const std::string &text = **body;
	MHD_Response *const response = MHD_create_response_from_buffer_with_free_callback_cls(
		text.size(), const_cast<char *>(text.data()), pgdba_http_body_sent, body.get());
	if (response == nullptr)
		return MHD_NO;
	body.release(); // NOLINT(bugprone-unused-return-value): the response owns it now
	const std::string type(reply.type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type.c_str());
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	for (const auto &[name, value] : reply.headers)
		MHD_add_response_header(response, name, value.c_str());
	if (reply.close)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	const MHD_Result result =
		MHD_queue_response(connection, static_cast<unsigned>(reply.status), response);
	MHD_destroy_response(response);
	return result;
}

Reply answer(HttpDaemon &daemon, const Request &request) {
	try {
		return daemon.responder().answer(request);
	} catch (const std::exception &error) {
		return problem(500, "Internal Server Error", error.what());
	}
}

// Called when the headers are complete, and again for the body and its end. Answered at the first
// call: a request with a body is refused, so that there is nothing more to wait for.
extern "C" MHD_Result pgdba_http_request(void *self, MHD_Connection *connection, const char *url,
										 const char *method, const char *, const char *,
										 std::size_t *upload_size, void **seen) noexcept {
	try {
		HttpDaemon &daemon = daemon_of(self);
		Connections::Slot *const slot = slot_of(connection);
		const bool body = has_body(connection);
		if (*seen == nullptr) {
			*seen = self;
			if (slot != nullptr)
				daemon.connections().begin(slot, steady_now());
			if (!body)
				return MHD_YES; // answered at the second call: an answer at the first one ends the
								// connection
		}
		*upload_size = 0;
		Request request{
			method, url, {}, body, slot == nullptr || daemon.connections().overloaded()};
		if (const char *const host = header_of(connection, MHD_HTTP_HEADER_HOST))
			request.host = host;
		const Reply reply = answer(daemon, request);
		++daemon.requests;
		daemon.rejected += reply.status >= 400;
		return send(connection, reply);
	} catch (...) {
		return MHD_NO; // out of memory: the connection is closed
	}
}

extern "C" void pgdba_http_completed(void *self, MHD_Connection *connection, void **,
									 MHD_RequestTerminationCode) noexcept {
	if (Connections::Slot *const slot = slot_of(connection))
		daemon_of(self).connections().finish(slot, steady_now());
}

extern "C" void pgdba_http_connection(void *self, MHD_Connection *connection, void **context,
									  MHD_ConnectionNotificationCode code) noexcept {
	Connections &connections = daemon_of(self).connections();
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const MHD_ConnectionInfo *const info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context = info != nullptr ? connections.open(info->connect_fd, steady_now()) : nullptr;
	} else if (*context != nullptr) {
		connections.close(static_cast<Connections::Slot *>(*context));
		*context = nullptr;
	}
}

} // namespace

HttpDaemon::HttpDaemon(Responder &responder) : responder_(responder) {
	daemon_ = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr, pgdba_http_request, this,
		MHD_OPTION_NOTIFY_COMPLETED, pgdba_http_completed, this,                         //
		MHD_OPTION_NOTIFY_CONNECTION, pgdba_http_connection, this,                       //
		MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(Connections::kLimit),         //
		MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(Connections::kIdleSeconds), //
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,                           //
		MHD_OPTION_END);
	if (daemon_ == nullptr)
		throw std::runtime_error("could not start the HTTP library");
}

HttpDaemon::~HttpDaemon() {
	MHD_stop_daemon(daemon_);
}

int HttpDaemon::epoll() const {
	const MHD_DaemonInfo *const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == nullptr)
		throw std::runtime_error("the HTTP library has no epoll descriptor");
	return info->epoll_fd;
}

void HttpDaemon::adopt(int socket, const sockaddr *address, socklen_t length) noexcept {
	MHD_add_connection(daemon_, socket, address, length);
}

void HttpDaemon::run() noexcept {
	const Micros now = steady_now();
	connections_.end_overdue(now);
	MHD_run(daemon_);
}

Micros HttpDaemon::timeout() const noexcept {
	MHD_UNSIGNED_LONG_LONG milliseconds = 0;
	if (MHD_get_timeout(daemon_, &milliseconds) != MHD_YES)
		return -1;
	return static_cast<Micros>(milliseconds) * 1000;
}

} // namespace pgdba::server
