// entry() for worker mains whose folders do not see the server's headers.
#include "pgdba/pg/worker_main.hpp"

#include "pgdba/pg/guard.hpp"

namespace pgdba::pg {

static_assert(sizeof(Datum) == sizeof(std::uintptr_t), "the server passes the argument as a Datum");

void run_worker(void (*body)(std::uintptr_t argument), std::uintptr_t argument) {
	entry([body, argument] { body(argument); });
}

} // namespace pgdba::pg
