// The memory ring behind the head, under its own lock.
#include "shared_region.hpp"

#include "pgdba/core/codec.hpp"

namespace pgdba::pg {

namespace {

constexpr std::size_t kFirstEntries = 256; // of a window: an hour of the loop of a minute, and more

struct StreamName {
	explicit StreamName(std::string_view from) noexcept { copy_text(text, sizeof text, from); }
	char text[MemoryRing::kNameBytes];
};

} // namespace

bool ring_append(std::string_view stream, bool injected, Micros sampled_at, bool keyframe,
				 std::string_view payload) {
	const StreamName name(stream);
	bool done = false;
	locked(kRingLock, LW_EXCLUSIVE, [&] {
		const int number = ring().open_stream(name.text, injected);
		done = number >= 0 &&
			   ring().append(number, sampled_at, keyframe, payload.data(), payload.size());
	});
	return done;
}

std::size_t ring_max_entry_bytes() {
	require_preload();
	return ring().max_entry_bytes();
}

void ring_drop_stream(std::string_view stream) {
	const StreamName name(stream);
	locked(kRingLock, LW_EXCLUSIVE, [&] {
		for (const bool injected : {false, true})
			if (const int number = ring().find_stream(name.text, injected); number >= 0)
				ring().drop_stream(number);
	});
}

std::vector<std::string> ring_streams(bool injected) {
	std::vector<char> names(MemoryRing::kMaxStreams * MemoryRing::kNameBytes);
	std::size_t count = 0;
	locked(kRingLock, LW_SHARED, [&] {
		for (int i = 0; i < MemoryRing::kMaxStreams; ++i) {
			bool is_injected = false;
			char *const place = &names[count * MemoryRing::kNameBytes];
			if (ring().stream_name(i, place, &is_injected) && is_injected == injected)
				++count;
		}
	});
	std::vector<std::string> streams;
	for (std::size_t i = 0; i < count; ++i)
		streams.emplace_back(&names[i * MemoryRing::kNameBytes]);
	return streams;
}

std::uint64_t ring_generation() {
	std::uint64_t generation = 0;
	locked(kRingLock, LW_SHARED, [&] { generation = ring().generation(); });
	return generation;
}

RingUsage ring_usage() {
	RingUsage usage;
	locked(kRingLock, LW_SHARED, [&] { usage = ring().usage(); });
	return usage;
}

bool ring_span(std::string_view stream, bool injected, Micros *oldest, Micros *newest) {
	const StreamName name(stream);
	bool found = false;
	locked(kRingLock, LW_SHARED, [&] {
		const int number = ring().find_stream(name.text, injected);
		found = number >= 0 && ring().span(number, oldest, newest);
	});
	return found;
}

std::vector<RingEntry> ring_entries_after(std::uint64_t sequence) {
	std::vector<RingEntry> entries, some(kFirstEntries);
	for (int stream = 0; stream < MemoryRing::kMaxStreams; ++stream) {
		std::size_t count = 0;
		while (true) { // nothing is allocated under the lock
			locked(kRingLock, LW_SHARED,
				   [&] { count = ring().list_after(stream, sequence, some.data(), some.size()); });
			if (count < some.size())
				break;
			some.resize(16 * some.size());
		}
		entries.insert(entries.end(), some.begin(), some.begin() + static_cast<long>(count));
	}
	std::sort(entries.begin(), entries.end(),
			  [](const RingEntry &a, const RingEntry &b) { return a.sequence < b.sequence; });
	return entries;
}

bool ring_payload(const RingEntry &entry, std::string *payload) {
	payload->resize(entry.length);
	bool there = false;
	locked(kRingLock, LW_SHARED, [&] { there = ring().copy(entry, payload->data()); });
	return there;
}

RingCursor::RingCursor(std::string_view stream, bool injected, Micros since, Micros until,
					   std::size_t max) {
	const StreamName name(stream);
	std::size_t count = 0;
	// Nothing is allocated under the lock, and a window is small as a rule: it is asked for again
	// where the list was too short.
	for (std::size_t room = std::min(max, kFirstEntries);; room = std::min(max, 16 * room)) {
		entries_.resize(room);
		locked(kRingLock, LW_SHARED, [&] {
			const int number = ring().find_stream(name.text, injected);
			count = number < 0 ? 0 : ring().list(number, since, until, entries_.data(), room);
		});
		if (count < room || room == max)
			break;
	}
	entries_.resize(count);
}

bool RingCursor::next(Sample *sample) {
	while (position_ < entries_.size()) {
		const RingEntry &entry = entries_[position_++];
		bool there = true;
		if (entry.keyframe_sequence != keyframe_sequence_) {
			buffer_.resize(entry.keyframe_length);
			locked(kRingLock, LW_SHARED,
				   [&] { there = ring().copy_keyframe(entry, buffer_.data()); });
			if (!there)
				continue; // evicted meanwhile: it was the oldest, the window begins later
			keyframe_ = decode_keyframe(buffer_);
			keyframe_sequence_ = entry.keyframe_sequence;
		}
		if (entry.keyframe) {
			*sample = keyframe_;
			return true;
		}
		buffer_.resize(entry.length);
		locked(kRingLock, LW_SHARED, [&] { there = ring().copy(entry, buffer_.data()); });
		if (!there)
			continue;
		*sample = decode_difference(keyframe_, buffer_);
		return true;
	}
	return false;
}

std::vector<Sample> ring_window(std::string_view stream, bool injected, Micros since, Micros until,
								std::size_t max) {
	std::vector<Sample> samples;
	RingCursor cursor(stream, injected, since, until, max);
	for (Sample sample; cursor.next(&sample);)
		samples.push_back(std::move(sample));
	return samples;
}

} // namespace pgdba::pg
