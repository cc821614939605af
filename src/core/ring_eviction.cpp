// What the memory ring gives up when it is full, and the proof that it is whole. See
// ring_arena.hpp.
//
// First whole groups, the one whose newest entry is oldest; when every group is needed, single
// differences out of the needed groups, the oldest first: each depends on its keyframe only, so
// those around it stay readable. What is never given up is at most four entries per stream, so a
// group that grows for ever cannot choke the ring.
#include "pgdba/core/ring_arena.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

void RingArena::Needed::add(const RingArena &arena, std::uint32_t entry) noexcept {
	for (const std::uint32_t one : {entry, entry == 0 ? 0 : arena.node(entry).keyframe})
		if (one != 0 && !has(one))
			entries[count++] = one;
}

bool RingArena::Needed::has(std::uint32_t entry) const noexcept {
	for (int i = 0; i < count; ++i)
		if (entries[i] == entry)
			return true;
	return false;
}

RingArena::Needed RingArena::needed(const RingStream &stream,
									const Writing &writing) const noexcept {
	Needed result;
	const std::uint32_t latest = stream.newest;
	const std::uint32_t second = latest == 0 ? 0 : node(latest).older;
	result.add(*this, latest);
	if (&stream != writing.stream) {
		result.add(*this, second);
		return result;
	}
	// The new entry takes the place of the second latest, unless it is placed before it.
	if (second != 0 && stream.injected != 0 && writing.sampled_at < node(second).sampled_at)
		result.add(*this, second);
	result.add(*this, writing.base);
	return result;
}

bool RingArena::make_room(std::uint32_t blocks, const RingStream &writing, std::uint32_t base,
						  Micros sampled_at) noexcept {
	const RingHeader &h = header();
	if (h.free_blocks >= blocks)
		return true;
	const Writing what{&writing, base, sampled_at};
	std::uint64_t kept = 0;
	for (int i = 0; i < MemoryRing::kMaxStreams; ++i) {
		const Needed set = needed(stream(i), what);
		for (int k = 0; k < set.count; ++k)
			kept += blocks_for(node(set.entries[k]).length);
	}
	if (kept + blocks > h.blocks)
		return false;
	while (h.free_blocks < blocks)
		if (!evict_group(what) && !evict_difference(what))
			return false;
	return true;
}

// A group is needed when its keyframe is. At most five are, so few are looked at per stream.
bool RingArena::evict_group(const Writing &writing) noexcept {
	RingStream *owner = nullptr;
	std::uint32_t victim = 0;
	for (int i = 0; i < MemoryRing::kMaxStreams; ++i) {
		RingStream &s = stream(i);
		if (s.first_group == 0)
			continue;
		const Needed set = needed(s, writing);
		std::uint32_t group = s.first_group;
		while (group != 0 && set.has(group))
			group = node(group).next_group;
		if (group != 0 &&
			(victim == 0 || node(group).group_sequence < node(victim).group_sequence)) {
			victim = group;
			owner = &s;
		}
	}
	if (victim == 0)
		return false;
	header().evicted += remove_group(*owner, victim);
	return true;
}

bool RingArena::evict_difference(const Writing &writing) noexcept {
	RingStream *owner = nullptr;
	std::uint32_t victim = 0;
	for (int i = 0; i < MemoryRing::kMaxStreams; ++i) {
		RingStream &s = stream(i);
		if (s.first_group == 0)
			continue;
		const Needed set = needed(s, writing);
		for (int k = 0; k < set.count; ++k) {
			if (!is_keyframe(set.entries[k]))
				continue;
			std::uint32_t entry = node(set.entries[k]).group_next;
			while (entry != 0 && set.has(entry))
				entry = node(entry).group_next;
			if (entry != 0 && (victim == 0 || block(entry).sequence < block(victim).sequence)) {
				victim = entry;
				owner = &s;
			}
		}
	}
	if (victim == 0)
		return false;
	remove_difference(*owner, victim);
	++header().evicted;
	return true;
}

// Walks everything once, never longer than there are blocks, and reads nothing outside the arena,
// whatever the bytes.
bool RingArena::consistent() const noexcept {
	const RingHeader &h = header();
	const auto inside = [&](std::uint32_t number) { return number >= 1 && number <= h.blocks; };
	std::uint64_t seen = 0, entries = 0;
	const auto whole_entry = [&](std::uint32_t first) {
		const std::uint64_t sequence = block(first).sequence;
		std::uint32_t left = blocks_for(node(first).length);
		if (sequence == 0 || sequence > h.sequence)
			return false;
		std::uint32_t number = first;
		for (; left > 0 && inside(number) && block(number).sequence == sequence; --left, ++seen)
			number = block(number).next;
		return left == 0 && number == 0 && seen <= h.blocks;
	};

	for (int i = 0; i < MemoryRing::kMaxStreams; ++i) {
		const RingStream &s = stream(i);
		if (s.name[MemoryRing::kNameBytes - 1] != '\0' || (s.name[0] == '\0' && s.oldest != 0))
			return false;
		std::uint64_t listed = 0, grouped = 0;
		std::uint32_t older = 0;
		for (std::uint32_t entry = s.oldest; entry != 0; entry = node(entry).newer) {
			if (!inside(entry) || node(entry).older != older || !whole_entry(entry) ||
				!inside(node(entry).keyframe))
				return false;
			if (older != 0 && s.disordered == 0 && node(older).sampled_at > node(entry).sampled_at)
				return false;
			older = entry;
			++listed;
		}
		std::uint32_t last_group = 0;
		bool based = s.base == 0;
		for (std::uint32_t group = s.first_group; group != 0; group = node(group).next_group) {
			if (!inside(group))
				return false;
			std::uint32_t last = group;
			for (std::uint32_t entry = group; entry != 0; entry = node(entry).group_next) {
				if (!inside(entry) || node(entry).keyframe != group || ++grouped > listed)
					return false;
				last = entry;
			}
			if (node(group).group_last != last)
				return false;
			based = based || s.base == group;
			last_group = group;
		}
		if (s.newest != older || s.last_group != last_group || listed != grouped || !based)
			return false;
		entries += listed;
	}

	std::uint64_t free = 0;
	for (std::uint32_t number = h.free_head; number != 0; number = block(number).next)
		if (!inside(number) || block(number).sequence != 0 || ++free > h.blocks)
			return false;
	return free == h.free_blocks && seen + free == h.blocks && entries == h.entries;
}

} // namespace pgdba
