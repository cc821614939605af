#include "pgdba/server/listen_address.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

namespace {

std::string_view trim(std::string_view text) {
	const std::size_t first = text.find_first_not_of(" \t");
	if (first == std::string_view::npos)
		return {};
	return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Splits "host:port" or "[host]:port". RETURNS false when it is neither; a missing port is empty.
bool split_port(std::string_view text, std::string_view *host, std::string_view *port) {
	*port = {};
	if (text.starts_with('[')) {
		const std::size_t end = text.find(']');
		if (end == std::string_view::npos)
			return false;
		*host = text.substr(1, end - 1);
		text.remove_prefix(end + 1);
		if (!text.empty() && text[0] != ':')
			return false;
		*port = text.empty() ? text : text.substr(1);
		return host->find(':') != std::string_view::npos;
	}
	const std::size_t colon = text.find(':');
	*host = text.substr(0, colon);
	if (colon != std::string_view::npos)
		*port = text.substr(colon + 1);
	return !host->empty() && port->find(':') == std::string_view::npos;
}

bool valid_port(std::string_view text) {
	unsigned port = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
	return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_loopback(const sockaddr_storage &address) {
	if (address.ss_family == AF_INET)
		return (ntohl(reinterpret_cast<const sockaddr_in &>(address).sin_addr.s_addr) >> 24) == 127;
	return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6 &>(address).sin6_addr);
}

ListenAddress parse_one(std::string_view text) {
	ListenAddress result;
	result.text = text;
	if (text.starts_with("unix:")) {
		result.refusal = "Unix sockets are not supported.";
		return result;
	}
	std::string_view host, port;
	if (!split_port(text, &host, &port) || !valid_port(port)) {
		result.refusal = "It is not of the form address:port (an IPv6 address stands in brackets).";
		return result;
	}
	const std::string host_text(host), port_text(port);
	addrinfo hints{};
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
	hints.ai_socktype = SOCK_STREAM;
	addrinfo *found = nullptr;
	if (getaddrinfo(host_text.c_str(), port_text.c_str(), &hints, &found) != 0) {
		result.refusal = "It is not a numeric address; names are not looked up.";
		return result;
	}
	const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
	std::copy_n(reinterpret_cast<const char *>(found->ai_addr), found->ai_addrlen,
				reinterpret_cast<char *>(&result.address));
	result.length = found->ai_addrlen;
	// One spelling per address, so that a reload finds what is open already.
	char spelled[NI_MAXHOST] = "";
	if (getnameinfo(found->ai_addr, found->ai_addrlen, spelled, sizeof spelled, nullptr, 0,
					NI_NUMERICHOST) == 0) {
		const bool six = result.address.ss_family == AF_INET6;
		result.text = (six ? "[" : "") + std::string(spelled) + (six ? "]:" : ":") +
					  std::to_string(std::stoi(port_text));
	}
	if (!is_loopback(result.address))
		result.refusal = "Without tokens only a loopback address such as 127.0.0.1 is opened.";
	return result;
}

} // namespace

std::vector<ListenAddress> parse_listen(std::string_view setting) {
	std::vector<ListenAddress> addresses;
	while (!setting.empty()) {
		const std::size_t comma = setting.find(',');
		const std::string_view item = trim(setting.substr(0, comma));
		setting = comma == std::string_view::npos ? std::string_view{} : setting.substr(comma + 1);
		if (item.empty())
			continue;
		ListenAddress address = parse_one(item);
		if (std::none_of(addresses.begin(), addresses.end(),
						 [&](const ListenAddress &other) { return other.text == address.text; }))
			addresses.push_back(std::move(address));
	}
	return addresses;
}

bool host_allowed(std::string_view host) {
	std::string_view name, port;
	if (!split_port(trim(host), &name, &port) || (!port.empty() && !valid_port(port)))
		return false;
	std::string text(name);
	std::transform(text.begin(), text.end(), text.begin(), [](char c) {
		return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
	});
	in6_addr parsed{};
	return text == "localhost" || inet_pton(AF_INET, text.c_str(), &parsed) == 1 ||
		   inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

} // namespace pgdba::server
