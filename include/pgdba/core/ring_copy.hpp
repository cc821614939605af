// The memory ring's copy in a file: what survives a crash or a restart where no table is written.
//
//   copy  := head, batch*
//   head  := "pgdbacpy", version, system identifier, checksum of these
//   batch := length of the entries, checksum of that and of the entries, entry*
//   entry := sequence of its keyframe, its own sequence (varints), length, payload
//
// Numbers of head and batch have eight bytes. Entries stand in the order in which the ring took
// them: who appends them in that order has the same groups again, in a ring of any size. What came
// since is put behind as a batch more, so keeping a copy costs what is sampled, not what the ring
// holds.
//
// Whoever reads it trusts nothing: what comes before the first batch that is cut short, damaged or
// of another version is good, the rest is left.
#pragma once

#include "pgdba/core/memory_ring.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace pgdba {

std::string copy_head(std::uint64_t system);

// Entries that are written at once.
class CopyBatch {
public:
	void add(const RingEntry &entry, std::string_view payload);
	bool full() const noexcept;
	// The bytes of the batch, none when it is empty; it is empty afterwards.
	std::string take();

private:
	std::string entries_;
};

class CopyReader {
public:
	// Gives the next bytes. RETURNS how many, fewer than `most` only at the end.
	using Source = std::function<std::size_t(char *to, std::size_t most)>;
	CopyReader(Source source, std::uint64_t system);

	// An entry that can be read: the sample it holds, and the payload. Valid until the next one.
	struct Entry {
		const Sample *sample;
		bool keyframe;
		std::string_view payload;
	};
	bool next(Entry *entry); // RETURNS false at the end
	// Why the end came before that of the file; empty when all was read.
	const std::string &fault() const noexcept { return fault_; }

private:
	struct Keyframe {
		std::uint64_t sequence = 0;
		Sample sample;
	};
	void read_head();
	bool read_batch();             // RETURNS false at the end
	bool read_entry(Entry *entry); // RETURNS false when its keyframe is not there

	Source source_;
	std::uint64_t system_;
	bool begun_ = false;
	std::string batch_, fault_;
	std::string_view rest_;                                  // of the batch
	std::map<std::string, Keyframe, std::less<>> keyframes_; // the last one of each probe
	Sample difference_;
};

} // namespace pgdba
