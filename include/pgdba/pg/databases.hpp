// The databases of the cluster, and which of them may be sampled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba::pg {

struct Database {
	std::uint32_t oid = 0;
	std::string name;  // valid UTF-8; two that look alike then carry their OID
	bool home = false; // the one this process is connected to
	bool sampled =
		false; // by the settings, and (but for home) neither a template nor closed to connections
};

// All of them, by OID. REQUIRES: an open transaction.
std::vector<Database> list_databases();

// Those that a reader may be sent to. REQUIRES: no transaction is open.
struct VisitableDatabase {
	std::uint32_t oid;
	std::string name;
};
std::vector<VisitableDatabase> visitable_databases();

// By pgdba.include_databases and pgdba.exclude_databases.
bool database_included(std::string_view name);

// The database this process is connected to; 0 when it is to none.
std::uint32_t connected_database() noexcept;

} // namespace pgdba::pg
