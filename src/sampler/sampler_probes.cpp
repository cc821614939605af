// The sampler's tick, first half: running probes, and keeping what they returned.
#include "pgdba/sampler/sampler.hpp"

#include "pgdba/core/codec.hpp"
#include "pgdba/core/row_index.hpp"
#include "pgdba/pg/error.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/sampler/canary.hpp"
#include "pgdba/sampler/relation_probe.hpp"
#include "pgdba/sampler/wait_probe.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

bool has_extension(const std::string &name) {
	pg::Transaction transaction(true);
	const bool there = pg::extension_exists(name);
	transaction.commit();
	return there;
}

// Two rows under one name: nobody could tell which is which, and counters would mix.
std::string same_key(const Sample &sample, std::uint32_t row) {
	std::string key;
	for (const std::uint32_t column : sample.key_columns()) {
		const Cell cell = sample.at(row, column);
		key += (key.empty() ? "" : ", ") + sample.columns()[column].name + " = ";
		if (cell.null)
			key += "NULL";
		else if (is_text(cell.type))
			key += '"' + std::string(cell.text) + '"';
		else
			key += std::to_string(cell.type == Type::kFloat8 ? static_cast<std::int64_t>(cell.real)
															 : cell.integer);
	}
	return key.empty() ? "has no key and returned more than one row"
					   : "returned two rows with the same key: " + key;
}

} // namespace

// Gives the rows of a query their meaning: the same cells under described columns, `db` first.
Sample Sampler::with_meaning(const ProbeDefinition &probe, const Sample &rows,
							 const std::string *database) {
	std::vector<std::pair<std::string, Type>> result;
	for (const Column &column : rows.columns())
		result.emplace_back(column.name, column.type);
	Sample sample;
	sample.set_columns(describe_columns(probe, result));
	sample.cut = rows.cut;
	sample.reserve(rows.rows());
	std::vector<int> source;
	for (const Column &column : sample.columns())
		source.push_back(rows.find_column(column.name));
	for (std::size_t row = 0; row < rows.rows(); ++row) {
		sample.add_row();
		for (std::size_t column = 0; column < source.size(); ++column)
			if (source[column] >= 0)
				sample.set_cell(row, column,
								rows.at(row, static_cast<std::size_t>(source[column])));
			else if (column == 0 && database != nullptr)
				sample.set_text(row, 0, *database);
	}
	return sample;
}

// What is left of the loop's budget, or less when the probe has one of its own.
pg::QueryLimits Sampler::limits_of(const Tick &tick, const ProbeDefinition &probe) {
	pg::QueryLimits limits;
	limits.budget = std::min(probe.budget > 0 ? probe.budget : tick.deadline - tick.begin,
							 tick.deadline - pg::now());
	limits.max_rows = probe.max_rows;
	limits.readings = probe.readings;
	limits.keep_plan = is_frequent(probe.loop);
	return limits;
}

Sample Sampler::native_sample(const Tick &tick, const ProbeDefinition &probe) {
	using Take = Sample (*)(const Sampler &, const Tick &, const ProbeDefinition &);
	constexpr std::pair<std::string_view, Take> kTakes[] = {
		{"canary", [](const Sampler &, const Tick &t,
					  const ProbeDefinition &p) { return canary_sample(p, limits_of(t, p)); }},
		{"relation",
		 [](const Sampler &sampler, const Tick &t, const ProbeDefinition &p) {
			 return relation_sample(p, sampler.database_, t.deadline);
		 }},
		{"wait",
		 [](const Sampler &, const Tick &, const ProbeDefinition &p) { return wait_sample(p); }},
		{"wait_tick", [](const Sampler &, const Tick &,
						 const ProbeDefinition &p) { return wait_tick_sample(p); }},
	};
	for (const auto &[name, take] : kTakes)
		if (name == probe.name)
			return take(*this, tick, probe);
	throw BadDefinition("there is no native probe \"" + probe.name + "\"", {}, {});
}

Sample Sampler::take_sample(Tick &tick, const ProbeDefinition &probe, Cost *cost) {
	if (probe.scope == Scope::kNative) {
		const Micros begin = pg::now(), cpu_begin = pg::cpu_time();
		Sample sample = native_sample(tick, probe);
		*cost = {pg::now() - begin, pg::cpu_time() - cpu_begin};
		return sample;
	}
	const pg::QueryResult result = pg::run_sandboxed(probe.query, limits_of(tick, probe));
	*cost = {result.wall, result.cpu};
	return with_meaning(probe, result.rows, probe.scope == Scope::kDatabase ? &database_ : nullptr);
}

// Whether it is its turn now; says why when it is not.
bool Sampler::may_run(Tick &tick, const ProbeDefinition &probe) {
	pg::check_interrupts();
	probes_[probe.name].loop = probe.loop;
	if (back_offs_[probe.name].rests()) {
		++probes_[probe.name].skipped;
		tick.failed.push_back(probe.name);
		return false;
	}
	if (pg::now() >= tick.deadline) {
		++probes_[probe.name].late;
		tick.late_probes.push_back(probe.name);
		return false;
	}
	if (!probe.needs_extension.empty() &&
		!has_extension(probe.needs_extension)) { // not a fault: the checks say unknown
		unavailable_[probe.name] = "extension \"" + probe.needs_extension +
								   "\" is not created in database \"" + database_ + "\"";
		return false;
	}
	return true;
}

void Sampler::run_failed(Tick &tick, const ProbeDefinition &probe, std::string why) {
	ProbeRecord &record = probes_[probe.name];
	++record.errors;
	++tick.errors;
	record.last_error_at = pg::now();
	unavailable_[probe.name] = why;
	record.last_error = std::move(why);
	back_offs_[probe.name].failed();
	tick.failed.push_back(probe.name);
}

// RETURNS: nothing when it failed, which has been recorded.
std::optional<Sample> Sampler::run_here(Tick &tick, const ProbeDefinition &probe) {
	ProbeRecord &record = probes_[probe.name];
	const Micros begin = pg::now();
	++record.runs;
	try {
		Cost cost;
		Sample sample = take_sample(tick, probe, &cost);
		record.wall += cost.wall;
		record.cpu += cost.cpu;
		return sample;
	} catch (const pg::PgError
				 &error) { // aborted: by the sandbox or transaction below, before this is reached
		pg::recover();
		record.wall += pg::now() - begin;
		run_failed(tick, probe, error.message + " (SQLSTATE " + error.state() + ")");
	} catch (const BadDefinition &bad) {
		run_failed(tick, probe, bad.what());
	}
	return std::nullopt;
}

void Sampler::accept(Tick &tick, const ProbeDefinition &probe, Sample sample) {
	ProbeRecord &record = probes_[probe.name];
	record.rows = static_cast<std::int64_t>(sample.rows());
	record.cut = sample.cut;
	tick.rows += record.rows;
	sample.probe = probe.name;
	sample.loop = probe.ring;
	sample.sampled_at = tick.begin;
	sample.server_start = pg::server_start();
	sample.interval = schedules_[loop_index(probe.ring)].interval();
	SamplePointer &live = live_[probe.name];
	if (live != nullptr)
		before_[probe.name] = live;
	live = std::make_shared<const Sample>(std::move(sample));
	tick.sampled.push_back(probe.name);
	if (probe.scope == Scope::kCluster &&
		live->cut > 0) { // a query without an end is a fault of the probe
		run_failed(tick, probe,
				   "returned more than " + std::to_string(probe.max_rows) +
					   " rows: " + std::to_string(live->cut) + " were left out");
		return;
	}
	if (probe.scope != Scope::kNative) // what the engine reads has no duplicates, but many rows
		if (const std::uint32_t row = RowIndex(*live).duplicate(); row != RowIndex::kNone) {
			run_failed(tick, probe, same_key(*live, row));
			return;
		}
	if (without_room_.contains(
			probe.name)) { // the last one; what becomes of this one is seen later
		run_failed(tick, probe,
				   "its last sample had no room in the memory ring; see pgdba.shared_memory");
		return;
	}
	unavailable_.erase(probe.name);
	back_offs_[probe.name].succeeded();
}

void Sampler::run_probe(Tick &tick, const ProbeDefinition &probe) {
	if (!may_run(tick, probe))
		return;
	if (std::optional<Sample> sample = run_here(tick, probe)) {
		probes_[probe.name].last_error.clear();
		accept(tick, probe, std::move(*sample));
	}
}

// Whether a probe whose samples another loop keeps says what it said before, within that loop's
// interval: then the sample kept before stands for this one.
bool Sampler::nothing_new(const ProbeDefinition &probe, const Sample &sample) const {
	const auto before = kept_.find(probe.name);
	return probe.ring != probe.loop && before != kept_.end() &&
		   sample.sampled_at - before->second->sampled_at < sample.interval &&
		   sample.sampled_at >= before->second->sampled_at && same_rows(*before->second, sample);
}

// Into the rings: the top rows of each ranking, and every object that a verdict names.
void Sampler::keep(Tick &tick, const std::string &name, const std::set<std::string> &named) {
	const SamplePointer full = live_[name];
	SamplePointer kept = full;
	const ProbeDefinition *const probe = definitions_.probe(name);
	if (probe != nullptr && !probe->top.by.empty()) {
		TopRule rule = probe->top;
		if (!probe->top_setting.empty())
			rule.n = static_cast<std::size_t>(
				pg::setting_by_name(probe->top_setting, static_cast<int>(rule.n)));
		std::vector<std::string> objects;
		if (!probe->object.empty() && !named.empty())
			for (std::size_t row = 0; row < full->rows(); ++row)
				objects.push_back(render_object(probe->object, *full, row));
		const auto find = [&name](const LiveSamples &samples) -> const Sample * {
			const auto found = samples.find(name);
			return found == samples.end() ? nullptr : found->second.get();
		};
		kept = std::make_shared<const Sample>(
			keep_top(*full, find(before_), find(kept_), rule, objects, named));
	}
	if (probe != nullptr && nothing_new(*probe, *kept))
		return;
	if (probe != nullptr && (kept != full || probe->ring != probe->loop))
		kept_[name] = kept;
	const std::size_t bytes = writer_.to_memory(*kept);
	if (bytes == 0)
		without_room_.insert(name);
	else
		without_room_.erase(name);
	tick.bytes += static_cast<std::int64_t>(bytes);
	probes_[name].bytes += static_cast<std::int64_t>(bytes);
	writer_.to_table(kept->loop, *kept);
}

void Sampler::write_rings(Tick &tick, const std::set<std::string> &named) {
	loops_[tick.loop].bytes = 0;
	for (const std::string &name : tick.sampled)
		keep(tick, name, named);
	loops_[tick.loop].bytes = tick.bytes;
	// What belongs to the hot loop's tables is written with every tick, so that no heartbeat is
	// late; what a loop could not write is tried again, so that nobody waits an hour for that; and
	// what a probe of a shorter loop has for its tables.
	for (int loop = static_cast<int>(kLoops.size()) - 1; loop >= 0; --loop) {
		if (loop != tick.loop && loop != 0 && unwritten_[loop].empty() &&
			!writer_.has_queued(kLoops[loop]))
			continue;
		RingWriter::Outcome outcome =
			writer_.write_tables(kLoops[loop], loops_[loop == 0 ? tick.loop : loop].tick,
								 Micros{pg::settings().loops[loop].retention_s} * kMicrosPerSecond);
		for (const auto &[probe, wal] : outcome.wal)
			probes_[probe].wal += wal;
		unwritten_[loop] = std::move(outcome.reason);
	}
}

} // namespace pgdba
