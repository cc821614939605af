// The sampler's tick, first half: running probes, and keeping what they returned.
#include "pgdba/sampler/sampler.hpp"

#include "pgdba/core/codec.hpp"
#include "pgdba/pg/error.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/reader.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/sampler/relation_probe.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// Gives the rows of a query their meaning: the same cells under described columns, `db` first.
Sample with_meaning(const ProbeDefinition &probe, const Sample &rows, const std::string *database) {
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

bool has_extension(const std::string &name) {
	pg::Transaction transaction(true);
	const bool there = pg::extension_exists(name);
	transaction.commit();
	return there;
}

void append_rows(Sample &to, const Sample &from) {
	for (std::size_t row = 0; row < from.rows(); ++row)
		to.copy_row(from, row);
	to.cut += from.cut;
}

} // namespace

// What is left of the loop's budget, or less when the probe has one of its own.
pg::QueryLimits Sampler::limits_of(const Tick &tick, const ProbeDefinition &probe) {
	pg::QueryLimits limits;
	limits.budget = std::min(probe.budget > 0 ? probe.budget : tick.deadline - tick.begin,
							 tick.deadline - pg::now());
	limits.max_rows = probe.max_rows;
	limits.readings = probe.readings;
	return limits;
}

Sample Sampler::take_sample(Tick &tick, const ProbeDefinition &probe, Micros *wall, Micros *cpu) {
	if (probe.scope == Scope::kNative) {
		const Micros begin = pg::now(), cpu_begin = pg::cpu_time();
		Sample sample = relation_sample(probe, database_, tick.deadline);
		*wall = pg::now() - begin;
		*cpu = pg::cpu_time() - cpu_begin;
		return sample;
	}
	if (probe.scope == Scope::kDatabase)
		return sample_databases(tick, probe, wall, cpu);
	const pg::QueryResult result = pg::run_sandboxed(probe.query, limits_of(tick, probe));
	*wall = result.wall;
	*cpu = result.cpu;
	return with_meaning(probe, result.rows, nullptr);
}

// The home database here, the others by a reader, one after the other, as far as the budget goes.
Sample Sampler::sample_databases(Tick &tick, const ProbeDefinition &probe, Micros *wall,
								 Micros *cpu) {
	const pg::QueryLimits limits = limits_of(tick, probe);
	const Micros begin = pg::now();
	const pg::QueryResult home = pg::run_sandboxed(probe.query, limits);
	Sample sample = with_meaning(probe, home.rows, &database_);
	for (const pg::VisitableDatabase &database : pg::visitable_databases()) {
		if (pg::now() >= tick.deadline) {
			++sample.cut;
			continue;
		}
		for (const pg::ReaderResult &result : pg::visit_database(
				 database.oid, database.name,
				 {{probe.query, limits.budget, limits.max_rows, limits.readings}}, tick.deadline))
			if (result.error.empty())
				append_rows(sample, with_meaning(probe, result.rows, &database.name));
			else
				++sample.cut;
	}
	*wall = pg::now() - begin;
	*cpu = home.cpu;
	return sample;
}

void Sampler::run_probe(Tick &tick, const ProbeDefinition &probe) {
	pg::check_interrupts();
	ProbeRecord &record = probes_[probe.name];
	record.loop = probe.loop;
	BackOff &back_off = back_offs_[probe.name];
	if (back_off.rests()) {
		tick.failed.push_back(probe.name);
		return;
	}
	if (pg::now() >= tick.deadline) {
		tick.late_probes.push_back(probe.name);
		return;
	}
	if (!probe.needs_extension.empty() &&
		!has_extension(probe.needs_extension)) { // not a fault: the checks say unknown
		unavailable_[probe.name] = "extension \"" + probe.needs_extension +
								   "\" is not created in database \"" + database_ + "\"";
		return;
	}
	const auto failed = [&](std::string why) {
		++record.errors;
		++tick.errors;
		record.last_error_at = pg::now();
		unavailable_[probe.name] = why;
		record.last_error = std::move(why);
		back_off.failed();
		tick.failed.push_back(probe.name);
	};
	Micros wall = 0, cpu = 0;
	Sample sample;
	const Micros begin = pg::now();
	++record.runs;
	try {
		sample = take_sample(tick, probe, &wall, &cpu);
	} catch (const pg::PgError
				 &error) { // aborted: by the sandbox or transaction below, before this is reached
		pg::recover();
		record.wall += pg::now() - begin;
		return failed(error.message + " (SQLSTATE " + error.state() + ")");
	} catch (const BadDefinition &bad) {
		return failed(bad.what());
	}
	record.wall += wall;
	record.cpu += cpu;
	record.rows = static_cast<std::int64_t>(sample.rows());
	record.cut = sample.cut;
	tick.rows += record.rows;
	sample.probe = probe.name;
	sample.loop = probe.loop;
	sample.sampled_at = tick.begin;
	sample.server_start = pg::server_start();
	sample.interval = schedules_[tick.loop].interval();
	SamplePointer &live = live_[probe.name];
	if (live != nullptr)
		before_[probe.name] = live;
	live = std::make_shared<const Sample>(std::move(sample));
	tick.sampled.push_back(probe.name);
	if (probe.scope == Scope::kCluster &&
		live->cut > 0) { // a query without an end is a fault of the probe
		failed("returned more than " + std::to_string(probe.max_rows) +
			   " rows: " + std::to_string(live->cut) + " were left out");
		return;
	}
	record.last_error.clear();
	unavailable_.erase(probe.name);
	back_off.succeeded();
}

// Into the rings: the top rows of each ranking, and every object that a verdict names.
void Sampler::keep(Tick &tick, const std::string &name, const std::set<std::string> &named) {
	const SamplePointer full = live_[name];
	SamplePointer kept = full;
	if (const ProbeDefinition *const probe = definitions_.probe(name);
		probe != nullptr && !probe->top.by.empty()) {
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
		kept_[name] = kept;
	}
	const std::size_t bytes = writer_.to_memory(*kept);
	tick.bytes += static_cast<std::int64_t>(bytes);
	probes_[name].bytes += static_cast<std::int64_t>(bytes);
	const bool built_in = name == "heartbeat" || name == "probe_run" || name == "verdict";
	writer_.to_table(built_in ? kLoops[0] : tick.name, *kept);
}

void Sampler::write_rings(Tick &tick, const std::set<std::string> &named) {
	loops_[tick.loop].bytes = 0;
	for (const std::string &name : tick.sampled)
		keep(tick, name, named);
	loops_[tick.loop].bytes = tick.bytes;
	published_.clear();
	// What belongs to the hot loop's tables is written with every tick, so that no heartbeat is
	// late.
	for (const int loop : {tick.loop, 0}) {
		try {
			const RingWriter::Outcome outcome = writer_.write_tables(
				kLoops[loop], loops_[tick.loop].tick,
				Micros{pg::settings().loops[loop].retention_s} * kMicrosPerSecond);
			if (!outcome.written && published_.empty())
				published_ = outcome.reason;
		} catch (const pg::PgError &error) { // aborted: by the transaction of the writer
			pg::recover();
			published_ = "not written to tables: " + error.message;
		}
		if (tick.loop == 0)
			break;
	}
}

} // namespace pgdba
