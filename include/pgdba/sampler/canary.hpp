// A canary: two small statements whose time is kept. When they are slow everything is.
#pragma once

#include "pgdba/core/definition.hpp"
#include "pgdba/core/sample.hpp"
#include "pgdba/pg/query.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pgdba {

std::vector<std::pair<std::string, Type>> canary_columns();
// A row per statement. REQUIRES: no transaction is open. THROWS PgError as run_sandboxed() does.
Sample canary_sample(const ProbeDefinition &definition, const pg::QueryLimits &limits);

} // namespace pgdba
