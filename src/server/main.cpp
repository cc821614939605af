// The entry point of pgdba_http.so, which only `pgdba server` loads: the postmaster and ordinary
// backends never map the HTTP library. No database connection, no SQL, so that it answers during
// recovery, saturation and lock storms.
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/wait_set.hpp"
#include "pgdba/pg/worker_main.hpp"
#include "pgdba/server/service.hpp"

#include "pgdba/core/wall.hpp"

namespace {

void run(std::uintptr_t) {
	pgdba::pg::begin_unconnected_worker();
	pgdba::pg::attach_shared_memory();
	pgdba::server::serve();
}

} // namespace

PGDBA_EXPORT void pgdba_server_main(std::uintptr_t argument) {
	pgdba::pg::run_worker(run, argument);
}
