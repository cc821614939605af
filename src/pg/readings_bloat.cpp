// What core/bloat.hpp needs to know of a table or btree, from the catalogs: it is not opened
// itself, and not locked.
#include "pgdba/core/bloat.hpp"
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/readings.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_statistic.h"
#include "commands/vacuum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

#include <cstring>

namespace pgdba::pg {

namespace {

constexpr double kSampledPerTarget = 300; // rows, as ANALYZE does
constexpr double kLongestShort = 127;

// An entry of a cache, for as long as it is looked at. Null when there is none.
class CacheEntry {
public:
	CacheEntry(int cache, Datum a, Datum b = 0, Datum c = 0)
		: tuple_(call([=] { return SearchSysCache(cache, a, b, c, 0); })) {}
	CacheEntry(const CacheEntry &) = delete;
	CacheEntry &operator=(const CacheEntry &) = delete;
	~CacheEntry() {
		if (HeapTuple const tuple = tuple_)
			call_noexcept([tuple] { ReleaseSysCache(tuple); });
	}
	explicit operator bool() const { return tuple_ != nullptr; }
	HeapTuple tuple() const { return tuple_; }
	template <class Form> const Form *as() const {
		return reinterpret_cast<const Form *>(GETSTRUCT(tuple_));
	}

private:
	HeapTuple tuple_;
};

// What the options of a relation say that matters here.
struct Options {
	int fillfactor;
	bool merges = true;
};

Options options_of(const CacheEntry &relation, bool is_index) {
	return call([tuple = relation.tuple(), is_index] {
		Options out{is_index ? BTREE_DEFAULT_FILLFACTOR : HEAP_DEFAULT_FILLFACTOR};
		bool null = false;
		const Datum given = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &null);
		if (null)
			return out;
		if (is_index) {
			const auto *const options =
				reinterpret_cast<const BTOptions *>(btoptions(given, false));
			if (options != nullptr)
				out = {options->fillfactor, options->deduplicate_items};
		} else {
			const auto *const options = reinterpret_cast<const StdRdOptions *>(
				heap_reloptions(RELKIND_RELATION, given, false));
			if (options != nullptr)
				out.fillfactor = options->fillfactor;
		}
		return out;
	});
}

int alignment_of(char code) {
	return code == TYPALIGN_DOUBLE  ? ALIGNOF_DOUBLE
		   : code == TYPALIGN_INT   ? ALIGNOF_INT
		   : code == TYPALIGN_SHORT ? ALIGNOF_SHORT
									: 1;
}

// Rows of a catalog by its index, whose first column is the relation. Not by the caches: what they
// find they keep for ever, and the statistics of many tables are large.
class Rows {
public:
	Rows(Oid catalog, Oid index, AttrNumber column, Oid relation)
		: catalog_(call([=] { return table_open(catalog, AccessShareLock); })) {
		Relation const opened = catalog_;
		try {
			scan_ = call([=] {
				ScanKeyData key;
				ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ,
							ObjectIdGetDatum(relation));
				return systable_beginscan(opened, index, true, nullptr, 1, &key);
			});
		} catch (...) {
			close();
			throw;
		}
	}
	Rows(const Rows &) = delete;
	Rows &operator=(const Rows &) = delete;
	~Rows() {
		SysScanDesc const scan = scan_;
		call_noexcept([scan] { systable_endscan(scan); });
		close();
	}
	// Null after the last one. Valid until the next call.
	HeapTuple next() {
		return call([scan = scan_] { return systable_getnext(scan); });
	}

private:
	void close() {
		Relation const catalog = catalog_;
		call_noexcept([catalog] { table_close(catalog, AccessShareLock); });
	}

	Relation catalog_;
	SysScanDesc scan_ = nullptr;
};

// What ANALYZE knows of a column.
struct Statistic {
	bool known = false;
	double width = 0;
	ValueShape values;
};

// Fractions of the rows that have the most common values. The values themselves stay where they
// are.
std::vector<double> common_of(HeapTuple statistic) {
	AttStatsSlot slot{};
	std::vector<double> common;
	if (call([&slot, statistic] {
			return get_attstatsslot(&slot, statistic, STATISTIC_KIND_MCV, InvalidOid,
									ATTSTATSSLOT_NUMBERS);
		}))
		common.assign(slot.numbers, slot.numbers + slot.nnumbers);
	call([&slot] { free_attstatsslot(&slot); });
	return common;
}

// By number of the column, from 1. Common values of one column only, 0 for none.
std::vector<Statistic> statistics_of(Oid relation, int columns, double rows, int common) {
	std::vector<Statistic> out(columns + 1);
	Rows found(StatisticRelationId, StatisticRelidAttnumInhIndexId, Anum_pg_statistic_starelid,
			   relation);
	while (HeapTuple const tuple = found.next()) {
		const auto *const row = reinterpret_cast<Form_pg_statistic>(GETSTRUCT(tuple));
		if (row->stainherit || row->staattnum < 1 || row->staattnum > columns)
			continue;
		Statistic &to = out[row->staattnum];
		to.known = true;
		to.width = row->stawidth;
		to.values.null_fraction = row->stanullfrac;
		to.values.distinct = row->stadistinct < 0 ? -row->stadistinct * rows : row->stadistinct;
		if (row->staattnum == common)
			to.values.common = common_of(tuple);
		to.values.more_are_common =
			to.values.common.size() >= static_cast<std::size_t>(default_statistics_target);
	}
	return out;
}

const Statistic &at(const std::vector<Statistic> &statistics, int column) {
	static const Statistic unknown;
	return static_cast<std::size_t>(column) < statistics.size() ? statistics[column] : unknown;
}

std::vector<FormData_pg_attribute> attributes_of(Oid relation) {
	std::vector<FormData_pg_attribute> out;
	Rows found(AttributeRelationId, AttributeRelidNumIndexId, Anum_pg_attribute_attrelid, relation);
	while (HeapTuple const tuple = found.next()) {
		const auto *const row = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple));
		if (row->attnum > 0)
			std::memcpy(&out.emplace_back(), row, ATTRIBUTE_FIXED_PART_SIZE);
	}
	return out;
}

// A column as it is stored in `attribute`. RETURNS false when its width is not known.
bool shape_column(const FormData_pg_attribute &attribute, const Statistic &statistic,
				  ColumnShape &shape) {
	if (attribute.attisdropped || attribute.attgenerated == 'v') {
		shape.null_fraction = 1;
		return true;
	}
	shape.fixed = attribute.attlen > 0;
	if (!statistic.known && !shape.fixed)
		return false;
	shape.null_fraction = statistic.values.null_fraction;
	shape.width = shape.fixed ? attribute.attlen : statistic.width;
	const bool is_short = attribute.attlen == -1 && attribute.attstorage != TYPSTORAGE_PLAIN &&
						  shape.width <= kLongestShort;
	shape.alignment = is_short ? 1 : alignment_of(attribute.attalign);
	return true;
}

std::optional<double> table_pages(Oid oid, const CacheEntry &relation) {
	TableShape shape;
	shape.rows = relation.as<FormData_pg_class>()->reltuples;
	shape.page = {BLCKSZ, options_of(relation, false).fillfactor};
	const std::vector<FormData_pg_attribute> attributes = attributes_of(oid);
	const std::vector<Statistic> statistics =
		statistics_of(oid, static_cast<int>(attributes.size()), shape.rows, 0);
	for (const FormData_pg_attribute &attribute : attributes)
		if (!shape_column(attribute, at(statistics, attribute.attnum),
						  shape.columns.emplace_back()))
			return std::nullopt;
	return pages_of(shape);
}

// Whether equal keys of an operator class look the same, by the server's own two functions: a third
// one is not asked.
bool equal_is_same(Oid opclass, Oid collation) {
	const CacheEntry entry(CLAOID, ObjectIdGetDatum(opclass));
	if (!entry)
		return false;
	const auto *const form = entry.as<FormData_pg_opclass>();
	const Oid family = form->opcfamily, type = form->opcintype;
	const Oid function =
		call([=] { return get_opfamily_proc(family, type, type, BTEQUALIMAGE_PROC); });
	return function == F_BTEQUALIMAGE ||
		   (function == F_BTVARSTREQUALIMAGE && (!OidIsValid(collation) || call([=] {
				return get_collation_isdeterministic(collation);
			})));
}

// Vectors in pg_index of fixed places.
template <class Vector> const Vector *vector_of(const CacheEntry &index, int attribute) {
	return call([tuple = index.tuple(), attribute] {
		bool null = false;
		return reinterpret_cast<const Vector *>(
			DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple, attribute, &null)));
	});
}

std::optional<double> btree_pages(Oid oid, const CacheEntry &relation) {
	const CacheEntry entry(INDEXRELID, ObjectIdGetDatum(oid));
	if (!entry || !entry.as<FormData_pg_index>()->indisvalid)
		return std::nullopt;
	const auto *const index = entry.as<FormData_pg_index>();
	const Oid table = index->indrelid;
	const CacheEntry owner(RELOID, ObjectIdGetDatum(table));
	if (!owner)
		return std::nullopt;
	const bool partial = call(
		[tuple = entry.tuple()] { return !heap_attisnull(tuple, Anum_pg_index_indpred, nullptr); });
	const auto *const classes = vector_of<oidvector>(entry, Anum_pg_index_indclass);
	const auto *const collations = vector_of<oidvector>(entry, Anum_pg_index_indcollation);

	const Options options = options_of(relation, true);
	BtreeShape shape;
	shape.rows = relation.as<FormData_pg_class>()->reltuples;
	shape.page = {BLCKSZ, options.fillfactor};
	shape.merges = options.merges && !index->indisunique && index->indnatts == index->indnkeyatts;
	shape.partial = partial;
	shape.table_rows = std::max<double>(owner.as<FormData_pg_class>()->reltuples, shape.rows);
	shape.sampled_rows = kSampledPerTarget * default_statistics_target;
	const std::vector<FormData_pg_attribute> attributes = attributes_of(oid);
	const int columns = std::min<int>(index->indnatts, static_cast<int>(attributes.size()));
	const int alone = columns == 1 ? index->indkey.values[0] : 0;
	const std::vector<Statistic> of_table =
		statistics_of(table, owner.as<FormData_pg_class>()->relnatts, shape.table_rows, alone);
	const std::vector<Statistic> of_expressions =
		statistics_of(oid, columns, shape.table_rows, columns == 1 ? 1 : 0);
	for (int i = 0; i < columns; ++i) {
		const int column = index->indkey.values[i];
		const Statistic &statistic = column > 0 ? at(of_table, column) : at(of_expressions, i + 1);
		ColumnShape &key = shape.columns.emplace_back();
		if (attributes[i].attlen == -2 || !shape_column(attributes[i], statistic, key))
			return std::nullopt;
		if (partial)
			key.null_fraction = 0;
		shape.merges = shape.merges && equal_is_same(classes->values[i], collations->values[i]);
		if (shape.merges)
			shape.values.push_back(statistic.values);
	}
	return pages_of(shape);
}

} // namespace

std::optional<std::int64_t> estimated_bloat(std::uint32_t oid) {
	const CacheEntry relation(RELOID, ObjectIdGetDatum(oid));
	if (!relation)
		return std::nullopt;
	const auto *const form = relation.as<FormData_pg_class>();
	if (form->reltuples < 0)
		return std::nullopt;
	std::optional<double> needed;
	if ((form->relkind == RELKIND_RELATION || form->relkind == RELKIND_MATVIEW) &&
		form->relam == HEAP_TABLE_AM_OID)
		needed = table_pages(oid, relation);
	else if (form->relkind == RELKIND_INDEX && form->relam == BTREE_AM_OID)
		needed = btree_pages(oid, relation);
	if (!needed)
		return std::nullopt;
	// Pages as of the VACUUM or ANALYZE that counted the rows: what came since is not bloat.
	const double pages = static_cast<BlockNumber>(form->relpages);
	return static_cast<std::int64_t>(std::max(0.0, pages - *needed) * BLCKSZ);
}

} // namespace pgdba::pg
