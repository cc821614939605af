#include "pgdba/server/router.hpp"

#include "pgdba/server/listen_address.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

namespace {

constexpr std::string_view kHealth = "/healthz", kMetrics = "/metrics";

// What is wrong with a request whatever its path answers; nothing when it is fine.
std::optional<Reply> refuse(const Request &request) {
	if (request.host && !host_allowed(*request.host))
		return problem(421, "Misdirected Request",
					   "The Host header must be a numeric address or localhost.");
	if (request.path != kHealth && request.path != kMetrics)
		return problem(404, "Not Found", "The paths are /metrics and /healthz.");
	if (request.method != "GET" && request.method != "HEAD") {
		Reply reply = problem(405, "Method Not Allowed", "This path answers GET and HEAD.");
		reply.headers.emplace_back("Allow", "GET, HEAD");
		return reply;
	}
	if (request.has_body)
		return problem(413, "Content Too Large", "This path takes no request body.");
	if (request.overloaded && request.path != kHealth) {
		Reply reply = problem(503, "Service Unavailable",
							  "Too many connections; what is left is kept for /healthz.");
		reply.headers.emplace_back("Retry-After", "1");
		reply.close = true;
		return reply;
	}
	return {};
}

} // namespace

Reply Router::answer(const Request &request) {
	if (std::optional<Reply> refusal = refuse(request)) {
		refusal->close |= request.has_body; // which nobody reads
		return *std::move(refusal);
	}
	if (request.path == kHealth)
		return health_page();
	return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_.text()};
}

} // namespace pgdba::server
