#include "pgdba/rings/writer.hpp"

#include "pgdba/core/codec.hpp"
#include "pgdba/pg/error.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"

#include <algorithm>
#include <iterator>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr int kMemoryDifferences = 31;
constexpr int kTableDifferences = 63;
constexpr int kSlotsPerRetention = 8; // of ten: one is being written, one is empty
constexpr std::uint64_t kMaxSlotBytes = std::uint64_t{64} << 20;
constexpr const char *kLocked = "its table is locked or missing";

// The first `rows` rows of a sample; the rest is counted as cut.
Sample first_rows(const Sample &sample, std::size_t rows) {
	Sample shorter;
	shorter.take_header(sample);
	shorter.cut += static_cast<std::int64_t>(sample.rows() - rows);
	shorter.set_layout(sample.layout());
	for (std::size_t row = 0; row < rows; ++row)
		shorter.copy_row(sample, row);
	return shorter;
}

} // namespace

Encoded encode_next(KeyframeState &state, const Sample &sample, int most_differences) {
	if (state.differences >= 0 && state.differences < most_differences &&
		same_columns(state.keyframe, sample)) {
		std::string difference = encode_difference(state.keyframe, sample);
		if (difference.size() <= state.keyframe.bytes() / 4) {
			++state.differences;
			return {std::move(difference), false};
		}
	}
	state.keyframe = sample;
	state.differences = 0;
	return {encode_keyframe(sample), true};
}

std::size_t RingWriter::to_memory(Sample sample) {
	KeyframeState &state = memory_[sample.probe];
	const std::size_t most = pg::ring_max_entry_bytes();
	while (true) {
		const Encoded encoded = encode_next(state, sample, kMemoryDifferences);
		if (encoded.payload.size() <= most &&
			pg::ring_append(sample.probe, false, sample.sampled_at, encoded.keyframe,
							encoded.payload))
			return encoded.payload.size();
		state.differences = -1;
		if (!encoded.keyframe)
			continue; // its keyframe was evicted, or a difference grew too large: begin again
		const std::size_t lost = encoded.payload.size();
		pg::write_head([lost](pg::SharedHead &head) {
			head.dropped_bytes += static_cast<std::int64_t>(lost / 2);
		});
		if (sample.rows() < 2) // nothing of it has room
			return 0;
		sample = first_rows(sample, sample.rows() / 2);
	}
}

void RingWriter::to_table(std::string_view loop, const Sample &sample) {
	queued_[loop_index(loop)].push_back(sample);
}

// Where writing goes on: the slot whose first row is the newest. One that begins later than a slot
// from now is of a time when the clock was wrong, and does not count. RETURNS false when the tables
// cannot be looked at now.
bool RingWriter::find_slot(std::string_view loop, Slot &slot, Micros now, Micros span) {
	Slot found;
	for (int number = 0; number < pg::kRingSlots; ++number) {
		Micros first = 0;
		std::uint64_t bytes = 0;
		if (pg::first_in_slot(loop, number, &first, &bytes) != pg::RingAccess::kDone)
			return false;
		if (first != 0 && first <= now + span && (found.number < 0 || first > found.first))
			found = {number, first, bytes, false};
	}
	if (found.number < 0)
		found = {0, 0, 0, false};
	slot = found;
	return true;
}

// Moves to the next slot when the current one is full of time, or the clock went back by more than
// that. While somebody holds the next one, the current one goes on. RETURNS false when it cannot,
// being full.
bool RingWriter::advance(std::string_view loop, Slot &slot, Micros now, Micros span) {
	if (slot.first == 0)
		slot.first = now;
	const bool over = now - slot.first >= span || slot.first - now >= span;
	if (!over && slot.bytes < kMaxSlotBytes)
		return true;
	const int next = (slot.number + 1) % pg::kRingSlots;
	Micros first = 0;
	std::uint64_t bytes = 0;
	if (pg::first_in_slot(loop, next, &first, &bytes) != pg::RingAccess::kDone || first != 0) {
		slot.next_empty = false;
		return slot.bytes < kMaxSlotBytes;
	}
	slot = {next, now, 0, false};
	tables_[loop_index(loop)].clear(); // every slot begins with keyframes
	return true;
}

// Empties the slot ahead in a transaction of its own, long before it is needed; tried again at the
// next tick. Failing costs nothing until the current slot is full, and then that is said.
void RingWriter::empty_next(std::string_view loop, Slot &slot) {
	if (slot.next_empty)
		return;
	const int next = (slot.number + 1) % pg::kRingSlots;
	try {
		pg::Transaction transaction(false);
		Micros first = 0;
		std::uint64_t bytes = 0;
		slot.next_empty =
			pg::first_in_slot(loop, next, &first, &bytes) == pg::RingAccess::kDone &&
			(bytes == 0 || pg::truncate_ring_slot(loop, next) == pg::RingAccess::kDone);
		transaction.commit();
	} catch (const pg::PgError &) { // aborted: by the transaction
		pg::recover();
		slot.next_empty = false;
	}
}

// REQUIRES: a transaction.
RingWriter::Outcome RingWriter::write_rows(std::string_view loop, std::int64_t tick,
										   const std::vector<Sample> &samples, Slot &slot,
										   Micros span) {
	const auto unwritten = [](const char *reason) { return Outcome{reason, {}}; };
	const Micros now = pg::now();
	if (slot.number < 0 && !find_slot(loop, slot, now, span))
		return unwritten(kLocked);
	if (!advance(loop, slot, now, span))
		return unwritten("the next slot of its table is in use and this one is full");
	std::vector<pg::RingRow> rows;
	std::uint64_t bytes = 0;
	for (const Sample &sample : samples) {
		Encoded encoded =
			encode_next(tables_[loop_index(loop)][sample.probe], sample, kTableDifferences);
		bytes += encoded.payload.size();
		rows.push_back(
			{tick, sample.sampled_at, sample.probe, encoded.keyframe, std::move(encoded.payload)});
	}
	const std::int64_t wal_before = pg::wal_written();
	switch (pg::insert_ring_rows(loop, slot.number, rows)) {
	case pg::RingAccess::kDone:
		break;
	case pg::RingAccess::kNoRoom:
		return unwritten("no room: less than 16 MB would be left where its tables lie");
	default:
		return unwritten(kLocked);
	}
	slot.bytes += bytes;
	Outcome outcome;
	const auto wal = static_cast<double>(pg::wal_written() - wal_before);
	for (const pg::RingRow &row : rows) // each its share
		outcome.wal[row.probe] += static_cast<std::int64_t>(
			wal * static_cast<double>(row.payload.size()) / static_cast<double>(bytes));
	return outcome;
}

RingWriter::Outcome RingWriter::write_tables(std::string_view loop, std::int64_t tick,
											 Micros retention) {
	const int index = loop_index(loop);
	std::vector<Sample> samples;
	samples.swap(queued_[index]);
	Slot &slot = slots_[index];
	if (pg::in_recovery()) { // after the promotion it looks for its place anew
		tables_[index].clear();
		slot = {};
		return {};
	}
	const Micros span = retention / kSlotsPerRetention;
	Outcome outcome;
	bool ours = false; // known not to be published: then a TRUNCATE goes nowhere either
	try {
		pg::Transaction transaction(false);
		std::string publication;
		ours = !pg::ring_is_published(&publication);
		if (ours)
			outcome = write_rows(loop, tick, samples, slot, span);
		else
			outcome.reason = "published: publication \"" + publication +
							 "\" would send the tables of pgdba to its subscribers, so history "
							 "stays in memory";
		transaction.commit();
	} catch (const pg::PgError &error) { // aborted: by the transaction
		pg::recover();
		outcome = {"not written to tables: " + error.message, {}};
	}
	if (!outcome.reason.empty()) {
		tables_[index].clear(); // what the next differences would stand on is not there
		const auto kept = std::find_if(samples.begin(), samples.end(), [&](const Sample &sample) {
			return index != 0 && sample.sampled_at == samples.back().sampled_at;
		});
		const std::int64_t lost = kept - samples.begin();
		pg::write_head([lost](pg::SharedHead &head) { head.unwritten_samples += lost; });
		queued_[index].assign(std::move_iterator(kept), std::move_iterator(samples.end()));
	}
	if (ours && slot.number >= 0 && std::abs(pg::now() - slot.first) > span / 2)
		empty_next(loop, slot);
	return outcome;
}

void RingWriter::forget_probe(std::string_view probe) {
	const auto erase = [probe](auto &keyframes) {
		if (const auto found = keyframes.find(probe); found != keyframes.end())
			keyframes.erase(found);
	};
	erase(memory_);
	for (auto &keyframes : tables_)
		erase(keyframes);
}

void RingWriter::forget() {
	memory_.clear();
	for (auto &keyframes : tables_)
		keyframes.clear();
	queued_ = {};
	slots_ = {};
}

} // namespace pgdba
