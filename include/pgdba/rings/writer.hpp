// Writing samples into both rings. One writer: the sampler.
//
// Memory: keyframes at least every 32 entries, so that a group can be evicted. Tables: one row per
// sample, in the current slot of the loop; every slot begins with keyframes; the slot ahead is
// emptied long before it is needed. Nothing here waits: a lock that is held means that the write is
// left out, counted and said.
#pragma once

#include "pgdba/core/definition.hpp"
#include "pgdba/core/sample.hpp"
#include "pgdba/pg/ring_table.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pgdba {

// A keyframe and how many differences stand on it.
struct KeyframeState {
	Sample keyframe;
	int differences = -1; // -1: there is none
};

// Encodes a sample against the keyframe, or as a new one when that is due or smaller.
struct Encoded {
	std::string payload;
	bool keyframe = false;
};
Encoded encode_next(KeyframeState &state, const Sample &sample, int most_differences);

class RingWriter {
public:
	// Into the memory ring. Rows are cut when the sample is larger than an entry may be. RETURNS
	// the bytes written.
	std::size_t to_memory(Sample sample);

	// Queues a sample for the table of `loop`; write_tables() writes what is queued in one
	// transaction. What it cannot write is lost in the hot loop, where the next sample is near;
	// of the others the newest ones stay queued for the next call, which may be at any tick.
	void to_table(std::string_view loop, const Sample &sample);
	bool has_queued(std::string_view loop) const { return !queued_[loop_index(loop)].empty(); }
	struct Outcome {
		std::string reason; // why not, in words; empty on a standby, where nothing can be written
		std::map<std::string, std::int64_t> wal; // bytes of WAL, by probe
	};
	Outcome write_tables(std::string_view loop, std::int64_t tick, Micros retention);

	void forget_probe(std::string_view probe);
	// Forgets positions and keyframes: the extension was created anew, or the server promoted.
	void forget();

private:
	struct Slot {
		int number = -1; // -1: not known yet
		Micros first = 0;
		std::uint64_t bytes = 0;
		bool next_empty = false;
	};
	bool find_slot(std::string_view loop, Slot &slot, Micros now, Micros span);
	bool advance(std::string_view loop, Slot &slot, Micros now, Micros span);
	void empty_next(std::string_view loop, Slot &slot);
	Outcome write_rows(std::string_view loop, std::int64_t tick, const std::vector<Sample> &samples,
					   Slot &slot, Micros span);

	std::map<std::string, KeyframeState, std::less<>> memory_;
	std::array<std::map<std::string, KeyframeState, std::less<>>, kLoops.size()> tables_;
	std::array<std::vector<Sample>, kLoops.size()> queued_;
	std::array<Slot, kLoops.size()> slots_;
};

} // namespace pgdba
