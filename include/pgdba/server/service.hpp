// The life of `pgdba server`: one thread, one wait, for ever.
#pragma once

namespace pgdba::server {

// REQUIRES: signals are set up and shared memory is attached. Does not return; ends with the
// process. THROWS PgError, std::exception: then the postmaster starts it again.
[[noreturn]] void serve();

} // namespace pgdba::server
