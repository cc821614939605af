// A request as the pages see it, and what they answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgdba::server {

struct Request {
	std::string_view method, path; // the path is decoded and has no query string
	std::optional<std::string_view> host;
	bool has_body = false;
	bool overloaded = false; // it uses what is kept for /healthz
};

struct Reply {
	int status = 200;
	std::string_view type; // of the content; text that lives for ever
	std::shared_ptr<const std::string> body;
	std::vector<std::pair<const char *, std::string>> headers{};
	bool close = false; // the connection ends after it
};

// An error as application/problem+json (RFC 9457).
Reply problem(int status, std::string_view title, std::string_view detail);

} // namespace pgdba::server
