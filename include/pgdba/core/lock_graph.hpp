// Who waits for whom: a forest out of the locks that somebody waits for.
//
// A session waits for those that hold a mode which conflicts with the one it wants, and for those
// that are ahead of it in the queue and want such a mode. Parallel processes of a session count as
// the session, which never blocks itself. All of this as pg_blocking_pids() has it.
//
// A queue of n sessions has some n * n / 2 such edges; they are walked without being written down,
// because all waiters of one mode from some place on are one thing, whoever is in their way.
#pragma once

#include "pgdba/core/sample.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pgdba {

using LockModes = std::uint32_t;  // bit 1 << mode for each mode
constexpr int kMostLockModes = 8; // numbered from 1, as the server does
constexpr int kRowExclusive = 3, kShare = 5;
constexpr std::uint32_t kNobody = UINT32_MAX;

// The modes that conflict with this one, or with one of these.
LockModes conflicts_of_mode(int mode) noexcept;
LockModes conflicts_of(LockModes modes) noexcept;

// Sessions are numbered from 0 by the caller.
struct LockHolder {
	std::uint32_t session;
	LockModes held;
};

struct LockWaiter {
	std::uint32_t session;
	int wanted;
	Micros since; // 0: not known yet
};

struct ContendedLock {
	bool of_relation = false;
	std::vector<LockHolder> holders; // who waits as well is in both
	std::vector<LockWaiter> queue;   // in its order, which is not always that of time
};

struct LockNode {
	std::uint32_t session;
	std::uint32_t parent = kNobody; // place of the node in the result; nobody above a root
	int depth = 0;
	std::uint32_t blocked = 0; // sessions that wait behind it, directly or not
	bool circle = false;       // it waits for itself in the end
	// What it waits for, in case it does; of several the wait that the parent is in the way of.
	std::uint32_t lock = kNobody, place = 0; // which lock, where in its queue
	int in_the_way = 0;                      // the strongest mode of the parent that conflicts
	bool in_the_way_is_held = false;         // or else is only ahead in the queue
	bool queued_ddl = false; // its wait for a relation keeps readers or writers waiting behind it
	std::vector<std::uint32_t> blockers; // sessions that it waits for directly
};

// Each session once, parents before children: roots by how many wait behind them, children by how
// long they wait. A session stands as near to a root as it can. In a circle whoever has waited
// longest stands for the root. `blockers` are those that do not wait, and of the others the
// `most_waiting` that have waited longest.
std::vector<LockNode> lock_forest(std::uint32_t sessions, const std::vector<ContendedLock> &locks,
								  std::size_t most_waiting);

} // namespace pgdba
