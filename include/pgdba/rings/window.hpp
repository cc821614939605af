// Reading what is kept of a probe, wherever it is: live samples (inside the sampler), the memory
// ring, the table ring.
#pragma once

#include "pgdba/core/sample.hpp"
#include "pgdba/pg/ring_table.hpp"
#include "pgdba/pg/shared.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

using SamplePointer = std::shared_ptr<const Sample>;
using LiveSamples = std::map<std::string, SamplePointer, std::less<>>;

// The sampler's own newest samples and those before them, with all objects; null in every other
// process.
void set_live_samples(const LiveSamples *samples, const LiveSamples *before) noexcept;

// What the step to `now` begins from: `before`, as the window gave it, or, where `now` is a live
// sample and so has all objects, that same sample with all objects too.
SamplePointer step_base(const SamplePointer &before, const Sample &now);

// The sampler's own newest sample of a probe; null when it has none, and in every other process.
SamplePointer live_sample(std::string_view probe);

// Where the samples of a probe are kept: its loop's tables. The built-in native probes live with
// the hot loop. The newest sample not later than `as_of` (0: the newest there is, never an injected
// one). Null when there is none. REQUIRES: a transaction, for the tables.
SamplePointer last_sample(std::string_view probe, std::string_view loop, Micros as_of);

// Walks the samples of a probe with since <= sampled_at <= until and, first, the one before `since`
// when it is kept. Injected samples are seen only with `injected` (that is, through as_of).
class Window {
public:
	Window(std::string_view probe, std::string_view loop, Micros since, Micros until,
		   bool injected);
	SamplePointer next(); // null at the end

private:
	bool next_from_tables(Sample *sample);
	bool next_kept(Sample *sample);
	void load_slots(Micros since, Micros until);

	std::string probe_, loop_;
	Micros since_, tables_until_ = 0;
	std::vector<int> slots_;
	std::size_t slot_ = 0, row_ = 0;
	std::vector<pg::RingRow> rows_;
	Sample keyframe_;
	bool has_keyframe_ = false;
	pg::RingCursor memory_;
	std::vector<Sample> injected_;
	std::size_t injected_position_ = 0;
	std::optional<Sample> pending_;
	SamplePointer live_;
};

} // namespace pgdba
