// The memory ring: the recent past of every probe in one fixed piece of shared memory.
//
// Layout: a header, a directory of streams (one per probe, and one per probe for injected samples),
// and an arena of blocks of equal size. An entry (one encoded payload) is a chain of blocks; a
// stream is a list of entries by time.
//
// Entries come in groups: a keyframe and its differences. Eviction frees the oldest group of any
// stream that is not needed for that stream's latest two samples; so a slow probe is never pushed
// out by a fast one. When all groups are needed it frees single old differences inside them; when
// even that is not enough, the entry is refused. So is an entry that is larger than
// max_entry_bytes() (the caller cuts the sample and counts that).
//
// Only offsets and plain values inside: the bytes mean the same in every process. A copy in a file
// holds the payloads instead (ring_copy.hpp): it outlives this layout, and the ring's size.
//
// THREADING: the caller holds the ring's lock: exclusive for initialise, open_stream, append,
// drop_stream; shared for the rest. All functions are noexcept, allocate nothing, call nothing of
// the server: safe under an LWLock.
#pragma once

#include "pgdba/core/sample.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgdba {

// A reference to one kept payload; valid until evicted (copy() then says so).
struct RingEntry {
	std::uint32_t block = 0;    // first block
	std::uint64_t sequence = 0; // unique for the life of the ring
	Micros sampled_at = 0;
	std::uint32_t length = 0; // bytes of the payload
	bool keyframe = false;
	std::uint32_t keyframe_block = 0; // of its keyframe; its own when it is one
	std::uint64_t keyframe_sequence = 0;
	std::uint32_t keyframe_length = 0;
};

struct RingUsage {
	std::uint64_t blocks = 0, free_blocks = 0, block_bytes = 0;
	std::uint64_t entries = 0, evicted = 0, refused = 0, streams = 0;
};

class MemoryRing {
public:
	static constexpr int kMaxStreams = 512;
	static constexpr std::size_t kNameBytes = 64; // including the terminator

	MemoryRing(void *base, std::size_t size) noexcept
		: base_(static_cast<std::byte *>(base)), size_(size) {}

	static constexpr std::size_t kMinBytes = 512 * 1024;
	void initialise() noexcept;       // REQUIRES: size >= kMinBytes
	bool valid() const noexcept;      // the header's magic and sizes fit
	bool consistent() const noexcept; // and every list and block

	// RETURNS: stream number, -1 when there is none (or, for open_stream, no free place).
	int find_stream(std::string_view name, bool injected) const noexcept;
	int open_stream(std::string_view name, bool injected) noexcept;
	void drop_stream(int stream) noexcept;
	// Copies the name of stream number i into `name` (kNameBytes); RETURNS false when that place is
	// free.
	bool stream_name(int stream, char *name, bool *injected) const noexcept;

	// A difference belongs to the keyframe that was last appended to its stream.
	// RETURNS: false when refused (too large, no room, or a difference whose keyframe is gone). An
	// entry older than the newest is placed by time only in injected streams; in a live one the
	// clock went back: it is the newest.
	bool append(int stream, Micros sampled_at, bool keyframe, const char *payload,
				std::size_t length) noexcept;
	std::size_t max_entry_bytes() const noexcept;

	// Entries with since <= sampled_at <= until, oldest first, and before them the newest one older
	// than `since`. Writes at most `max` of the newest of these. RETURNS how many.
	std::size_t list(int stream, Micros since, Micros until, RingEntry *out,
					 std::size_t max) const noexcept;
	// Entries of a live stream that were appended after `sequence`, newest first, at most `max`.
	// RETURNS how many; 0 for an injected stream.
	std::size_t list_after(int stream, std::uint64_t sequence, RingEntry *out,
						   std::size_t max) const noexcept;
	// Copies a payload (or its keyframe's). RETURNS false when it was evicted meanwhile; `out`
	// holds length bytes.
	bool copy(const RingEntry &entry, char *out) const noexcept;
	bool copy_keyframe(const RingEntry &entry,
					   char *out) const noexcept; // out holds keyframe_length bytes

	// Oldest and newest sampled_at of a stream. RETURNS false when it is empty.
	bool span(int stream, Micros *oldest, Micros *newest) const noexcept;

	// Goes up with every append; a renderer caches its text per generation.
	std::uint64_t generation() const noexcept;
	RingUsage usage() const noexcept;

private:
	std::byte *base_;
	std::size_t size_;
};

} // namespace pgdba
