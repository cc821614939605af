// Which request gets which answer.
#pragma once

#include "pgdba/server/http_daemon.hpp"
#include "pgdba/server/metrics_page.hpp"

namespace pgdba::server {

class Router final : public Responder {
public:
	explicit Router(MetricsPage &metrics) : metrics_(metrics) {}
	Reply answer(const Request &request) override;

private:
	MetricsPage &metrics_;
};

Reply health_page(); // GET /healthz

} // namespace pgdba::server
