#include "pgdba/pg/readings.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
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

std::optional<std::int64_t> SequenceReader::last_value(std::uint32_t sequence) {
	const SequenceState state = call([this, sequence] {
		SequenceState none;
		if (strategy_ == nullptr)
			strategy_ = GetAccessStrategy(BAS_BULKREAD);
		if (!ConditionalLockRelationOid(sequence, AccessShareLock))
			return none;
		Relation const relation = try_relation_open(sequence, NoLock);
		if (relation == nullptr) {
			UnlockRelationOid(sequence, AccessShareLock);
			return none;
		}
		const SequenceState read = read_row(relation, static_cast<BufferAccessStrategy>(strategy_));
		relation_close(relation, AccessShareLock);
		return read;
	});
	return state.known ? std::optional(state.value) : std::nullopt;
}

} // namespace pgdba::pg
