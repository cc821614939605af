// The inside of the memory ring: its layout, the arena of blocks, and the lists of entries.
// For memory_ring.cpp only.
//
// Layout: RingHeader, kMaxStreams of RingStream, blocks of kBlockBytes. A block is named by its
// number, from 1; 0 is no block. Every block of an entry carries the entry's sequence, a free one
// 0: so a reference that outlived its entry is found out whatever the payloads hold.
//
// An entry is in one list by time (older, newer: its stream's), and in its group (the keyframe,
// then its differences in the order they came). A stream's groups are a list too, in the order
// their keyframes came.
//
// Invariant: every block is free or belongs to exactly one entry of exactly one stream.
#pragma once

#include "pgdba/core/memory_ring.hpp"

namespace pgdba {

struct RingHeader {
	std::uint64_t magic;
	std::uint64_t size; // of the whole piece
	std::uint32_t version;
	std::uint32_t blocks;
	std::uint32_t free_head;
	std::uint32_t free_blocks;
	std::uint64_t sequence; // the last one given
	std::uint64_t generation;
	std::uint64_t entries, evicted, refused;
};

struct RingStream {
	char name[MemoryRing::kNameBytes]; // empty: a free place
	std::uint32_t oldest, newest;      // by time
	std::uint32_t first_group, last_group;
	std::uint32_t base; // the keyframe that a difference belongs to; 0: evicted, or none yet
	std::uint8_t injected;
	std::uint8_t
		disordered; // the clock went back in a live stream: times do not grow along the list
	std::uint16_t reserved;
};

struct RingBlock {
	std::uint64_t sequence;
	std::uint32_t next; // block of the same entry, or free block
	std::uint32_t reserved;
};

// Follows RingBlock in the first block of an entry; then the payload begins.
struct RingNode {
	Micros sampled_at;
	std::uint64_t group_sequence; // in a keyframe: of the newest entry of its group
	std::uint32_t length;
	std::uint32_t older, newer;
	std::uint32_t keyframe;   // its own block when it is one
	std::uint32_t group_next; // the next difference of the group
	std::uint32_t group_last; // in a keyframe: the newest difference, or the keyframe itself
	std::uint32_t next_group; // in a keyframe
	std::uint32_t reserved;
};

class RingArena {
public:
	static constexpr std::uint32_t kBlockBytes = 256;
	static constexpr std::uint32_t kHeadRoom = kBlockBytes - sizeof(RingBlock) - sizeof(RingNode);
	static constexpr std::uint32_t kRoom = kBlockBytes - sizeof(RingBlock);
	static constexpr std::size_t kArenaOffset =
		(sizeof(RingHeader) + MemoryRing::kMaxStreams * sizeof(RingStream) + kBlockBytes - 1) /
		kBlockBytes * kBlockBytes;

	explicit RingArena(std::byte *base) noexcept : base_(base) {}

	static std::uint32_t blocks_in(std::size_t size) noexcept;
	static std::uint32_t blocks_for(std::size_t length) noexcept {
		return length <= kHeadRoom
				   ? 1
				   : 1 + static_cast<std::uint32_t>((length - kHeadRoom + kRoom - 1) / kRoom);
	}

	RingHeader &header() const noexcept { return *reinterpret_cast<RingHeader *>(base_); }
	RingStream &stream(int i) const noexcept {
		return reinterpret_cast<RingStream *>(base_ + sizeof(RingHeader))[i];
	}
	RingBlock &block(std::uint32_t number) const noexcept {
		return *reinterpret_cast<RingBlock *>(at(number));
	}
	RingNode &node(std::uint32_t number) const noexcept {
		return *reinterpret_cast<RingNode *>(at(number) + sizeof(RingBlock));
	}
	bool is_keyframe(std::uint32_t number) const noexcept {
		return node(number).keyframe == number;
	}

	void free_all(std::uint32_t blocks) noexcept;
	// REQUIRES: blocks_for(length) free blocks. RETURNS: the first block, its node zeroed but for
	// the length.
	std::uint32_t store(const char *payload, std::uint32_t length) noexcept;
	// RETURNS: false when that entry is gone.
	bool load(std::uint32_t first, std::uint64_t sequence, std::uint32_t length,
			  char *out) const noexcept;

	// Puts a stored entry behind `older` (0: it is the oldest), and into its group.
	void link(RingStream &stream, std::uint32_t entry, std::uint32_t older,
			  std::uint32_t keyframe) noexcept;
	// Takes one difference out of its group and list, and frees it.
	void remove_difference(RingStream &stream, std::uint32_t entry) noexcept;
	// Takes a keyframe and all its differences out, and frees them. RETURNS: how many entries.
	std::uint32_t remove_group(RingStream &stream, std::uint32_t keyframe) noexcept;

	// Frees the least useful entries until `blocks` are free, but never what a stream needs: its
	// latest two samples and their keyframes. For the stream that is written to, the latest two
	// after the write count. Frees nothing when it cannot succeed. RETURNS: whether it did.
	bool make_room(std::uint32_t blocks, const RingStream &writing, std::uint32_t base,
				   Micros sampled_at) noexcept;

	bool consistent() const noexcept;

private:
	struct Needed {
		std::uint32_t entries[5] = {};
		int count = 0;
		void add(const RingArena &arena, std::uint32_t entry) noexcept;
		bool has(std::uint32_t entry) const noexcept;
	};
	struct Writing {
		const RingStream *stream;
		std::uint32_t base;
		Micros sampled_at;
	};

	std::byte *at(std::uint32_t number) const noexcept {
		return base_ + kArenaOffset + std::size_t{number - 1} * kBlockBytes;
	}
	Needed needed(const RingStream &stream, const Writing &writing) const noexcept;
	bool evict_group(const Writing &writing) noexcept;
	bool evict_difference(const Writing &writing) noexcept;
	void unlink(RingStream &stream, std::uint32_t entry) noexcept;
	void release(std::uint32_t first) noexcept;

	std::byte *base_;
};

} // namespace pgdba
