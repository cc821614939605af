#include "pgdba/pg/watch.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "utils/inval.h"
}

namespace pgdba::pg {

namespace {

constexpr std::size_t kMost = 8;
constinit Oid watched[kMost] = {};
constinit bool changed = false;
constinit bool registered = false;

extern "C" void pgdba_relation_changed(Datum, Oid relation) {
	if (relation == InvalidOid) // all caches are to be dropped: a message was lost
		changed = true;
	for (const Oid oid : watched) // unused places hold InvalidOid, handled above
		if (oid == relation)
			changed = true;
}

} // namespace

void watch_relations(const std::vector<std::uint32_t> &relations) {
	for (std::size_t i = 0; i < kMost; ++i)
		watched[i] = i < relations.size() ? relations[i] : InvalidOid;
	if (registered)
		return;
	call([] { CacheRegisterRelcacheCallback(pgdba_relation_changed, Datum(0)); });
	registered = true;
}

bool watched_relation_changed() noexcept {
	const bool was = changed;
	changed = false;
	return was;
}

void touch_relation(std::uint32_t relation) {
	call([relation] { CacheInvalidateRelcacheByRelid(relation); });
}

} // namespace pgdba::pg
