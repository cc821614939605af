// What the sampler says about itself: samples for the checks, and the state of each loop in shared
// memory.
#include "pgdba/sampler/sampler.hpp"

#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"

#include <algorithm>
#include <cstring>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

std::string joined(const std::vector<std::string> &names) {
	std::string text;
	for (const std::string &name : names)
		text += (text.empty() ? "" : ", ") + name;
	return text;
}

} // namespace

// The heartbeat and the cost of each probe, before the checks look at them.
void Sampler::record_self(Tick &tick, Micros lateness) {
	LoopRecord &record = loops_[tick.loop];
	++record.tick;
	record.interval = schedules_[tick.loop].interval();
	record.last_tick = tick.begin;
	record.duration = pg::now() - tick.begin;
	record.lateness = lateness;
	record.rows = tick.rows;
	record.skipped = schedules_[tick.loop].skipped();
	record.errors += tick.errors;
	record.reason.clear();
	record.unwritten = false;
	if (!tick.late_probes.empty())
		record.reason = "over budget: skipped " + joined(tick.late_probes);
	else if (!tick.failed.empty())
		record.reason = "failed: " + joined(tick.failed);
	else if (!unreadable_.empty())
		record.reason = unreadable_;
	record.degraded = !record.reason.empty();
	// A shorter tick may have come in between; a time to come is one of a clock that went back.
	recorded_at_ = recorded_at_ < pg::now() ? std::max(tick.begin, recorded_at_ + 1) : tick.begin;
	say_unwritten();
	const auto remember = [&](std::string_view name, auto make) {
		const ProbeDefinition *const probe = definitions_.probe(name);
		if (probe == nullptr)
			return;
		try {
			Sample sample = make(describe_columns(*probe, native_columns(name)));
			sample.server_start = pg::server_start();
			sample.interval = schedules_[loop_index(sample.loop)].interval();
			live_[std::string(name)] = std::make_shared<const Sample>(std::move(sample));
			tick.sampled.emplace_back(name);
		} catch (const BadDefinition &bad) { // its definition was edited by hand
			unavailable_[std::string(name)] = bad.what();
		}
	};
	remember("heartbeat", [&](const std::vector<Column> &columns) {
		return heartbeat_sample(loops_, columns, recorded_at_);
	});
	remember("probe_run", [&](const std::vector<Column> &columns) {
		return probe_run_sample(probes_, columns, recorded_at_);
	});
	if (tick.name == kVisitLoop)
		remember("database_visit", [&](const std::vector<Column> &columns) {
			return database_visit_sample(visits_, columns, tick.begin);
		});
}

// A loop that does not reach its tables is degraded by that, when it is not for another reason.
void Sampler::say_unwritten() {
	for (std::size_t i = 0; i < loops_.size(); ++i) {
		LoopRecord &record = loops_[i];
		if (!record.reason.empty() && !record.unwritten)
			continue;
		record.reason = unwritten_[i];
		record.degraded = record.unwritten = !record.reason.empty();
	}
}

void Sampler::publish(const Tick &tick) {
	const Micros end = pg::now();
	const LoopRecord &record = loops_[tick.loop];
	say_unwritten();
	pg::write_head([&](pg::SharedHead &head) {
		pg::LoopSlot &slot = head.loops[tick.loop];
		slot.last_end = end;
		slot.interval = record.interval;
		slot.lateness = record.lateness;
		slot.ticks = record.tick;
		slot.errors = record.errors;
		slot.skipped = record.skipped;
		slot.last_seconds = static_cast<double>(end - tick.begin) / kMicrosPerSecond;
		slot.last_success = tick.failed.empty() && tick.late_probes.empty();
		for (std::size_t i = 0; i < loops_.size(); ++i) {
			const std::string &reason = loops_[i].reason;
			pg::LoopSlot &each = head.loops[i];
			each.degraded = loops_[i].degraded;
			const std::size_t length = std::min(reason.size(), sizeof each.reason - 1);
			std::memcpy(each.reason, reason.data(), length);
			each.reason[length] = '\0';
		}
	});
}

} // namespace pgdba
