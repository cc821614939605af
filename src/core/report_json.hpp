// How reports write times and durations in JSON.
#pragma once

#include "pgdba/core/sample.hpp"

#include <string>

namespace pgdba {

std::string
iso_time(Micros at); // ISO 8601 in UTC with microseconds; empty for 0 (never) and the infinities
double in_seconds(Micros duration) noexcept;

} // namespace pgdba
