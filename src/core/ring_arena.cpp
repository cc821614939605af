// Blocks, entries, groups. See ring_arena.hpp. Nothing here allocates or waits.
#include "pgdba/core/ring_arena.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "pgdba/core/wall.hpp"

namespace pgdba {

static_assert(std::is_trivially_copyable_v<RingHeader> && std::is_trivially_copyable_v<RingStream>);
static_assert(std::is_trivially_copyable_v<RingBlock> && std::is_trivially_copyable_v<RingNode>);
static_assert(sizeof(RingHeader) % 8 == 0 && sizeof(RingBlock) == 16 && sizeof(RingNode) == 48);
static_assert(RingArena::kArenaOffset < MemoryRing::kMinBytes / 2);

std::uint32_t RingArena::blocks_in(std::size_t size) noexcept {
	return static_cast<std::uint32_t>(
		std::min<std::size_t>((size - kArenaOffset) / kBlockBytes, UINT32_MAX - 1));
}

void RingArena::free_all(std::uint32_t blocks) noexcept {
	header().blocks = header().free_blocks = blocks;
	header().free_head = 1;
	for (std::uint32_t i = 1; i <= blocks; ++i)
		block(i) = {0, i < blocks ? i + 1 : 0, 0};
}

std::uint32_t RingArena::store(const char *payload, std::uint32_t length) noexcept {
	RingHeader &h = header();
	const std::uint64_t sequence = ++h.sequence;
	const std::uint32_t first = h.free_head;
	std::uint32_t room = kHeadRoom, done = 0;
	std::size_t skip = sizeof(RingBlock) + sizeof(RingNode);
	for (std::uint32_t number = first;; number = block(number).next) {
		const std::uint32_t part = std::min(room, length - done);
		if (part > 0)
			std::memcpy(at(number) + skip, payload + done, part);
		done += part;
		block(number).sequence = sequence;
		--h.free_blocks;
		if (done == length) {
			h.free_head = block(number).next;
			block(number).next = 0;
			break;
		}
		room = kRoom;
		skip = sizeof(RingBlock);
	}
	node(first) = RingNode{};
	node(first).length = length;
	return first;
}

bool RingArena::load(std::uint32_t first, std::uint64_t sequence, std::uint32_t length,
					 char *out) const noexcept {
	const std::uint32_t blocks = header().blocks;
	if (sequence == 0 || first == 0 || first > blocks || block(first).sequence != sequence ||
		node(first).length != length)
		return false;
	std::uint32_t room = kHeadRoom, done = 0, number = first;
	std::size_t skip = sizeof(RingBlock) + sizeof(RingNode);
	for (;;) {
		const std::uint32_t part = std::min(room, length - done);
		if (part > 0)
			std::memcpy(out + done, at(number) + skip, part);
		done += part;
		if (done == length)
			return true;
		number = block(number).next;
		if (number == 0 || number > blocks || block(number).sequence != sequence)
			return false;
		room = kRoom;
		skip = sizeof(RingBlock);
	}
}

void RingArena::release(std::uint32_t first) noexcept {
	RingHeader &h = header();
	for (std::uint32_t number = first; number != 0;) {
		const std::uint32_t next = block(number).next;
		block(number).sequence = 0;
		block(number).next = h.free_head;
		h.free_head = number;
		++h.free_blocks;
		number = next;
	}
}

void RingArena::link(RingStream &stream, std::uint32_t entry, std::uint32_t older,
					 std::uint32_t keyframe) noexcept {
	RingNode &n = node(entry);
	n.older = older;
	n.newer = older == 0 ? stream.oldest : node(older).newer;
	(n.older == 0 ? stream.oldest : node(n.older).newer) = entry;
	(n.newer == 0 ? stream.newest : node(n.newer).older) = entry;

	n.keyframe = keyframe;
	if (keyframe == entry) {
		n.group_last = entry;
		(stream.last_group == 0 ? stream.first_group : node(stream.last_group).next_group) = entry;
		stream.last_group = stream.base = entry;
	} else {
		node(node(keyframe).group_last).group_next = entry;
		node(keyframe).group_last = entry;
	}
	node(keyframe).group_sequence = block(entry).sequence;
	++header().entries;
}

void RingArena::unlink(RingStream &stream, std::uint32_t entry) noexcept {
	const RingNode &n = node(entry);
	(n.older == 0 ? stream.oldest : node(n.older).newer) = n.newer;
	(n.newer == 0 ? stream.newest : node(n.newer).older) = n.older;
	if (stream.oldest == 0)
		stream.disordered = 0;
	--header().entries;
}

void RingArena::remove_difference(RingStream &stream, std::uint32_t entry) noexcept {
	const std::uint32_t keyframe = node(entry).keyframe;
	std::uint32_t before = keyframe;
	while (node(before).group_next != entry)
		before = node(before).group_next;
	node(before).group_next = node(entry).group_next;
	if (node(keyframe).group_last == entry)
		node(keyframe).group_last = before;
	unlink(stream, entry);
	release(entry);
}

std::uint32_t RingArena::remove_group(RingStream &stream, std::uint32_t keyframe) noexcept {
	std::uint32_t before = 0;
	for (std::uint32_t i = stream.first_group; i != keyframe; i = node(i).next_group)
		before = i;
	const std::uint32_t after = node(keyframe).next_group;
	(before == 0 ? stream.first_group : node(before).next_group) = after;
	if (stream.last_group == keyframe)
		stream.last_group = before;
	if (stream.base == keyframe)
		stream.base = 0;
	std::uint32_t count = 0;
	for (std::uint32_t entry = keyframe; entry != 0; ++count) {
		const std::uint32_t next = node(entry).group_next;
		unlink(stream, entry);
		release(entry);
		entry = next;
	}
	return count;
}

} // namespace pgdba
