// Verdicts and health as a session reads them: the live ones from shared memory, those of a moment
// in the past by evaluating the same checks in the caller's session.
#pragma once

#include "pgdba/core/health.hpp"

#include <vector>

namespace pgdba {

// as_of 0: live. REQUIRES: a transaction in the home database (for as_of: where the extension is).
std::vector<Verdict> verdicts_at(Micros as_of);
HealthReport health_report(Micros as_of);

} // namespace pgdba
