// What the owner of a database or a role can plant with ALTER DATABASE or ALTER ROLE ... SET does
// not reach the workers: it is overridden right after connecting.
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/worker.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
}

namespace pgdba::pg {

namespace {

// What must be so whoever set it where; a setting that this server version lacks is left out.
struct Pinned {
	const char *name, *value;
};
constexpr Pinned kPinned[] = {
	{"role", "none"},
	{"search_path", "pg_catalog, pg_temp"},
	{"default_transaction_isolation", "read committed"},
	{"default_transaction_deferrable", "off"},
	{"default_transaction_read_only", "off"},
	{"synchronous_commit", "off"}, // a dead synchronous standby must not stop sampling
	{"statement_timeout", "0"},    // each statement arms its own timer
	{"transaction_timeout", "0"},
	{"idle_in_transaction_session_timeout", "0"},
	{"idle_session_timeout", "0"},
	{"row_security", "on"},
	{"session_replication_role", "origin"},
	{"stats_fetch_consistency", "cache"},
	{"jit", "off"},
	{"max_parallel_workers_per_gather", "0"},
	{"work_mem", "4MB"},
	{"hash_mem_multiplier", "2"},
	{"temp_file_limit", "512MB"},
	{"temp_tablespaces", ""},
	{"default_tablespace", ""},
	{"default_table_access_method", "heap"},
	{"plan_cache_mode", "auto"},
	{"enable_bitmapscan", "on"},
	{"enable_hashagg", "on"},
	{"enable_hashjoin", "on"},
	{"enable_indexscan", "on"},
	{"enable_indexonlyscan", "on"},
	{"enable_material", "on"},
	{"enable_memoize", "on"},
	{"enable_mergejoin", "on"},
	{"enable_nestloop", "on"},
	{"enable_seqscan", "on"},
	{"enable_sort", "on"},
	{"from_collapse_limit", "8"},
	{"join_collapse_limit", "8"},
	{"client_min_messages", "error"},
	{"exit_on_error", "off"},
	{"timezone_abbreviations", "Default"},
	{"standard_conforming_strings", "on"},
	{"array_nulls", "on"},
	{"transform_null_equals", "off"},
	{"quote_all_identifiers", "off"},
	{"DateStyle", "ISO, MDY"},
	{"IntervalStyle", "postgres"},
	{"TimeZone", "UTC"},
	{"bytea_output", "hex"},
	{"extra_float_digits", "1"},
	{"lc_numeric", "C"},
	{"lc_time", "C"},
	{"pgdba.as_of", ""},                      // or the sampler would judge that moment for ever
	{"restrict_nonsystem_relation_kind", ""}, // our views stand on foreign tables
};

// The role is put right before; its setting cannot be.
bool is_planted(const config_generic &setting) {
	return std::strcmp(setting.name, "session_authorization") != 0 &&
		   (setting.context == PGC_USERSET || setting.context == PGC_SUSET) &&
		   (setting.source == PGC_S_GLOBAL || setting.source == PGC_S_DATABASE ||
			setting.source == PGC_S_USER || setting.source == PGC_S_DATABASE_USER);
}

// The value that a setting has in a server that nobody configured.
std::string boot_value(config_generic *setting) {
	switch (setting->vartype) {
	case PGC_BOOL:
		return reinterpret_cast<config_bool *>(setting)->boot_val ? "on" : "off";
	case PGC_INT:
		return std::to_string(reinterpret_cast<config_int *>(setting)->boot_val);
	case PGC_REAL:
		return std::to_string(reinterpret_cast<config_real *>(setting)->boot_val);
	case PGC_STRING: {
		const char *const text = reinterpret_cast<config_string *>(setting)->boot_val;
		return text == nullptr ? "" : text;
	}
	case PGC_ENUM: {
		auto *const choice = reinterpret_cast<config_enum *>(setting);
		return call([choice] { return config_enum_lookup_by_value(choice, choice->boot_val); });
	}
	}
	return {};
}

// No list of names is complete: versions and extensions bring new ones.
void reset_planted() {
	int count = 0;
	config_generic **const all = call([&count] { return compat::all_settings(&count); });
	for (int i = 0; i < count; ++i) {
		if (!is_planted(*all[i]))
			continue;
		const std::string value = boot_value(all[i]);
		const char *const name = all[i]->name, *const text = value.c_str();
		call([name,
			  text] { // quietly where it will not have the value: nobody must be able to stop us
			(void)set_config_option(name, text, PGC_SUSET, PGC_S_OVERRIDE, GUC_ACTION_SET, true,
									DEBUG5, false);
		});
	}
}

} // namespace

void pin_settings() {
	// It can be planted as well, and is no setting that can be overridden outside a transaction. A
	// worker logs in as the role that owns the server.
	call([] { SetSessionAuthorization(GetAuthenticatedUserId(), true); });
	for (const Pinned &pinned : kPinned)
		call([&pinned] {
			if (GetConfigOption(pinned.name, true, false) != nullptr)
				SetConfigOption(pinned.name, pinned.value, PGC_SUSET, PGC_S_OVERRIDE);
		});
	const std::string lock_timeout = std::to_string(settings().lock_timeout_ms);
	const char *const value = lock_timeout.c_str();
	call([value] { SetConfigOption("lock_timeout", value, PGC_SUSET, PGC_S_OVERRIDE); });
	// The database's own: then textsend() gives the bytes as they are, and converts nothing.
	call([] {
		SetConfigOption("client_encoding", GetDatabaseEncodingName(), PGC_USERSET, PGC_S_OVERRIDE);
	});
	reset_planted();
}

} // namespace pgdba::pg
