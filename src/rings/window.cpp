// A window is read from three places in order of time: tables up to where memory begins, memory,
// and the live sample. Payloads are decoded one at a time; of the tables one slot is held at once.
#include "pgdba/rings/window.hpp"

#include "pgdba/core/codec.hpp"
#include "pgdba/pg/worker.hpp"

#include <algorithm>
#include <limits>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::size_t kMaxMemoryEntries = 32'768;
constexpr std::size_t kMaxInjected = 1'024;
// How far before a window the sample before it is looked for in the tables.
constexpr Micros kLookBack = 3 * 3600 * kMicrosPerSecond;

constinit const LiveSamples *live_samples = nullptr, *live_before = nullptr;

SamplePointer find_in(const LiveSamples *samples, std::string_view probe) {
	if (samples == nullptr)
		return nullptr;
	const auto found = samples->find(probe);
	return found == samples->end() ? nullptr : found->second;
}

Micros look_back(Micros since) noexcept {
	since = std::min(since, pg::now()); // who asks for the newest asks for a time without an end
	return since > std::numeric_limits<Micros>::min() + kLookBack ? since - kLookBack : since;
}

} // namespace

void set_live_samples(const LiveSamples *samples, const LiveSamples *before) noexcept {
	live_samples = samples;
	live_before = before;
}

SamplePointer live_sample(std::string_view probe) {
	return find_in(live_samples, probe);
}

SamplePointer step_base(const SamplePointer &before, const Sample &now) {
	const SamplePointer newest = live_sample(now.probe), full = find_in(live_before, now.probe);
	const bool fits = before != nullptr && newest != nullptr && full != nullptr && !now.injected &&
					  now.sampled_at == newest->sampled_at &&
					  before->sampled_at == full->sampled_at && !before->injected;
	return fits ? full : before;
}

SamplePointer last_sample(std::string_view probe, std::string_view loop, Micros as_of) {
	const Micros until = as_of == 0 ? std::numeric_limits<Micros>::max() : as_of;
	if (SamplePointer newest = live_sample(probe); newest != nullptr && newest->sampled_at <= until)
		return newest;
	// The one at or before `until`: a window that begins at `until` holds it as its first.
	Window window(probe, loop, until, until, as_of != 0);
	SamplePointer last;
	while (const SamplePointer sample = window.next())
		last = sample;
	return last;
}

Window::Window(std::string_view probe, std::string_view loop, Micros since, Micros until,
			   bool injected)
	: probe_(probe), loop_(loop), since_(since),
	  memory_(probe, false, since, until, kMaxMemoryEntries), live_(live_sample(probe)) {
	Micros oldest = 0, newest = 0;
	const bool in_memory = pg::ring_span(probe, false, &oldest, &newest);
	if (injected)
		injected_ = pg::ring_window(probe, true, since, until, kMaxInjected);
	// A standby reads memory only: a report over the tables would hold back the replay of a
	// TRUNCATE.
	if ((!in_memory || oldest > since) && !pg::in_recovery()) {
		tables_until_ = in_memory ? std::min(oldest - 1, until) : until;
		load_slots(since, tables_until_);
	}
	if (live_ != nullptr &&
		(live_->sampled_at > until || (in_memory && live_->sampled_at <= newest)))
		live_ = nullptr;
}

// The slots that overlap the window, oldest first.
void Window::load_slots(Micros since, Micros until) {
	std::vector<std::pair<Micros, int>> firsts;
	for (int slot = 0; slot < pg::kRingSlots; ++slot) {
		Micros first = 0;
		std::uint64_t bytes = 0;
		if (pg::first_in_slot(loop_, slot, &first, &bytes) == pg::RingAccess::kDone && first != 0 &&
			first <= until)
			firsts.emplace_back(first, slot);
	}
	std::sort(firsts.begin(), firsts.end());
	const Micros from = look_back(since);
	for (std::size_t i = 0; i < firsts.size(); ++i)
		if (i + 1 == firsts.size() || firsts[i + 1].first > from)
			slots_.push_back(firsts[i].second);
}

bool Window::next_from_tables(Sample *sample) {
	while (true) {
		while (row_ < rows_.size()) {
			const pg::RingRow &row = rows_[row_++];
			if (row.keyframe) {
				keyframe_ = decode_keyframe(row.payload);
				has_keyframe_ = true;
				*sample = keyframe_;
				return true;
			}
			if (!has_keyframe_)
				continue; // its keyframe went with another slot
			*sample = decode_difference(keyframe_, row.payload);
			return true;
		}
		if (slot_ >= slots_.size())
			return false;
		rows_.clear();
		row_ = 0;
		has_keyframe_ = false;
		const int slot = slots_[slot_++];
		const Micros from = look_back(since_);
		(void)pg::read_ring_rows(loop_, slot, probe_, from, tables_until_, false, &rows_);
		// Nothing since then: what came after the last keyframe is wanted, however old.
		if (!rows_.empty() && rows_.back().sampled_at < from) {
			const Micros keyframe = rows_.back().sampled_at;
			rows_.clear();
			(void)pg::read_ring_rows(loop_, slot, probe_, keyframe, tables_until_, false, &rows_);
		}
	}
}

bool Window::next_kept(Sample *sample) {
	if (next_from_tables(sample) || memory_.next(sample))
		return true;
	if (live_ == nullptr)
		return false;
	*sample = *live_;
	live_ = nullptr;
	return true;
}

// Merges injected samples in, and passes over all that lies before the last one older than the
// window.
SamplePointer Window::next() {
	std::optional<Sample> before;
	while (true) {
		if (!pending_) {
			Sample kept;
			if (next_kept(&kept))
				pending_ = std::move(kept);
		}
		Sample next;
		if (injected_position_ < injected_.size() &&
			(!pending_ || injected_[injected_position_].sampled_at <= pending_->sampled_at)) {
			next = injected_[injected_position_++];
		} else if (pending_) {
			next = std::move(*pending_);
			pending_.reset();
		} else {
			break;
		}
		if (next.sampled_at < since_) {
			before = std::move(next);
			continue;
		}
		if (before) { // give the one before the window first, then this one
			if (next.injected)
				--injected_position_;
			else
				pending_ = std::move(next);
			return std::make_shared<const Sample>(std::move(*before));
		}
		return std::make_shared<const Sample>(std::move(next));
	}
	return before ? std::make_shared<const Sample>(std::move(*before)) : nullptr;
}

} // namespace pgdba
