#include "pgdba/sampler/judge.hpp"

#include "pgdba/core/health.hpp"
#include "pgdba/pg/error.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/rings/window.hpp"

#include <cmath>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::int64_t kMostFindings = 100; // per check; the rest is counted
constexpr Micros kStaleIntervals = 3;

Verdict unknown(const CheckDefinition &check, const JudgeContext &context, std::string message) {
	Verdict verdict;
	verdict.check_id = check.id;
	verdict.area = check.area();
	verdict.object = "cluster";
	verdict.severity = Severity::kUnknown;
	verdict.message = std::move(message);
	verdict.since = verdict.sampled_at = context.at;
	verdict.why = check.why;
	verdict.loop = check.loop;
	return verdict;
}

// The sampler judges outside a transaction; looking into the tables needs one. RETURNS: null when
// they cannot be looked at now.
SamplePointer newest_sample(const std::string &probe, const std::string &loop) {
	if (SamplePointer live = live_sample(probe))
		return live;
	try {
		pg::Transaction transaction(true);
		SamplePointer kept = last_sample(probe, loop, 0);
		transaction.commit();
		return kept;
	} catch (const pg::PgError &) { // aborted: by the transaction
		return nullptr;
	}
}

// Why a probe's samples cannot be judged at this moment, or nothing. `sampled_at` becomes the
// newest sample's time.
std::string blind(const std::string &name, const JudgeContext &context, Micros *sampled_at) {
	const ProbeDefinition *const probe = context.definitions->probe(name);
	if (probe == nullptr)
		return "probe \"" + name + "\" does not exist";
	const SamplePointer sample = context.as_of ? last_sample(name, probe->ring, context.at)
											   : newest_sample(name, probe->ring);
	if (sample == nullptr) {
		const auto why = context.unavailable.find(name);
		return "probe \"" + name + "\" has no sample" +
			   (why == context.unavailable.end() ? "" : ": " + why->second);
	}
	// By the interval in force when it was taken, or by the one set now, whichever is longer: a
	// changed setting must not make the past stale.
	const auto set = context.intervals.find(probe->ring);
	const Micros interval =
		std::max(sample->interval, set == context.intervals.end() ? 0 : set->second);
	const Micros age = context.at - sample->sampled_at;
	if (interval > 0 && age > kStaleIntervals * interval) {
		const auto why = context.unavailable.find(name);
		return "the newest sample of probe \"" + name + "\" is " +
			   format_duration(static_cast<double>(age) / kMicrosPerSecond) + " old" +
			   (why == context.unavailable.end() ? "" : ": " + why->second);
	}
	*sampled_at = std::max(*sampled_at, sample->sampled_at);
	return {};
}

Finding finding_from(const Sample &rows, std::size_t row) {
	Finding finding;
	finding.object = rows.at(row, "object").text;
	finding.database = rows.at(row, "database").text;
	finding.unit = rows.at(row, "unit").text;
	if (const Cell value = rows.at(row, "value"); !value.null && std::isfinite(value.number()))
		finding.value = value.number();
	if (const Cell evidence = rows.at(row, "evidence"); !evidence.null)
		finding.evidence = evidence.text;
	for (std::size_t column = 0; column < rows.columns().size(); ++column) {
		const Cell cell = rows.at(row, column);
		if (!cell.null && (cell.type == Type::kInt8 || cell.type == Type::kFloat8))
			finding.named[rows.columns()[column].name] = cell.number();
	}
	return finding;
}

std::optional<Severity> severity_before(const JudgeContext &context, std::string_view check,
										std::string_view object) {
	if (context.before != nullptr)
		for (const Verdict &verdict : *context.before)
			if (verdict.check_id == check && verdict.object == object)
				return verdict.severity;
	return std::nullopt;
}

std::vector<Verdict> judge_rows(const CheckDefinition &check, const JudgeContext &context,
								const Sample &rows, Micros sampled_at) {
	std::vector<ThresholdOverride> overrides;
	for (const ThresholdOverride &override : context.definitions->overrides)
		if (override.check_id == check.id)
			overrides.push_back(override);
	std::vector<Verdict> verdicts;
	for (std::size_t row = 0; row < rows.rows(); ++row) {
		const Finding finding = finding_from(rows, row);
		const Judgement judgement = judge(check.threshold, overrides, finding,
										  severity_before(context, check.id, finding.object));
		if (judgement.severity != Severity::kOk)
			verdicts.push_back(make_verdict(check, finding, judgement, sampled_at));
	}
	sort_verdicts(verdicts);
	if (const auto most = static_cast<std::size_t>(kMostFindings); verdicts.size() > most) {
		const auto lost = static_cast<std::int64_t>(verdicts.size() - most) + rows.cut;
		pg::write_head([lost](pg::SharedHead &head) { head.dropped_findings += lost; });
		verdicts.resize(most);
	}
	return verdicts;
}

} // namespace

std::vector<Verdict> evaluate_check(const CheckDefinition &check, const JudgeContext &context) {
	Micros sampled_at = 0;
	for (const std::vector<std::string> *const names : {&check.needs, &check.probes})
		for (const std::string &name : *names)
			if (std::string why = blind(name, context, &sampled_at); !why.empty())
				return {unknown(check, context, std::move(why))};
	if (sampled_at == 0)
		sampled_at = context.at;
	std::vector<Verdict> verdicts;
	try {
		pg::QueryLimits limits;
		limits.budget = context.budget;
		limits.max_rows = 10 * kMostFindings;
		limits.keep_plan = is_frequent(check.loop);
		const pg::QueryResult result = pg::run_sandboxed(check.query, limits);
		verdicts = judge_rows(check, context, result.rows, sampled_at);
	} catch (const pg::PgError &error) { // aborted: by the sandbox, before this is reached
		if (context.as_of && error.state().starts_with("57"))
			throw; // the caller's own cancel or time-out
		return {unknown(check, context, "its query failed: " + error.message)};
	}
	if (verdicts.empty()) {
		Finding quiet;
		quiet.object = "cluster";
		Verdict ok = make_verdict(
			check, quiet, {Severity::kOk, check.threshold.warning, check.threshold.critical},
			sampled_at);
		ok.message = check.title;
		ok.action = ok.sql = ok.undo = ok.lock_level = {};
		verdicts.push_back(std::move(ok));
	}
	return verdicts;
}

std::vector<Verdict> evaluate_checks(const JudgeContext &context, std::string_view loop) {
	std::vector<Verdict> all;
	for (const CheckDefinition &check : context.definitions->checks)
		if (loop.empty() || check.loop == loop) {
			std::vector<Verdict> verdicts = evaluate_check(check, context);
			all.insert(all.end(), std::make_move_iterator(verdicts.begin()),
					   std::make_move_iterator(verdicts.end()));
		}
	for (const auto &[name, why] : context.definitions->broken)
		if (name.find('.') != std::string::npos && loop.empty()) {
			CheckDefinition check;
			check.id = name;
			all.push_back(unknown(check, context, "check \"" + name + "\" cannot be read: " + why));
		}
	return all;
}

} // namespace pgdba
