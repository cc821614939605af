#include "pgdba/sampler/report.hpp"

#include "pgdba/pg/options.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/version.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/rings/window.hpp"
#include "pgdba/sampler/judge.hpp"

#include <algorithm>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

std::vector<Verdict> live_verdicts() {
	const SamplePointer sample = last_sample("verdict", kLoops[0], 0);
	if (sample == nullptr)
		return {};
	std::vector<Verdict> verdicts = verdicts_from_sample(*sample);
	const Micros now = pg::now();
	mark_stale(verdicts, pg::loop_states(pg::snapshot_head(), now), now);
	return verdicts;
}

std::vector<Verdict> past_verdicts(Micros as_of) {
	const pg::AsOf showing(as_of);
	const Definitions definitions = load_definitions();
	JudgeContext context;
	context.definitions = &definitions;
	context.at = as_of;
	context.as_of = true;
	for (std::size_t i = 0; i < kLoops.size(); ++i)
		context.intervals[std::string(kLoops[i])] =
			Micros{pg::settings().loops[i].interval_ms} * 1000;
	std::vector<Verdict> verdicts = evaluate_checks(context, {});
	if (const SamplePointer then = last_sample("verdict", kLoops[0], as_of))
		carry_since(verdicts, verdicts_from_sample(*then));
	sort_verdicts(verdicts);
	return verdicts;
}

std::vector<std::string> notices(const pg::SharedHead &head, Micros now) {
	if (head.paused_until > now)
		return {"pgdba is paused until " + format_time(head.paused_until) +
				"; SELECT pgdba.resume() ends that"};
	if (head.missing[0] != '\0')
		return {std::string("nothing is sampled: ") + head.missing};
	const pg::ProcessSlot &sampler = head.processes[static_cast<int>(pg::Role::kSampler)];
	if (sampler.pid != 0)
		return {};
	std::string why = "the sampler is not running";
	if (sampler.last_error[0] != '\0')
		why += std::string(": ") + sampler.last_error;
	return {why + "; see pgdba.processes"};
}

// Packages bring a new library and new files; the objects of a database are brought up to them by
// hand. Its own checks cannot say so: they are the old ones.
std::string update_due() {
	const Sample here = pg::select_rows(
		"SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) "
		"'pgdba'");
	if (here.rows() == 0 || here.at(0, std::size_t{0}).text == pg::version())
		return {};
	return "the library of pgdba is version " + std::string(pg::version()) +
		   ", its objects in this database are " + std::string(here.at(0, std::size_t{0}).text) +
		   "; ALTER EXTENSION pgdba UPDATE; brings them together";
}

} // namespace

std::vector<Verdict> verdicts_at(Micros as_of) {
	pg::require_preload();
	return as_of == 0 ? live_verdicts() : past_verdicts(as_of);
}

HealthReport health_report(Micros as_of) {
	HealthReport report;
	report.verdicts = verdicts_at(as_of);
	report.cluster = pg::cluster_label();
	report.server_version = pg::option("server_version");
	report.server_version = report.server_version.substr(0, report.server_version.find(' '));
	report.version = pg::version();
	report.in_recovery = pg::in_recovery();
	const pg::SharedHead head = pg::snapshot_head();
	report.checks = static_cast<std::size_t>(head.checks);
	report.now = as_of == 0 ? pg::now() : as_of;
	for (const Verdict &verdict : report.verdicts)
		report.sampled_at = std::max(report.sampled_at, verdict.sampled_at);
	if (as_of == 0) {
		report.loops = pg::loop_states(head, report.now);
		report.notices = notices(head, report.now);
		if (std::string due = update_due(); !due.empty())
			report.notices.push_back(std::move(due));
	}
	return report;
}

} // namespace pgdba
