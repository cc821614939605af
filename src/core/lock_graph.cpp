#include "pgdba/core/lock_graph.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <limits>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// The table of conflicts in the server's documentation of explicit locking.
enum Mode {
	kAccessShare = 1,
	kRowShare = 2,
	kShareUpdateExclusive = 4,
	kShareRowExclusive = 6,
	kExclusive = 7,
	kAccessExclusive = 8
};

constexpr LockModes modes_from(int first) {
	LockModes modes = 0;
	for (int mode = first; mode <= kMostLockModes; ++mode)
		modes |= LockModes{1} << mode;
	return modes;
}

constexpr std::array<LockModes, kMostLockModes + 1> kConflicts = {0,
																  modes_from(kAccessExclusive),
																  modes_from(kExclusive),
																  modes_from(kShare),
																  modes_from(kShareUpdateExclusive),
																  modes_from(kRowExclusive) &
																	  ~(LockModes{1} << kShare),
																  modes_from(kRowExclusive),
																  modes_from(kRowShare),
																  modes_from(kAccessShare)};

// Rows of bits, one for each node.
class BitRows {
public:
	BitRows(std::size_t rows, std::size_t bits)
		: width_((bits + 63) / 64), words_(rows * width_, 0) {}
	void set(std::size_t row, std::size_t bit) {
		words_[row * width_ + bit / 64] |= std::uint64_t{1} << bit % 64;
	}
	bool has(std::size_t row, std::size_t bit) const {
		return (words_[row * width_ + bit / 64] >> bit % 64 & 1) != 0;
	}
	// RETURNS: whether that added anything.
	bool add(std::size_t row, std::size_t other) {
		std::uint64_t added = 0;
		for (std::size_t i = 0; i < width_; ++i) {
			std::uint64_t &word = words_[row * width_ + i];
			const std::uint64_t more = words_[other * width_ + i] & ~word;
			word |= more;
			added |= more;
		}
		return added != 0;
	}
	std::uint32_t count(std::size_t row) const {
		int bits = 0;
		for (std::size_t i = 0; i < width_; ++i)
			bits += std::popcount(words_[row * width_ + i]);
		return static_cast<std::uint32_t>(bits);
	}

private:
	std::size_t width_;
	std::vector<std::uint64_t> words_;
};

class Graph {
public:
	Graph(std::uint32_t sessions, const std::vector<ContendedLock> &locks)
		: locks_(locks), sessions_(sessions), claims_(sessions), waits_(sessions), nodes_(sessions),
		  shown_(sessions, kNobody), placed_(sessions, false) {
		for (std::uint32_t lock = 0; lock < locks.size(); ++lock)
			add(lock);
	}

	std::vector<LockNode> forest(std::size_t most_waiting) {
		count_blocked();
		place_all();
		for (std::uint32_t session = 0; session < sessions_; ++session) {
			nodes_[session].session = session;
			nodes_[session].blockers = blockers(session, most_waiting);
			explain(session);
		}
		return in_order();
	}

private:
	// A place in a queue, or its end. The slots of a lock follow each other.
	struct Slot {
		std::uint32_t lock, place;
		// The first from here on that wants that mode: a slot.
		std::array<std::uint32_t, kMostLockModes + 1> next;
	};
	// What a session does to those in a queue from a slot on: whoever wants one of these modes
	// waits.
	struct Claim {
		std::uint32_t slot;
		LockModes blocked;
	};

	const LockWaiter &waiter(const Slot &slot) const { return locks_[slot.lock].queue[slot.place]; }

	void add(std::uint32_t lock) {
		const ContendedLock &contended = locks_[lock];
		const auto first = static_cast<std::uint32_t>(slots_.size());
		const auto length = static_cast<std::uint32_t>(contended.queue.size());
		slots_.resize(slots_.size() + length + 1);
		slots_.back() = {lock, length, {}};
		slots_.back().next.fill(kNobody);
		for (std::uint32_t place = length; place-- > 0;) {
			const LockWaiter &wait = contended.queue[place];
			Slot &slot = slots_[first + place];
			slot = {lock, place, slots_[first + place + 1].next};
			slot.next[wait.wanted] = first + place;
			claims_[wait.session].push_back({first + place + 1, kConflicts[wait.wanted]});
			waits_[wait.session].push_back(first + place);
		}
		for (const LockHolder &holder : contended.holders)
			claims_[holder.session].push_back({first, conflicts_of(holder.held)});
	}

	// Nodes are sessions, and then slots: a slot stands for its waiter and all behind it that want
	// the same mode. Gives the nodes that wait directly behind one.
	template <class Visit> void behind(std::uint32_t node, Visit visit) const {
		if (node < sessions_) {
			for (const Claim &claim : claims_[node])
				for (int mode = 1; mode <= kMostLockModes; ++mode)
					if ((claim.blocked >> mode & 1) != 0)
						if (const auto slot = slots_[claim.slot].next[mode]; slot != kNobody)
							visit(sessions_ + slot);
			return;
		}
		const Slot &slot = slots_[node - sessions_];
		if (slot.place == locks_[slot.lock].queue.size())
			return;
		visit(waiter(slot).session);
		const Slot &rest = slots_[node - sessions_ + 1];
		if (const auto next = rest.next[waiter(slot).wanted]; next != kNobody)
			visit(sessions_ + next);
	}

	// Those behind a node come before it, but for circles.
	std::vector<std::uint32_t> deepest_first() const {
		const auto count = static_cast<std::uint32_t>(sessions_ + slots_.size());
		std::vector<std::uint32_t> order, stack;
		std::vector<bool> seen(count, false), done(count, false);
		for (std::uint32_t from = 0; from < count; ++from) {
			stack.push_back(from);
			while (!stack.empty()) {
				const std::uint32_t node = stack.back();
				if (!seen[node]) {
					seen[node] = true;
					behind(node, [&](std::uint32_t next) {
						if (!seen[next])
							stack.push_back(next);
					});
					continue;
				}
				stack.pop_back();
				if (!done[node]) {
					done[node] = true;
					order.push_back(node);
				}
			}
		}
		return order;
	}

	// Everybody behind a node: what is behind those behind it. One pass does it, circles take more.
	void count_blocked() {
		BitRows reach(sessions_ + slots_.size(), sessions_);
		const std::vector<std::uint32_t> order = deepest_first();
		for (bool more = true; more;) {
			more = false;
			for (const std::uint32_t node : order)
				behind(node, [&](std::uint32_t next) {
					if (node >= sessions_ && next < sessions_ && !reach.has(node, next)) {
						reach.set(node, next);
						more = true;
					}
					more = reach.add(node, next) || more;
				});
		}
		for (std::uint32_t session = 0; session < sessions_; ++session) {
			LockNode &node = nodes_[session];
			const bool itself = reach.has(session, session);
			node.blocked = reach.count(session) - (itself ? 1 : 0);
			node.circle = itself && waits_for_one_behind(session, reach);
		}
	}

	// That it is behind itself may come from its own lock alone, which is in nobody's way but
	// others'.
	bool waits_for_one_behind(std::uint32_t session, const BitRows &reach) const {
		const std::vector<std::uint32_t> all =
			blockers(session, std::numeric_limits<std::size_t>::max());
		return std::ranges::any_of(
			all, [&](std::uint32_t blocker) { return reach.has(session, blocker); });
	}

	// Since when a session has waited: what has no time yet has just begun.
	Micros since(std::uint32_t session) const {
		Micros first = std::numeric_limits<Micros>::max();
		for (const std::uint32_t slot : waits_[session])
			if (const Micros time = waiter(slots_[slot]).since; time != 0)
				first = std::min(first, time);
		return first;
	}

	bool earlier(std::uint32_t left, std::uint32_t right) const {
		const Micros a = since(left), b = since(right);
		return a != b ? a < b : left < right;
	}

	// By breadth, from all roots at once; then from whoever stands for the root of a circle.
	void place_all() {
		std::deque<std::uint32_t> queue;
		std::vector<bool> passed(slots_.size(), false);
		std::vector<std::uint32_t> roots, circles;
		for (std::uint32_t session = 0; session < sessions_; ++session)
			(waits_[session].empty() ? roots : circles).push_back(session);
		std::ranges::stable_sort(roots, [&](std::uint32_t left, std::uint32_t right) {
			return nodes_[left].blocked > nodes_[right].blocked;
		});
		std::ranges::sort(
			circles, [&](std::uint32_t left, std::uint32_t right) { return earlier(left, right); });
		for (const std::uint32_t root : roots) {
			placed_[root] = true;
			queue.push_back(root);
		}
		roots_ = roots;
		place_behind(queue, passed);
		for (const std::uint32_t session : circles) {
			if (placed_[session])
				continue;
			placed_[session] = true;
			roots_.push_back(session);
			queue.push_back(session);
			place_behind(queue, passed);
		}
	}

	// A slot that was passed has all of its mode behind it passed too.
	void place_behind(std::deque<std::uint32_t> &queue, std::vector<bool> &passed) {
		for (; !queue.empty(); queue.pop_front()) {
			const std::uint32_t above = queue.front();
			behind(above, [&](std::uint32_t node) {
				for (std::uint32_t slot = node - sessions_; slot != kNobody && !passed[slot];
					 slot = slots_[slot + 1].next[waiter(slots_[slot]).wanted]) {
					passed[slot] = true;
					const std::uint32_t session = waiter(slots_[slot]).session;
					if (placed_[session])
						continue;
					placed_[session] = true;
					nodes_[session].parent = above; // a session for now
					nodes_[session].depth = nodes_[above].depth + 1;
					shown_[session] = slot;
					queue.push_back(session);
				}
			});
		}
	}

	void explain(std::uint32_t session) {
		LockNode &node = nodes_[session];
		if (waits_[session].empty())
			return;
		if (shown_[session] == kNobody)
			shown_[session] = *std::ranges::min_element(
				waits_[session], [&](std::uint32_t left, std::uint32_t right) {
					return waiter(slots_[left]).since < waiter(slots_[right]).since;
				});
		const std::uint32_t slot = shown_[session];
		node.lock = slots_[slot].lock;
		node.place = slots_[slot].place;
		const ContendedLock &lock = locks_[node.lock];
		const LockModes conflicts = kConflicts[lock.queue[node.place].wanted];
		const auto strongest = [conflicts](LockModes modes) {
			return std::bit_width(modes & conflicts) == 0 ? 0
														  : std::bit_width(modes & conflicts) - 1;
		};
		for (const LockHolder &holder : lock.holders)
			if (holder.session == node.parent)
				node.in_the_way = std::max<int>(node.in_the_way, strongest(holder.held));
		node.in_the_way_is_held = node.in_the_way != 0;
		for (std::uint32_t ahead = 0; !node.in_the_way_is_held && ahead < node.place; ++ahead)
			if (lock.queue[ahead].session == node.parent)
				node.in_the_way =
					std::max<int>(node.in_the_way, strongest(1U << lock.queue[ahead].wanted));
		if (lock.of_relation && lock.queue[node.place].wanted >= kShare)
			for (int mode = 1; mode <= kRowExclusive; ++mode)
				node.queued_ddl = node.queued_ddl || ((conflicts >> mode & 1) != 0 &&
													  slots_[slot + 1].next[mode] != kNobody);
	}

	std::vector<std::uint32_t> blockers(std::uint32_t session, std::size_t most_waiting) const {
		std::vector<std::uint32_t> idle, waiting;
		const auto take = [&](std::uint32_t other) {
			if (other == session)
				return;
			auto &list = waits_[other].empty() ? idle : waiting;
			list.push_back(other);
		};
		const auto distinct = [](std::vector<std::uint32_t> &list) {
			std::ranges::sort(list);
			list.erase(std::unique(list.begin(), list.end()), list.end());
		};
		for (const std::uint32_t slot : waits_[session]) {
			const ContendedLock &lock = locks_[slots_[slot].lock];
			const LockModes conflicts = kConflicts[waiter(slots_[slot]).wanted];
			for (const LockHolder &holder : lock.holders)
				if ((holder.held & conflicts) != 0)
					take(holder.session);
			// Those ahead have mostly waited longer: no need to look at all.
			std::size_t ahead_of_it = 0;
			for (std::uint32_t place = 0; place < slots_[slot].place && ahead_of_it < most_waiting;
				 ++place)
				if ((conflicts >> lock.queue[place].wanted & 1) != 0) {
					take(lock.queue[place].session);
					++ahead_of_it;
				}
		}
		distinct(idle);
		distinct(waiting);
		std::ranges::sort(
			waiting, [&](std::uint32_t left, std::uint32_t right) { return earlier(left, right); });
		waiting.resize(std::min(waiting.size(), most_waiting));
		idle.insert(idle.end(), waiting.begin(), waiting.end());
		return idle;
	}

	std::vector<LockNode> in_order() {
		std::vector<std::vector<std::uint32_t>> children(sessions_);
		for (std::uint32_t session = 0; session < sessions_; ++session)
			if (nodes_[session].parent != kNobody)
				children[nodes_[session].parent].push_back(session);
		std::vector<std::uint32_t> stack(roots_.rbegin(), roots_.rend()), place(sessions_, 0);
		std::vector<LockNode> result;
		result.reserve(sessions_);
		while (!stack.empty()) {
			const std::uint32_t session = stack.back();
			stack.pop_back();
			place[session] = static_cast<std::uint32_t>(result.size());
			result.push_back(std::move(nodes_[session]));
			if (std::uint32_t &parent = result.back().parent; parent != kNobody)
				parent = place[parent];
			auto &below = children[session];
			std::ranges::sort(below, [&](std::uint32_t left, std::uint32_t right) {
				return earlier(right, left);
			});
			stack.insert(stack.end(), below.begin(), below.end());
		}
		return result;
	}

	const std::vector<ContendedLock> &locks_;
	const std::uint32_t sessions_;
	std::vector<Slot> slots_;
	std::vector<std::vector<Claim>> claims_;        // of each session
	std::vector<std::vector<std::uint32_t>> waits_; // of each session: slots
	std::vector<LockNode> nodes_;                   // by session
	std::vector<std::uint32_t> shown_;              // by session: the slot that it is shown in
	std::vector<bool> placed_;
	std::vector<std::uint32_t> roots_;
};

} // namespace

LockModes conflicts_of_mode(int mode) noexcept {
	return mode >= 1 && mode <= kMostLockModes ? kConflicts[mode] : 0;
}

LockModes conflicts_of(LockModes modes) noexcept {
	LockModes conflicts = 0;
	for (int mode = 1; mode <= kMostLockModes; ++mode)
		if ((modes >> mode & 1) != 0)
			conflicts |= kConflicts[mode];
	return conflicts;
}

std::vector<LockNode> lock_forest(std::uint32_t sessions, const std::vector<ContendedLock> &locks,
								  std::size_t most_waiting) {
	return Graph(sessions, locks).forest(most_waiting);
}

} // namespace pgdba
