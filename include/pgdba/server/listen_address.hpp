// What pgdba.listen says: a comma-separated list of address:port, IPv6 in brackets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

namespace pgdba::server {

struct ListenAddress {
	std::string text;    // "127.0.0.1:8181", "[::1]:8181"; as it was written when it cannot be read
	std::string refusal; // why it is not opened, a sentence; empty when it may be
	sockaddr_storage address{};
	socklen_t length = 0;
};

// One entry each, in order and without repetition. There are no tokens, so only loopback addresses
// may be opened: every other one comes back with a refusal. Never looks a name up: that could wait.
std::vector<ListenAddress> parse_listen(std::string_view setting);

// Whether a request with this Host header may be answered: an IP literal or localhost, with or
// without a port. A page on the web that rebinds its own name to 127.0.0.1 sends that name, and is
// refused.
bool host_allowed(std::string_view host);

} // namespace pgdba::server
