#include "pgdba/server/router.hpp"

#include "pgdba/core/health.hpp"
#include "pgdba/pg/options.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"

#include <algorithm>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

Reply health_page() {
	const pg::SharedHead head = pg::snapshot_head();
	HealthReport report;
	report.now = pg::now();
	report.in_recovery = pg::in_recovery();
	report.loops = pg::loop_states(head, report.now);
	report.checks = static_cast<std::size_t>(head.checks);
	for (const LoopState &loop : report.loops)
		report.sampled_at = std::max(report.sampled_at, loop.last);
	Healthz health = healthz(report, pg::option("pgdba.database"), head.missing);
	return {health.status, "application/json",
			std::make_shared<const std::string>(std::move(health.body))};
}

} // namespace pgdba::server
