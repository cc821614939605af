// What a table or btree really has free: by the functions of the extension pgstattuple, where it is
// installed and the sampler's role may call them. They read the file, so that is bounded; they lock
// the relation, so the lock is taken here first, without waiting for it.
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/readings.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/trial.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "catalog/dependency.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/catcache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace pgdba::pg {

namespace {

double number(HeapTupleHeader row, const char *name) {
	bool null = false;
	const Datum value = GetAttributeByName(row, name, &null);
	return null ? 0 : DatumGetFloat8(value);
}

std::int64_t count(HeapTupleHeader row, const char *name) {
	bool null = false;
	const Datum value = GetAttributeByName(row, name, &null);
	return null ? 0 : DatumGetInt64(value);
}

// What a rewrite would leave free again is not unused. `fill` is a share.
std::int64_t unused_in_heap(HeapTupleHeader row, double fill) {
	const double kept = static_cast<double>(count(row, "table_len")) * (1 - fill);
	return std::max<std::int64_t>(0, count(row, "dead_tuple_len") +
										 count(row, "approx_free_space") -
										 static_cast<std::int64_t>(kept));
}

std::int64_t unused_in_btree(HeapTupleHeader row, double fill) {
	const double density = number(row, "avg_leaf_density") / 100; // not a number without leaves
	const double lacking = density < fill ? 1 - density / fill : 0;
	const auto leaves = static_cast<double>(count(row, "leaf_pages"));
	return (count(row, "empty_pages") + count(row, "deleted_pages")) * BLCKSZ +
		   static_cast<std::int64_t>(lacking * leaves * BLCKSZ);
}

// How a kind of relation is looked at.
struct Look {
	const char *function; // with one argument of type regclass
	std::int64_t (*unused)(HeapTupleHeader, double fill);
};
constexpr Look kHeap = {"pgstattuple_approx", unused_in_heap};
constexpr Look kBtree = {"pgstatindex", unused_in_btree};

const Look *look_for(const FormData_pg_class &relation) {
	const bool heap = relation.relkind == RELKIND_RELATION || relation.relkind == RELKIND_MATVIEW ||
					  relation.relkind == RELKIND_TOASTVALUE;
	if (heap && relation.relam == HEAP_TABLE_AM_OID)
		return &kHeap;
	return relation.relkind == RELKIND_INDEX && relation.relam == BTREE_AM_OID ? &kBtree : nullptr;
}

// The extension's own function, not one that somebody put beside it, if it may be called.
Oid function_of_extension(const char *name) {
	const Oid extension = get_extension_oid("pgstattuple", true);
	if (!OidIsValid(extension))
		return InvalidOid;
	Oid found = InvalidOid;
	CatCList *const functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	for (int i = 0; i < functions->n_members; ++i) {
		const auto *const function =
			reinterpret_cast<Form_pg_proc>(GETSTRUCT(&functions->members[i]->tuple));
		if (function->pronargs == 1 && function->proargtypes.values[0] == REGCLASSOID &&
			getExtensionOfObject(ProcedureRelationId, function->oid) == extension)
			found = function->oid;
	}
	ReleaseSysCacheList(functions);
	return OidIsValid(found) && compat::may_execute(found) ? found : InvalidOid;
}

struct Unused {
	bool known = false;
	std::int64_t bytes = 0;
};

// Raises server errors. Leaves the lock to the end of the subtransaction.
Unused look_at(Oid oid, std::int64_t *unread) {
	Unused unused;
	if (!ConditionalLockRelationOid(oid, AccessShareLock))
		return unused;
	Relation const relation = try_relation_open(oid, NoLock);
	if (relation == nullptr)
		return unused;
	const Look *const look =
		RELATION_IS_OTHER_TEMP(relation) ? nullptr : look_for(*relation->rd_rel);
	const std::int64_t size =
		look == nullptr ? 0 : std::int64_t{RelationGetNumberOfBlocks(relation)} * BLCKSZ;
	const int fill = look == &kHeap    ? RelationGetFillFactor(relation, HEAP_DEFAULT_FILLFACTOR)
					 : look == &kBtree ? BTGetFillFactor(relation)
									   : 100;
	relation_close(relation, NoLock);
	const Oid function =
		look == nullptr || size > *unread ? InvalidOid : function_of_extension(look->function);
	if (!OidIsValid(function))
		return unused;
	*unread -= size;
	HeapTupleHeader const row =
		DatumGetHeapTupleHeader(OidFunctionCall1(function, ObjectIdGetDatum(oid)));
	unused.known = true;
	unused.bytes = look->unused(row, fill / 100.0);
	return unused;
}

} // namespace

std::optional<std::int64_t> unused_bytes(std::uint32_t relation, std::int64_t *unread) {
	if (*unread < 0)
		*unread = std::int64_t{settings().pgstattuple_limit_mb} << 20;
	if (*unread == 0)
		return std::nullopt;
	Unused unused;
	try {
		const Trial trial; // lets go of the lock and the memory, and makes an error harmless
		unused = call([relation, unread] { return look_at(relation, unread); });
	} catch (const PgError &error) { // aborted: by Trial. A broken page is no reason to stop
		if (error.sqlstate == sqlstate("57014"))
			throw;
	}
	return unused.known ? std::optional(unused.bytes) : std::nullopt;
}

} // namespace pgdba::pg
