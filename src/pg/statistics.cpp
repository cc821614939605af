// One pass over the hash of shared statistics, about 30 ns a relation. The hash is read partition
// by partition, each under its lock in shared mode; in there nothing is allocated and nothing is
// called that raises an error, but for the mapping of a segment of shared memory that this process
// has not seen yet, which the hash does by itself.
#include "pgdba/pg/statistics.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "lib/dshash.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/dsa.h"
#include "utils/pgstat_internal.h"
}

namespace pgdba::pg {

namespace {

constexpr std::size_t kFirstBuffer = 4096;
// A writer holds the lock of an entry for some 100 ns, unless it loses the CPU in there: looking
// again this often takes a few microseconds and finds the lock free as a rule.
constexpr int kLooks = 64;

struct Pass {
	RelationCounters *out;
	std::size_t capacity;
	std::size_t filled = 0, busy = 0, beyond = 0;
};

void check_layout() {
	const PgStat_KindInfo *const info =
		call([] { return pgstat_get_kind_info(PGSTAT_KIND_RELATION); });
	if (pgStatLocal.shared_hash == nullptr)
		throw PgError(sqlstate("55000"), "statistics of the server are not attached");
	if (info == nullptr || info->shared_data_off != offsetof(PgStatShared_Relation, stats) ||
		info->shared_data_len != sizeof(PgStat_StatTabEntry) ||
		info->shared_size != sizeof(PgStatShared_Relation))
		throw PgError(
			sqlstate("0A000"), "statistics of relations have a layout that pgdba was not built for",
			"The server keeps " + std::to_string(info == nullptr ? 0 : info->shared_data_len) +
				" bytes for a relation, the library was built for " +
				std::to_string(sizeof(PgStat_StatTabEntry)) + ".",
			"Install a pgdba that was built for this minor version of the server.");
}

// Never waits: whoever waits here would hold up everybody who needs the partition.
bool copy_entry(PgStatShared_Relation *shared, PgStat_StatTabEntry *copy) {
	for (int look = 0; look < kLooks; ++look) {
		if (LWLockConditionalAcquire(&shared->header.lock, LW_SHARED)) {
			std::memcpy(copy, &shared->stats, sizeof *copy);
			LWLockRelease(&shared->header.lock);
			return true;
		}
		pg_spin_delay();
	}
	return false;
}

void fill(RelationCounters &to, const PgStat_StatTabEntry &from) noexcept {
	to.scans = from.numscans;
	to.rows_returned = from.tuples_returned;
	to.rows_fetched = from.tuples_fetched;
	to.inserted = from.tuples_inserted;
	to.updated = from.tuples_updated;
	to.deleted = from.tuples_deleted;
	to.hot_updated = from.tuples_hot_updated;
	to.blocks_fetched = from.blocks_fetched;
	to.blocks_hit = from.blocks_hit;
	compat::copy_renamed_counters(from, to);
}

// Plain memory only, for it runs inside call() and under the lock of a partition.
void scan(Pass *pass) {
	dshash_seq_status status;
	dshash_seq_init(&status, pgStatLocal.shared_hash, false);
	for (void *item = dshash_seq_next(&status); item != nullptr; item = dshash_seq_next(&status)) {
		const auto *const entry = static_cast<const PgStatShared_HashEntry *>(item);
		if (entry->dropped || entry->key.kind != PGSTAT_KIND_RELATION)
			continue;
		if (pass->filled >= pass->capacity) {
			++pass->beyond;
			continue;
		}
		PgStat_StatTabEntry copy;
		if (!copy_entry(
				static_cast<PgStatShared_Relation *>(dsa_get_address(pgStatLocal.dsa, entry->body)),
				&copy)) {
			++pass->busy;
			continue;
		}
		RelationCounters &counters = pass->out[pass->filled++];
		counters.database = entry->key.dboid;
		counters.relation = compat::object_oid(entry->key);
		fill(counters, copy);
	}
	dshash_seq_term(&status);
}

} // namespace

std::size_t read_relation_counters(std::vector<RelationCounters> &buffer, std::size_t max,
								   std::size_t *skipped) {
	check_layout();
	if (buffer.empty())
		buffer.resize(std::min(max, kFirstBuffer));
	for (;;) {
		Pass pass{buffer.data(), buffer.size()};
		Pass *const argument = &pass;
		call([argument] { scan(argument); });
		const std::size_t all = pass.filled + pass.beyond;
		if (pass.beyond == 0 || buffer.size() >= max) {
			*skipped = pass.busy + pass.beyond;
			return pass.filled;
		}
		buffer.resize(std::min(max, all + all / 4)); // with room for tables made meanwhile
	}
}

} // namespace pgdba::pg
