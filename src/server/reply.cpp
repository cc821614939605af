#include "pgdba/server/reply.hpp"

#include <nlohmann/json.hpp>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

Reply problem(int status, std::string_view title, std::string_view detail) {
	const nlohmann::ordered_json body = {
		{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
	// The detail may quote what the client sent: never throw over its encoding.
	return {
		status, "application/problem+json",
		std::make_shared<const std::string>(
			body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n")};
}

} // namespace pgdba::server
