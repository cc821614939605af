#include "pgdba/core/memory_ring.hpp"
#include "pgdba/core/ring_arena.hpp"

#include <algorithm>
#include <cstring>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::uint64_t kMagic = 0x676E697261626467; // "gdbaring"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kLargestEntry = 1024 * 1024; // a copy under the lock stays short

bool in_use(const RingArena &arena, int stream) noexcept {
	return stream >= 0 && stream < MemoryRing::kMaxStreams && arena.stream(stream).name[0] != '\0';
}

RingEntry reference(const RingArena &arena, std::uint32_t block) noexcept {
	const RingNode &node = arena.node(block);
	RingEntry entry;
	entry.block = block;
	entry.sequence = arena.block(block).sequence;
	entry.sampled_at = node.sampled_at;
	entry.length = node.length;
	entry.keyframe = node.keyframe == block;
	entry.keyframe_block = node.keyframe;
	entry.keyframe_sequence = arena.block(node.keyframe).sequence;
	entry.keyframe_length = arena.node(node.keyframe).length;
	return entry;
}

} // namespace

void MemoryRing::initialise() noexcept {
	RingArena arena(base_);
	std::memset(base_, 0, RingArena::kArenaOffset);
	RingHeader &h = arena.header();
	h.size = size_;
	h.version = kVersion;
	arena.free_all(RingArena::blocks_in(size_));
	h.magic = kMagic;
}

bool MemoryRing::valid() const noexcept {
	if (size_ < kMinBytes)
		return false;
	const RingHeader &h = RingArena(base_).header();
	return h.magic == kMagic && h.version == kVersion && h.size == size_ &&
		   h.blocks == RingArena::blocks_in(size_);
}

bool MemoryRing::consistent() const noexcept {
	return valid() && RingArena(base_).consistent();
}

int MemoryRing::find_stream(std::string_view name, bool injected) const noexcept {
	if (name.empty() || name.size() >= kNameBytes)
		return -1;
	const RingArena arena(base_);
	for (int i = 0; i < kMaxStreams; ++i) {
		const RingStream &s = arena.stream(i);
		if (s.name[0] != '\0' && (s.injected != 0) == injected && name == s.name)
			return i;
	}
	return -1;
}

int MemoryRing::open_stream(std::string_view name, bool injected) noexcept {
	const int found = find_stream(name, injected);
	if (found >= 0 || name.empty() || name.size() >= kNameBytes ||
		name.find('\0') != std::string_view::npos)
		return found;
	RingArena arena(base_);
	for (int i = 0; i < kMaxStreams; ++i) {
		RingStream &s = arena.stream(i);
		if (s.name[0] != '\0')
			continue;
		s = RingStream{};
		std::memcpy(s.name, name.data(), name.size());
		s.injected = injected;
		return i;
	}
	return -1;
}

void MemoryRing::drop_stream(int stream) noexcept {
	RingArena arena(base_);
	if (!in_use(arena, stream))
		return;
	RingStream &s = arena.stream(stream);
	while (s.first_group != 0)
		arena.remove_group(s, s.first_group);
	s = RingStream{};
	++arena.header().generation;
}

bool MemoryRing::stream_name(int stream, char *name, bool *injected) const noexcept {
	const RingArena arena(base_);
	if (!in_use(arena, stream))
		return false;
	std::memcpy(name, arena.stream(stream).name, kNameBytes);
	*injected = arena.stream(stream).injected != 0;
	return true;
}

std::size_t MemoryRing::max_entry_bytes() const noexcept {
	const std::size_t arena = std::size_t{RingArena::blocks_in(size_)} * RingArena::kBlockBytes;
	return std::min(arena / 16, kLargestEntry);
}

bool MemoryRing::append(int stream, Micros sampled_at, bool keyframe, const char *payload,
						std::size_t length) noexcept {
	RingArena arena(base_);
	if (!in_use(arena, stream))
		return false;
	RingStream &s = arena.stream(stream);
	const std::uint32_t base = keyframe ? 0 : s.base;
	if (length > max_entry_bytes() || (!keyframe && base == 0) ||
		!arena.make_room(RingArena::blocks_for(length), s, base, sampled_at)) {
		++arena.header().refused;
		return false;
	}
	std::uint32_t older = s.newest;
	if (s.injected != 0)
		while (older != 0 && arena.node(older).sampled_at > sampled_at)
			older = arena.node(older).older;
	else if (older != 0 && arena.node(older).sampled_at > sampled_at)
		s.disordered = 1;
	const std::uint32_t entry = arena.store(payload, static_cast<std::uint32_t>(length));
	arena.node(entry).sampled_at = sampled_at;
	arena.link(s, entry, older, keyframe ? entry : base);
	++arena.header().generation;
	return true;
}

std::size_t MemoryRing::list(int stream, Micros since, Micros until, RingEntry *out,
							 std::size_t max) const noexcept {
	const RingArena arena(base_);
	if (!in_use(arena, stream))
		return 0;
	const RingStream &s = arena.stream(stream);
	std::size_t count = 0;
	std::uint32_t before = 0; // the newest one older than `since`
	for (std::uint32_t i = s.newest; i != 0 && count < max; i = arena.node(i).older) {
		const Micros at = arena.node(i).sampled_at;
		if (at >= since) {
			if (at <= until)
				out[count++] = reference(arena, i);
			continue;
		}
		if (before == 0 || at > arena.node(before).sampled_at)
			before = i;
		if (s.disordered == 0)
			break;
	}
	if (before != 0 && count < max)
		out[count++] = reference(arena, before);
	std::reverse(out, out + count);
	return count;
}

std::size_t MemoryRing::list_after(int stream, std::uint64_t sequence, RingEntry *out,
								   std::size_t max) const noexcept {
	const RingArena arena(base_);
	if (!in_use(arena, stream) || arena.stream(stream).injected != 0)
		return 0;
	std::size_t count = 0;
	// A live stream is in the order in which it was appended to, whatever the clock did.
	for (std::uint32_t i = arena.stream(stream).newest;
		 i != 0 && count < max && arena.block(i).sequence > sequence; i = arena.node(i).older)
		out[count++] = reference(arena, i);
	return count;
}

bool MemoryRing::copy(const RingEntry &entry, char *out) const noexcept {
	return RingArena(base_).load(entry.block, entry.sequence, entry.length, out);
}

bool MemoryRing::copy_keyframe(const RingEntry &entry, char *out) const noexcept {
	return RingArena(base_).load(entry.keyframe_block, entry.keyframe_sequence,
								 entry.keyframe_length, out);
}

bool MemoryRing::span(int stream, Micros *oldest, Micros *newest) const noexcept {
	const RingArena arena(base_);
	if (!in_use(arena, stream) || arena.stream(stream).oldest == 0)
		return false;
	*oldest = arena.node(arena.stream(stream).oldest).sampled_at;
	*newest = arena.node(arena.stream(stream).newest).sampled_at;
	return true;
}

std::uint64_t MemoryRing::generation() const noexcept {
	return RingArena(base_).header().generation;
}

RingUsage MemoryRing::usage() const noexcept {
	const RingArena arena(base_);
	const RingHeader &h = arena.header();
	RingUsage usage;
	usage.blocks = h.blocks;
	usage.free_blocks = h.free_blocks;
	usage.block_bytes = RingArena::kBlockBytes;
	usage.entries = h.entries;
	usage.evicted = h.evicted;
	usage.refused = h.refused;
	for (int i = 0; i < kMaxStreams; ++i)
		usage.streams += in_use(arena, i);
	return usage;
}

} // namespace pgdba
