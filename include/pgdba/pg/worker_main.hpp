// A background worker's main function, for folders that do not see the server's headers.
//
//   PGDBA_EXPORT void pgdba_server_main(std::uintptr_t argument) { pgdba::pg::run_worker(serve,
//   argument); }
#pragma once

#include <cstdint>

#define PGDBA_EXPORT extern "C" __attribute__((visibility("default")))

namespace pgdba::pg {

// Runs the body as entry() does: an exception becomes an ERROR, with which the process ends (exit
// code 1).
void run_worker(void (*body)(std::uintptr_t argument), std::uintptr_t argument);

} // namespace pgdba::pg
