// What the server and the user learn about the library's identity. The only object compiled with
// PGDBA_VERSION.
#include "pgdba/pg/version.hpp"

#include "pgdba/pg/prelude.hpp"

extern "C" {
PG_MODULE_MAGIC_EXT(.name = "pgdba", .version = PGDBA_VERSION);
}

namespace pgdba::pg {

const char *version() noexcept {
	return PGDBA_VERSION;
}

} // namespace pgdba::pg
