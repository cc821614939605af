#include "pgdba/pg/ring_table.hpp"

#include "pgdba/pg/disk.hpp"
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/query.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_publication.h"
#include "commands/extension.h"
#include "common/relpath.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

namespace pgdba::pg {

namespace {

constexpr std::uint64_t kSpareBytes = std::uint64_t{16} << 20;

// Positions of our columns in a slot table, found by name: an older library meets a newer schema
// after an update.
enum Attribute { kSlot, kTick, kSampledAt, kProbe, kKeyframe, kPayload, kAttributes };
constexpr const char *kAttributeNames[kAttributes] = {"slot",  "tick",     "sampled_at",
													  "probe", "keyframe", "payload"};

struct SlotTable {
	Relation relation = nullptr;
	int attribute[kAttributes] = {}; // 0-based
};

std::string slot_name(std::string_view loop, int slot) {
	return "ring_" + std::string(loop) + "_" + std::to_string(slot);
}

// A mistake of ours must cost the tick and not the cluster: without a transaction the catalog
// caches have no owner for what they hand out, and crash.
Oid slot_oid(std::string_view loop, int slot) {
	if (!call([] { return IsTransactionState(); }))
		throw PgError(sqlstate("25P01"), "tables of pgdba can only be read in a transaction");
	const std::string name = slot_name(loop, slot);
	const char *const text = name.c_str();
	return call([text]() -> Oid {
		const Oid schema = get_namespace_oid("pgdba", true);
		return OidIsValid(schema) ? get_relname_relid(text, schema) : InvalidOid;
	});
}

// With NoLock the lock goes with the transaction.
void close_slot(const SlotTable &table, LOCKMODE mode) {
	Relation const relation = table.relation;
	call([relation, mode] { table_close(relation, mode); });
}

// Locks without queueing (or, for sessions, as any reader), opens, and finds the columns.
RingAccess open_slot(std::string_view loop, int slot, LOCKMODE mode, bool wait, SlotTable *table) {
	const Oid oid = slot_oid(loop, slot);
	if (!OidIsValid(oid))
		return RingAccess::kMissing;
	if (wait)
		call([oid, mode] { LockRelationOid(oid, mode); });
	else if (!call([oid, mode] { return ConditionalLockRelationOid(oid, mode); }))
		return RingAccess::kBusy;
	table->relation = call([oid] { return try_table_open(oid, NoLock); });
	if (table->relation == nullptr)
		return RingAccess::kMissing;
	TupleDesc const descriptor = RelationGetDescr(table->relation);
	for (int wanted = 0; wanted < kAttributes; ++wanted) {
		table->attribute[wanted] = -1;
		for (int i = 0; i < descriptor->natts; ++i)
			if (std::strcmp(NameStr(TupleDescAttr(descriptor, i)->attname),
							kAttributeNames[wanted]) == 0)
				table->attribute[wanted] = i;
		if (table->attribute[wanted] < 0) {
			close_slot(*table, mode);
			return RingAccess::kMissing;
		}
	}
	return RingAccess::kDone;
}

// On disk, without indexes; what is TOASTed too, unless somebody holds that.
std::uint64_t slot_bytes(Relation relation) {
	const BlockNumber blocks = call([relation] {
		BlockNumber count = RelationGetNumberOfBlocks(relation);
		const Oid toast = relation->rd_rel->reltoastrelid;
		if (OidIsValid(toast) && ConditionalLockRelationOid(toast, AccessShareLock)) {
			Relation const toasted = table_open(toast, NoLock);
			count += RelationGetNumberOfBlocks(toasted);
			table_close(toasted, AccessShareLock);
		}
		return count;
	});
	return std::uint64_t{BLCKSZ} * blocks;
}

bool has_room(Relation relation, std::uint64_t bytes) {
	const char *const folder = call([relation] {
		const Oid space = relation->rd_rel->reltablespace;
		return GetDatabasePath(MyDatabaseId, OidIsValid(space) ? space : MyDatabaseTableSpace);
	});
	return free_bytes(folder) > kSpareBytes + 2 * bytes;
}

// Nearly nobody has one, and that is seen without a plan.
bool any_publication() {
	return call([] {
		Relation const catalog = table_open(PublicationRelationId, AccessShareLock);
		SysScanDesc const scan =
			systable_beginscan(catalog, InvalidOid, false, nullptr, 0, nullptr);
		const bool any = HeapTupleIsValid(systable_getnext(scan));
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
		return any;
	});
}

} // namespace

RingAccess insert_ring_rows(std::string_view loop, int slot, const std::vector<RingRow> &rows) {
	SlotTable table;
	if (const RingAccess access = open_slot(loop, slot, RowExclusiveLock, false, &table);
		access != RingAccess::kDone)
		return access;
	Relation const relation = table.relation;
	std::uint64_t bytes = 0;
	for (const RingRow &row : rows)
		bytes += row.payload.size();
	if (!has_room(relation, bytes)) {
		close_slot(table, NoLock);
		return RingAccess::kNoRoom;
	}
	const int count = RelationGetDescr(relation)->natts;
	std::vector<Datum> values(count, Datum(0));
	const auto nulls = std::make_unique<bool[]>(count);
	for (const RingRow &row : rows) {
		std::fill_n(nulls.get(), count, true);
		const auto set = [&](Attribute attribute, Datum value) {
			values[table.attribute[attribute]] = value;
			nulls[table.attribute[attribute]] = false;
		};
		const std::string *const probe = &row.probe, *const payload = &row.payload;
		set(kSlot, Int16GetDatum(static_cast<std::int16_t>(slot)));
		set(kTick, Int64GetDatum(row.tick));
		set(kSampledAt, TimestampTzGetDatum(row.sampled_at));
		set(kProbe, call([probe] {
				return PointerGetDatum(
					cstring_to_text_with_len(probe->data(), static_cast<int>(probe->size())));
			}));
		set(kKeyframe, BoolGetDatum(row.keyframe));
		set(kPayload, call([payload] { // bytea and text have the same shape
				return PointerGetDatum(
					cstring_to_text_with_len(payload->data(), static_cast<int>(payload->size())));
			}));
		Datum *const value = values.data();
		bool *const null = nulls.get();
		call([relation, value, null] {
			HeapTuple const tuple = heap_form_tuple(RelationGetDescr(relation), value, null);
			simple_heap_insert(relation, tuple);
			heap_freetuple(tuple);
		});
	}
	close_slot(table, NoLock);
	return RingAccess::kDone;
}

RingAccess truncate_ring_slot(std::string_view loop, int slot) {
	const Oid oid = slot_oid(loop, slot);
	if (!OidIsValid(oid))
		return RingAccess::kMissing;
	if (!call([oid] { return ConditionalLockRelationOid(oid, AccessExclusiveLock); }))
		return RingAccess::kBusy;
	execute("TRUNCATE ONLY pgdba." + slot_name(loop, slot));
	return RingAccess::kDone;
}

RingAccess first_in_slot(std::string_view loop, int slot, Micros *first, std::uint64_t *bytes) {
	SlotTable table;
	if (const RingAccess access = open_slot(loop, slot, AccessShareLock, false, &table);
		access != RingAccess::kDone)
		return access;
	Relation const relation = table.relation;
	const int attribute = table.attribute[kSampledAt] + 1;
	*bytes = slot_bytes(relation);
	*first = call([relation, attribute]() -> Micros {
		// From the first page: a synchronized scan would begin anywhere.
		TableScanDesc const scan =
			table_beginscan_strat(relation, GetActiveSnapshot(), 0, nullptr, true, false);
		HeapTuple const tuple = heap_getnext(scan, ForwardScanDirection);
		bool null = true;
		Datum value = 0;
		if (tuple != nullptr)
			value = heap_getattr(tuple, attribute, RelationGetDescr(relation), &null);
		table_endscan(scan);
		return null ? 0 : DatumGetTimestampTz(value);
	});
	close_slot(table, AccessShareLock);
	return RingAccess::kDone;
}

RingAccess read_ring_rows(std::string_view loop, int slot, std::string_view probe, Micros since,
						  Micros until, bool wait, std::vector<RingRow> *rows) {
	SlotTable table;
	if (const RingAccess access = open_slot(loop, slot, AccessShareLock, wait, &table);
		access != RingAccess::kDone)
		return access;
	Relation const relation = table.relation;
	const int count = RelationGetDescr(relation)->natts;
	std::vector<Datum> values(count);
	const auto nulls = std::make_unique<bool[]>(count);
	Datum *const value = values.data();
	bool *const null = nulls.get();
	TableScanDesc const scan =
		call([relation] { return table_beginscan(relation, GetActiveSnapshot(), 0, nullptr); });
	while (true) {
		HeapTuple const tuple = call([scan, relation, value, null] {
			CHECK_FOR_INTERRUPTS();
			HeapTuple const next = heap_getnext(scan, ForwardScanDirection);
			if (next != nullptr)
				heap_deform_tuple(next, RelationGetDescr(relation), value, null);
			return next;
		});
		if (tuple == nullptr)
			break;
		const Micros at = DatumGetTimestampTz(value[table.attribute[kSampledAt]]);
		const bool keyframe = DatumGetBool(value[table.attribute[kKeyframe]]);
		const text *const name =
			reinterpret_cast<text *>(DatumGetPointer(value[table.attribute[kProbe]]));
		if (at > until || (!keyframe && at < since) ||
			std::string_view(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) != probe)
			continue;
		const Datum stored = value[table.attribute[kPayload]];
		const bytea *const payload = call([stored] { return DatumGetByteaPP(stored); });
		rows->push_back({DatumGetInt64(value[table.attribute[kTick]]), at, std::string(probe),
						 keyframe, std::string(VARDATA_ANY(payload), VARSIZE_ANY_EXHDR(payload))});
		if (static_cast<const void *>(payload) != DatumGetPointer(stored))
			call([payload] { pfree(const_cast<bytea *>(payload)); });
	}
	call([scan] { table_endscan(scan); });
	close_slot(table, AccessShareLock);
	// The server puts a short row into any page that has room: the order of pages is not that of
	// time.
	std::stable_sort(rows->begin(), rows->end(), [](const RingRow &a, const RingRow &b) {
		return a.sampled_at < b.sampled_at;
	});
	return RingAccess::kDone;
}

bool ring_is_published(std::string *publication) {
	if (!any_publication())
		return false;
	const Sample found = select_rows(
		"SELECT p.pubname FROM pg_catalog.pg_publication p WHERE p.puballtables"
		" UNION ALL SELECT p.pubname FROM pg_catalog.pg_publication p"
		" JOIN pg_catalog.pg_publication_namespace n ON n.pnpubid OPERATOR(pg_catalog.=) p.oid"
		" WHERE n.pnnspid OPERATOR(pg_catalog.=) 'pgdba'::pg_catalog.regnamespace"
		" UNION ALL SELECT p.pubname FROM pg_catalog.pg_publication p"
		" JOIN pg_catalog.pg_publication_rel r ON r.prpubid OPERATOR(pg_catalog.=) p.oid"
		" JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.prrelid"
		" WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgdba'::pg_catalog.regnamespace LIMIT 1");
	if (found.rows() == 0)
		return false;
	*publication = found.at(0, std::size_t{0}).text;
	return true;
}

bool extension_exists(std::string_view name) {
	const std::string text(name);
	const char *const extension = text.c_str();
	return call([extension] { return OidIsValid(get_extension_oid(extension, true)); });
}

} // namespace pgdba::pg
