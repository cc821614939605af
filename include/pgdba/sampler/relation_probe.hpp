// The native probe `relation`: the counters of every table, materialized view and TOAST table of
// every sampled database, system catalogs included (they bloat as well).
#pragma once

#include "pgdba/core/definition.hpp"
#include "pgdba/core/sample.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgdba {

// What the probe returns, in order: known before there is any sample.
std::vector<std::pair<std::string, Type>> relation_columns();

// In the sampler. Names that are still unknown are asked for as long as the deadline allows. What
// has no name yet is left out and counted in the sample's `cut`, as are relations whose counters
// could not be read. `home` is the name of the home database: the catalogs that all databases share
// are listed under it. REQUIRES: no transaction is open. THROWS: PgError 0A000 when the server's
// statistics are laid out otherwise.
Sample relation_sample(const ProbeDefinition &definition, std::string_view home, Micros deadline);

} // namespace pgdba
