// Who waits for a lock and who is in the way, as rows.
#include "pgdba/pg/datum.hpp"
#include "pgdba/pg/entry.hpp"
#include "pgdba/pg/lock_waits.hpp"

extern "C" {
#include "access/transam.h"
#include "storage/lock.h"
}

#include <limits>

PGDBA_FUNCTION(pgdba_lock_sessions)

using namespace pgdba;

namespace {

constexpr std::size_t kMostPath = 64;

// The columns, in their order.
enum {
	kPid,
	kWorkerPid,
	kPrepared,
	kPlace,
	kDepth,
	kPath,
	kWaitStart,
	kLockType,
	kMode,
	kBlockerMode,
	kBlockerHolds,
	kLockDatabase,
	kRelation,
	kTarget,
	kBlockedBy,
	kBlocked,
	kQueuedDdl,
	kCircle,
	kColumns
};

Column column(const char *name, Type type) {
	Column described;
	described.name = name;
	described.type = type;
	return described;
}

std::vector<Column> columns() {
	std::vector<Column> all(kColumns);
	all[kPid] = column("pid", Type::kInt8);
	all[kWorkerPid] = column("worker_pid", Type::kInt8);
	all[kPrepared] = column("prepared_xid", Type::kInt8);
	all[kPlace] = column("place", Type::kInt8);
	all[kDepth] = column("depth", Type::kInt8);
	all[kPath] = column("path", Type::kText);
	all[kWaitStart] = column("wait_start", Type::kTimestamp);
	all[kLockType] = column("lock_type", Type::kText);
	all[kMode] = column("mode", Type::kText);
	all[kBlockerMode] = column("blocker_mode", Type::kText);
	all[kBlockerHolds] = column("blocker_holds", Type::kBool);
	all[kLockDatabase] = column("lock_database", Type::kInt8);
	all[kRelation] = column("lock_relid", Type::kInt8);
	all[kTarget] = column("target", Type::kText);
	all[kBlockedBy] = column("blocked_by", Type::kText);
	all[kBlocked] = column("blocked", Type::kInt8);
	all[kQueuedDdl] = column("queued_ddl", Type::kBool);
	all[kCircle] = column("circle", Type::kBool);
	return all;
}

// As in pg_locks.
std::string type_name(const LOCKTAG &tag) {
	return tag.locktag_type <= LOCKTAG_LAST_TYPE ? std::string(LockTagTypeNames[tag.locktag_type])
												 : "unknown " + std::to_string(tag.locktag_type);
}

std::string mode_name(const LOCKTAG &tag, int mode) {
	const auto method = static_cast<LOCKMETHODID>(tag.locktag_lockmethodid);
	return pg::call([method, mode] { return GetLockmodeName(method, mode); });
}

bool is_of_relation(const LOCKTAG &tag) {
	return tag.locktag_type == LOCKTAG_RELATION || tag.locktag_type == LOCKTAG_RELATION_EXTEND ||
		   tag.locktag_type == LOCKTAG_PAGE || tag.locktag_type == LOCKTAG_TUPLE;
}

std::string target(const LOCKTAG &tag) {
	const std::string first = std::to_string(tag.locktag_field1),
					  second = std::to_string(tag.locktag_field2),
					  third = std::to_string(tag.locktag_field3),
					  fourth = std::to_string(tag.locktag_field4);
	switch (static_cast<LockTagType>(tag.locktag_type)) {
	case LOCKTAG_RELATION:
	case LOCKTAG_RELATION_EXTEND:
	case LOCKTAG_DATABASE_FROZEN_IDS:
		return "";
	case LOCKTAG_PAGE:
		return third;
	case LOCKTAG_TUPLE:
		return '(' + third + ',' + fourth + ')';
	case LOCKTAG_TRANSACTION:
		return first;
	case LOCKTAG_VIRTUALTRANSACTION:
	case LOCKTAG_SPECULATIVE_TOKEN:
		return first + '/' + second;
	case LOCKTAG_ADVISORY: // a key of eight bytes, or two of four
		return tag.locktag_field4 == 1
				   ? std::to_string(static_cast<std::int64_t>(
						 std::uint64_t{tag.locktag_field2} << 32 | tag.locktag_field3))
				   : std::to_string(static_cast<std::int32_t>(tag.locktag_field2)) + ',' +
						 std::to_string(static_cast<std::int32_t>(tag.locktag_field3));
	default:
		return second + '/' + third + '/' + fourth;
	}
}

// The PIDs from the root down; of a very long chain the ends.
std::string path_text(const pg::LockWaits &waits, const std::vector<LockNode> &forest,
					  const LockNode &node) {
	std::vector<int> upwards;
	for (const LockNode *at = &node;; at = &forest[at->parent]) {
		if (at->parent == kNobody || upwards.size() + 1 < kMostPath)
			upwards.push_back(waits.sessions[at->session].pid);
		if (at->parent == kNobody)
			break;
	}
	std::string list = "[";
	for (std::size_t i = upwards.size(); i-- > 0;)
		list += std::to_string(upwards[i]) + (i > 0 ? "," : "");
	return list + ']';
}

std::string pid_list(const pg::LockWaits &waits, const std::vector<std::uint32_t> &sessions) {
	std::set<int> pids; // two prepared transactions are both 0
	for (const std::uint32_t session : sessions)
		pids.insert(waits.sessions[session].pid);
	std::string list = "[";
	for (const int pid : pids)
		list += (list.size() > 1 ? "," : "") + std::to_string(pid);
	return list + ']';
}

void fill_wait(Sample &rows, std::size_t row, const pg::LockWaits &waits, const LockNode &node) {
	const LOCKTAG &tag = waits.tags[node.lock];
	const LockWaiter &waiter = waits.locks[node.lock].queue[node.place];
	const pg::LockWait &wait = waits.waits[node.lock][node.place];
	if (wait.pid != waits.sessions[node.session].pid)
		rows.set_int(row, kWorkerPid, wait.pid);
	if (waiter.since != 0)
		rows.set_int(row, kWaitStart, waiter.since);
	rows.set_text(row, kLockType, type_name(tag));
	rows.set_text(row, kMode, mode_name(tag, waiter.wanted));
	if (node.in_the_way != 0) {
		rows.set_text(row, kBlockerMode, mode_name(tag, node.in_the_way));
		rows.set_bool(row, kBlockerHolds, node.in_the_way_is_held);
	}
	const LOCKTAG &object =
		is_of_relation(wait.row) && wait.row.locktag_field2 != 0 ? wait.row : tag;
	if (is_of_relation(object)) {
		rows.set_int(row, kLockDatabase, object.locktag_field1);
		rows.set_int(row, kRelation, object.locktag_field2);
	}
	if (const std::string text = target(object); !text.empty())
		rows.set_text(row, kTarget, text);
	rows.set_text(row, kBlockedBy, pid_list(waits, node.blockers));
	rows.set_bool(row, kQueuedDdl, node.queued_ddl);
}

} // namespace

Datum pgdba_lock_sessions(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		const std::size_t most_waiting =
			PG_ARGISNULL(0) ? std::numeric_limits<std::size_t>::max()
							: static_cast<std::size_t>(std::max(PG_GETARG_INT32(0), 0));
		const pg::LockWaits waits = pg::read_lock_waits();
		Sample rows;
		rows.set_columns(columns());
		const std::vector<LockNode> forest = lock_forest(
			static_cast<std::uint32_t>(waits.sessions.size()), waits.locks, most_waiting);
		for (const LockNode &node : forest) {
			const bool is_waiting = node.lock != kNobody;
			if (!is_waiting && node.blocked == 0)
				continue; // holds a lock, but in nobody's way
			const std::size_t row = rows.add_row();
			const pg::LockSession &session = waits.sessions[node.session];
			rows.set_int(row, kPid, session.pid);
			if (session.prepared != InvalidTransactionId)
				rows.set_int(row, kPrepared, session.prepared);
			rows.set_int(row, kPlace, &node - forest.data());
			rows.set_int(row, kDepth, node.depth);
			rows.set_text(row, kPath, path_text(waits, forest, node));
			rows.set_int(row, kBlocked, node.blocked);
			rows.set_bool(row, kCircle, node.circle);
			if (is_waiting)
				fill_wait(rows, row, waits, node);
		}
		return pg::return_sample(fcinfo, rows);
	});
}
