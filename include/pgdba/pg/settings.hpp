// Every setting of pgdba, declared once (src/pg/settings.cpp): name, default, unit, bounds,
// context, description. No server header. Read through settings(); a reload changes the values in
// place.
#pragma once

#include "pgdba/core/sample.hpp"

#include <string_view>

namespace pgdba::pg {

struct LoopSettings {
	int interval_ms, budget_ms, retention_s;
};

// Plain storage that the server's GUC machinery writes into: constant-initialised, static address.
struct Settings {
	char *database, *listen, *cluster, *include_databases, *exclude_databases, *as_of;
	LoopSettings loops[4]; // in the order of kLoops
	int top_relations, top_indexes, top_queries, shared_memory_mb, max_series, lock_timeout_ms,
		pgstattuple_limit_mb, wait_rate, wait_memory_mb, slow_session_ms;
};
const Settings &settings() noexcept;

void define_settings(); // from _PG_init; raises server errors

// pgdba.cluster, or cluster_name, or the host name.
std::string_view cluster_label();
// Sets pgdba.as_of for as long as it lives; an error in between puts it back with the
// (sub)transaction's abort.
class AsOf {
public:
	explicit AsOf(Micros at);
	~AsOf();
	AsOf(const AsOf &) = delete;
	AsOf &operator=(const AsOf &) = delete;

private:
	int nest_level_;
};

// pgdba.as_of as a time. RETURNS 0 when it is empty. THROWS PgError 22007.
Micros as_of();
// The value of an integer setting by its short name ("top_relations"), for TopRule. RETURNS
// fallback when unknown.
int setting_by_name(std::string_view name, int fallback) noexcept;

} // namespace pgdba::pg
