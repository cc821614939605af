// The native probes `wait` and `wait_tick`: what the launcher's sampler of waits saw since the
// sample before, and how well it could look.
#pragma once

#include "pgdba/core/definition.hpp"
#include "pgdba/core/sample.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pgdba {

// What the probes return, in order: known before there is any sample.
std::vector<std::pair<std::string, Type>> wait_columns();
std::vector<std::pair<std::string, Type>> wait_tick_columns();

Sample wait_sample(const ProbeDefinition &definition);
Sample wait_tick_sample(const ProbeDefinition &definition);

} // namespace pgdba
