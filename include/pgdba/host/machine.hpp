// The machine, or the container, that the server runs on: memory, CPU, pressure, and each of the
// server's processes. From /proc and /sys; what the kernel does not tell is NULL.
#pragma once

#include "pgdba/core/sample.hpp"

namespace pgdba {

// One row; columns as in pgdba.host_machine() (sql/schema/37_host.sql).
Sample machine_sample();
// A row per process of the server, the postmaster among them, in no order.
Sample process_sample(int postmaster);

} // namespace pgdba
