// What pgdba says about itself: loops, processes, memory ring, HTTP, and what was left out.
#pragma once

#include "pgdba/core/metrics.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/server/listeners.hpp"

#include <vector>

namespace pgdba::server {

void add_loops(MetricsText &text, const pg::SharedHead &head, Micros now);
void add_processes(MetricsText &text, const pg::SharedHead &head);
void add_ring(MetricsText &text, const RingUsage &usage);
void add_counters(MetricsText &text, const pg::SharedHead &head, Micros now);
void add_listeners(MetricsText &text, const std::vector<Listener> &listeners);
// pgdba_verdict{check,severity}: how many findings of a check have that severity; objects are not
// in labels.
void add_verdicts(MetricsText &text, const Sample &verdicts, const std::vector<LoopState> &loops,
				  Micros now);

} // namespace pgdba::server
