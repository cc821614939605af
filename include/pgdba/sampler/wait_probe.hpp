// The native probes `wait` and `wait_tick`: what the launcher's sampler of waits saw since the
// sample before, and how well it could look. And the same for sessions that read its memory.
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

// In the sampler. The first takes the tally, which begins anew; the second tells what there is to
// tell of what the first took. REQUIRES: no transaction is open.
Sample wait_sample(const ProbeDefinition &definition);
Sample wait_tick_sample(const ProbeDefinition &definition);

// In a session. REQUIRES: an open transaction.
Sample waits_now();                           // as `wait`, without taking it
Sample wait_runs(Micros since, Micros until); // each session's doings, clipped to that time
Micros wait_runs_since();                     // from when on these are whole; 0: there are none

} // namespace pgdba
