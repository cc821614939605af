#include "pgdba/pg/readings.hpp"

#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/worker.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "libpq/crypt.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

#include <sys/stat.h>

namespace pgdba::pg {

namespace {

constexpr std::int64_t kSegmentBytes = std::int64_t{RELSEG_SIZE} * BLCKSZ;

// The path comes from a query: only what can be a relation's file is looked at.
bool is_relation_path(std::string_view path) noexcept {
	return path.find("..") == std::string_view::npos &&
		   (path.starts_with("base/") || path.starts_with("global/") ||
			path.starts_with("pg_tblspc/"));
}

// Every segment but the last is full; what follows one that is not is empty.
std::optional<std::int64_t> segments_size(const std::string &path) {
	std::optional<std::int64_t> total;
	for (int segment = 0;; ++segment) {
		struct stat status {};
		const std::string file = segment == 0 ? path : path + "." + std::to_string(segment);
		if (stat(file.c_str(), &status) != 0)
			return total;
		total = total.value_or(0) + status.st_size;
		if (status.st_size < kSegmentBytes)
			return total;
	}
}

struct SequenceState {
	bool known = false;
	std::int64_t value = 0;
};

// The one row of a sequence, as the server's own reader finds it.
SequenceState read_row(Relation sequence, BufferAccessStrategy strategy) {
	SequenceState state;
	if (sequence->rd_rel->relkind != RELKIND_SEQUENCE || RELATION_IS_OTHER_TEMP(sequence) ||
		(!RelationIsPermanent(sequence) && RecoveryInProgress()) ||
		RelationGetNumberOfBlocks(sequence) == 0)
		return state;
	Buffer const buffer = ReadBufferExtended(sequence, MAIN_FORKNUM, 0, RBM_NORMAL, strategy);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	Page const page = BufferGetPage(buffer);
	if (!PageIsNew(page) && PageGetMaxOffsetNumber(page) >= FirstOffsetNumber) {
		ItemId const item = PageGetItemId(page, FirstOffsetNumber);
		if (ItemIdIsNormal(item)) {
			HeapTupleData tuple;
			tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
			const auto *const row = reinterpret_cast<Form_pg_sequence_data>(GETSTRUCT(&tuple));
			state.known = row->is_called;
			state.value = row->last_value;
		}
	}
	UnlockReleaseBuffer(buffer);
	return state;
}

} // namespace

std::optional<std::int64_t> file_size(std::string_view paths) {
	std::optional<std::int64_t> total;
	while (!paths.empty()) {
		const std::string_view path = paths.substr(0, paths.find(' '));
		paths.remove_prefix(std::min(path.size() + 1, paths.size()));
		if (!is_relation_path(path))
			continue;
		if (const auto size = segments_size(std::string(path)))
			total = total.value_or(0) + *size;
	}
	return total;
}

std::optional<std::int64_t> sequence_value(std::uint32_t sequence, void **strategy) {
	const SequenceState state = call([sequence, strategy] {
		SequenceState none;
		if (*strategy == nullptr)
			*strategy = GetAccessStrategy(BAS_BULKREAD);
		if (!ConditionalLockRelationOid(sequence, AccessShareLock))
			return none;
		Relation const relation = try_relation_open(sequence, NoLock);
		if (relation == nullptr) {
			UnlockRelationOid(sequence, AccessShareLock);
			return none;
		}
		const SequenceState read = read_row(relation, static_cast<BufferAccessStrategy>(*strategy));
		relation_close(relation, AccessShareLock);
		return read;
	});
	return state.known ? std::optional(state.value) : std::nullopt;
}

std::optional<std::string_view> password_kind(std::uint32_t role) {
	const int kind = call([role] {
		HeapTuple const tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
		if (!HeapTupleIsValid(tuple))
			return -2;
		bool none = false;
		const Datum stored = SysCacheGetAttr(AUTHOID, tuple, Anum_pg_authid_rolpassword, &none);
		int found = -1;
		if (!none) {
			char *const password = TextDatumGetCString(stored);
			found = get_password_type(password);
			explicit_bzero(password, strlen(password));
			pfree(password);
		}
		ReleaseSysCache(tuple);
		return found;
	});
	switch (kind) {
	case -2:
		return std::nullopt;
	case PASSWORD_TYPE_MD5:
		return "md5";
	case PASSWORD_TYPE_SCRAM_SHA_256:
		return "scram-sha-256";
	case PASSWORD_TYPE_PLAINTEXT:
		return "plain";
	default:
		return "none";
	}
}

void ColumnReader::read(Reading reading, Datum from, Sample &sample, std::size_t row,
						std::size_t column) {
	const auto given = [from] {
		const text *const packed = call([from] { return DatumGetTextPP(from); });
		return std::string_view(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
	};
	const auto put = [&](const auto &value) {
		using Value = typename std::remove_cvref_t<decltype(value)>::value_type;
		if (!value)
			return;
		if constexpr (std::is_same_v<Value, std::int64_t>)
			sample.set_int(row, column, *value);
		else if constexpr (std::is_same_v<Value, double>)
			sample.set_float(row, column, *value);
		else
			sample.set_text(row, column, *value);
	};
	switch (reading) {
	case Reading::kFileSize:
		return put(file_size(given()));
	case Reading::kSequenceValue:
		return put(sequence_value(DatumGetObjectId(from), &strategy_));
	case Reading::kEstimatedBloat:
		return put(estimated_bloat(DatumGetObjectId(from)));
	case Reading::kUnusedBytes:
		if (stop_reading_ == 0 || now() < stop_reading_)
			put(unused_bytes(DatumGetObjectId(from), &unread_));
		return;
	case Reading::kPasswordKind:
		return put(password_kind(DatumGetObjectId(from)));
	case Reading::kNullFraction:
	case Reading::kAverageWidth:
	case Reading::kDistinctValues:
	case Reading::kCorrelation:
		return put(column_statistic(reading, given()));
	}
}

} // namespace pgdba::pg
