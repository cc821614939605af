#include "pgdba/sampler/wait_probe.hpp"

#include "pgdba/core/row_writer.hpp"
#include "pgdba/core/wait_rows.hpp"
#include "pgdba/host/cpu.hpp"
#include "pgdba/pg/databases.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/wait_memory.hpp"
#include "pgdba/pg/wait_sessions.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// Names for the server's numbers. What is gone, or came a moment ago, is named by its number.
class Names {
public:
	// REQUIRES: an open transaction.
	void learn_databases() {
		for (pg::Database &database : pg::list_databases())
			databases_[database.oid] = std::move(database.name);
	}
	void learn_role(std::uint32_t oid) {
		if (oid == 0 || roles_.contains(oid))
			return;
		if (std::string name = pg::role_name(oid); !name.empty())
			roles_[oid] = std::move(name);
	}
	void learn(const WaitMemory &memory) {
		learn_databases();
		for (std::uint32_t i = 0; i < memory.tally_entries(); ++i)
			if (const WaitTallyEntry &entry = memory.tally_entry(i); entry.sum.samples > 0)
				learn_role(entry.role);
	}

	std::optional<std::string> database(std::uint32_t oid) const { return find(databases_, oid); }
	std::optional<std::string> role(std::uint32_t oid) const { return find(roles_, oid); }
	static std::optional<std::string> application(const char *name) {
		return name[0] == '\0' ? std::nullopt : std::optional(valid_utf8(name));
	}
	const std::pair<std::string, std::string> &event(std::uint32_t number) {
		const auto found = events_.find(number);
		return found != events_.end()
				   ? found->second
				   : events_.emplace(number, pg::wait_event_name(number)).first->second;
	}

private:
	using ByOid = std::map<std::uint32_t, std::string>;
	static std::optional<std::string> find(const ByOid &names, std::uint32_t oid) {
		if (oid == 0)
			return std::nullopt;
		const auto found = names.find(oid);
		return found != names.end() ? found->second : std::to_string(oid);
	}
	ByOid databases_, roles_;
	std::map<std::uint32_t, std::pair<std::string, std::string>> events_;
};

std::vector<WaitRow> named_rows(const WaitMemory &memory, Names &names) {
	std::vector<WaitRow> rows = folded_rows(memory);
	for (std::uint32_t i = 0; i < memory.tally_entries(); ++i) {
		const WaitTallyEntry &entry = memory.tally_entry(i);
		if (entry.sum.samples == 0)
			continue;
		WaitRow &row = rows.emplace_back();
		row.database = names.database(entry.database);
		row.role = names.role(entry.role);
		row.application_name = Names::application(entry.application_name);
		row.query_id = entry.query_id;
		row.state = entry.state;
		row.wait_class = wait_class_of(entry.event);
		std::tie(row.event_type, row.event) = names.event(entry.event);
		row.sum = entry.sum;
	}
	return fold_waits(std::move(rows));
}

void add_rows(Sample &sample, const std::vector<WaitRow> &rows, Micros span) {
	sample.reserve(rows.size());
	for (const WaitRow &row : rows) {
		RowWriter out(sample);
		out.text_if("db", row.database);
		out.text_if("role", row.role);
		out.text_if("application_name", row.application_name);
		out.known("query_id", row.query_id);
		out.text("state", name_of(row.state));
		out.text("event_type", row.event_type);
		out.text("event", row.event);
		out.text("class", name_of(row.wait_class));
		out.integer("samples", row.sum.samples);
		out.seconds("seconds", row.sum.time);
		out.seconds("blocked_seconds", row.sum.blocked);
		out.truth("folded", row.folded);
		out.seconds("span_seconds", span);
	}
}

Sample plain_sample(const std::vector<std::pair<std::string, Type>> &columns) {
	Sample sample;
	sample.set_columns(plain_columns(columns));
	return sample;
}

// Whether the tally was taken since wait_tick told of that.
constinit bool taken = false;

} // namespace

std::vector<std::pair<std::string, Type>> wait_columns() {
	return {{"db", Type::kText},
			{"role", Type::kText},
			{"application_name", Type::kText},
			{"query_id", Type::kInt8},
			{"state", Type::kText},
			{"event_type", Type::kText},
			{"event", Type::kText},
			{"class", Type::kText},
			{"samples", Type::kInt8},
			{"seconds", Type::kFloat8},
			{"blocked_seconds", Type::kFloat8},
			{"folded", Type::kBool},
			{"span_seconds", Type::kFloat8}};
}

std::vector<std::pair<std::string, Type>> wait_tick_columns() {
	return {{"rate", Type::kInt8},
			{"ticks", Type::kInt8},
			{"late_ticks", Type::kInt8},
			{"missed_ticks", Type::kInt8},
			{"span_seconds", Type::kFloat8},
			{"gap_seconds", Type::kFloat8},
			{"cpus", Type::kFloat8},
			{"cpu_seconds", Type::kFloat8},
			{"runnable_seconds", Type::kFloat8},
			{"sampler_cpu_seconds", Type::kFloat8},
			{"dropped", Type::kInt8},
			{"all_ticks", Type::kInt8},
			{"all_missed_ticks", Type::kInt8},
			{"all_gap_seconds", Type::kFloat8},
			{"all_sampler_cpu_seconds", Type::kFloat8},
			{"all_dropped", Type::kInt8}};
}

// Names first: what fails there takes nothing away.
Sample wait_sample(const ProbeDefinition &definition) {
	Sample sample;
	sample.set_columns(describe_columns(definition, wait_columns()));
	Names names;
	{
		const pg::WaitCopy seen(pg::WaitCopy::Part::kTally);
		pg::Transaction transaction(true);
		names.learn(*seen);
		transaction.commit();
	}
	const pg::WaitCopy memory = pg::WaitCopy::take();
	taken = true;
	add_rows(sample, named_rows(*memory, names), memory->counters().since(memory->taken()).span);
	return sample;
}

Sample wait_tick_sample(const ProbeDefinition &definition) {
	Sample sample;
	sample.set_columns(describe_columns(definition, wait_tick_columns()));
	if (!std::exchange(taken, false))
		return sample;
	const pg::WaitCopy memory(pg::WaitCopy::Part::kCounters);
	const WaitCounters &all = memory->taken();
	const WaitCounters step = all.since(memory->before());
	RowWriter out(sample);
	out.integer("rate", pg::settings().wait_rate);
	out.integer("ticks", step.ticks);
	out.integer("late_ticks", step.late);
	out.integer("missed_ticks", step.missed);
	out.seconds("span_seconds", step.span);
	out.seconds("gap_seconds", step.gap);
	if (const auto cpus = usable_cpus())
		out.real("cpus", *cpus);
	// Of some sessions the system was asked; the others are taken to have fared like them.
	if (step.measured > 0 || step.cpu == 0) {
		const double measured = static_cast<double>(std::max<Micros>(step.measured, 1));
		const double on_cpu = std::min(1.0, static_cast<double>(step.on_cpu) / measured);
		const double ready = std::min(1.0 - on_cpu, static_cast<double>(step.ready) / measured);
		const double seconds = static_cast<double>(step.cpu) / kMicrosPerSecond;
		out.real("cpu_seconds", on_cpu * seconds);
		out.real("runnable_seconds", ready * seconds);
	}
	out.seconds("sampler_cpu_seconds", step.own_cpu);
	out.integer("dropped", step.dropped);
	out.integer("all_ticks", all.ticks);
	out.integer("all_missed_ticks", all.missed);
	out.seconds("all_gap_seconds", all.gap);
	out.seconds("all_sampler_cpu_seconds", all.own_cpu);
	out.integer("all_dropped", all.dropped);
	return sample;
}

Sample waits_now() {
	const pg::WaitCopy memory(pg::WaitCopy::Part::kTally);
	Names names;
	names.learn(*memory);
	Sample sample = plain_sample(wait_columns());
	add_rows(sample, named_rows(*memory, names), memory->counters().since(memory->taken()).span);
	return sample;
}

Sample wait_runs(Micros since, Micros until) {
	const pg::WaitCopy memory(pg::WaitCopy::Part::kAll);
	std::vector<const WaitRun *> runs;
	for (std::uint32_t i = 0; i < memory->runs(); ++i)
		if (const WaitRun &run = memory->run(i); run.ended > since && run.began < until)
			runs.push_back(&run);
	std::sort(runs.begin(), runs.end(),
			  [](const WaitRun *a, const WaitRun *b) { return a->began < b->began; });
	Names names;
	if (!runs.empty())
		names.learn_databases();
	Sample sample = plain_sample({{"pid", Type::kInt8},
								  {"backend_start", Type::kTimestamp},
								  {"db", Type::kText},
								  {"role", Type::kText},
								  {"application_name", Type::kText},
								  {"backend_type", Type::kText},
								  {"state", Type::kText},
								  {"event_type", Type::kText},
								  {"event", Type::kText},
								  {"class", Type::kText},
								  {"query_id", Type::kInt8},
								  {"xact_start", Type::kTimestamp},
								  {"leader_pid", Type::kInt8},
								  {"blocked", Type::kBool},
								  {"began", Type::kTimestamp},
								  {"ended", Type::kTimestamp},
								  {"samples", Type::kInt8},
								  {"seconds", Type::kFloat8}});
	sample.reserve(runs.size());
	for (const WaitRun *const run : runs) {
		const WaitSession &who = memory->session_of(*run);
		names.learn_role(who.role);
		const auto &[type, event] = names.event(run->event);
		const Micros began = std::max(run->began, since), ended = std::min(run->ended, until);
		const Micros whole = std::max<Micros>(1, run->ended - run->began);
		RowWriter out(sample);
		out.integer("pid", who.pid);
		out.known("backend_start", who.backend_start);
		out.text_if("db", names.database(who.database));
		out.text_if("role", names.role(who.role));
		out.text_if("application_name", Names::application(who.application_name));
		out.text("backend_type",
				 who.leader_pid != 0 ? "parallel worker" : pg::backend_type_name(who.backend_type));
		out.text("state", name_of(run->state));
		out.text("event_type", type);
		out.text("event", event);
		out.text("class", name_of(wait_class_of(run->event)));
		out.known("query_id", run->query_id);
		out.known("xact_start", run->xact_start);
		out.known("leader_pid", who.leader_pid);
		out.truth("blocked", run->blocked);
		out.integer("began", began);
		out.integer("ended", ended);
		// As many as fall into the time asked for, and at least the one that it is known by.
		out.integer("samples",
					std::max<std::int64_t>(1, std::llround(static_cast<double>(run->samples) *
														   static_cast<double>(ended - began) /
														   static_cast<double>(whole))));
		out.seconds("seconds", ended - began);
	}
	return sample;
}

Micros wait_runs_since() {
	const pg::WaitCopy memory(pg::WaitCopy::Part::kCounters);
	return std::max(memory->complete_since(), memory->first_tick());
}

} // namespace pgdba
