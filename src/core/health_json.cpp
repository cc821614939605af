// pgdba.health_json(): the same report for programs.
#include "pgdba/core/health.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

#include "report_json.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

using nlohmann::ordered_json;

ordered_json text_json(const std::string &text) {
	return valid_utf8(text);
}

// What a view would show as NULL.
ordered_json optional_json(const std::string &text) {
	return text.empty() ? ordered_json(nullptr) : text_json(text);
}

ordered_json number_json(std::optional<double> value) {
	return value && std::isfinite(*value) ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json time_json(Micros at) {
	const std::string text = iso_time(at);
	return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

// jsonb refuses \u0000, and evidence may come from another program.
void make_valid(ordered_json &value) {
	if (value.is_string()) {
		value = valid_utf8(value.get_ref<const std::string &>());
		return;
	}
	if (value.is_array()) {
		for (ordered_json &each : value)
			make_valid(each);
	} else if (value.is_object()) {
		ordered_json out = ordered_json::object();
		for (auto &[key, each] : value.items()) {
			make_valid(each);
			out[valid_utf8(key)] = std::move(each);
		}
		value = std::move(out);
	}
}

ordered_json evidence_json(const std::string &evidence) {
	ordered_json out = ordered_json::parse(evidence, nullptr, false);
	if (!out.is_object())
		return ordered_json::object();
	make_valid(out);
	return out;
}

ordered_json verdict_json(const Verdict &verdict) {
	return {{"check_id", text_json(verdict.check_id)},
			{"area", text_json(verdict.area)},
			{"severity", severity_name(verdict.severity)},
			{"object", text_json(verdict.object)},
			{"database", optional_json(verdict.database)},
			{"message", text_json(verdict.message)},
			{"value", number_json(verdict.value)},
			{"unit", optional_json(verdict.unit)},
			{"warning", number_json(verdict.warning)},
			{"critical", number_json(verdict.critical)},
			{"since", time_json(verdict.since)},
			{"sampled_at", time_json(verdict.sampled_at)},
			{"evidence", evidence_json(verdict.evidence)},
			{"why", optional_json(verdict.why)},
			{"action", optional_json(verdict.action)},
			{"sql", optional_json(verdict.sql)},
			{"lock_level", optional_json(verdict.lock_level)},
			{"undo", optional_json(verdict.undo)},
			{"symptom_of", optional_json(verdict.symptom_of)}};
}

ordered_json loop_json(const LoopState &loop) {
	return {{"loop", text_json(loop.loop)},
			{"last", time_json(loop.last)},
			{"late", loop.late},
			{"degraded", loop.degraded},
			{"interval_seconds", in_seconds(loop.interval)},
			{"reason", optional_json(loop.reason)}};
}

ordered_json counts_json(const std::vector<Verdict> &verdicts) {
	ordered_json out = ordered_json::object();
	for (const Severity severity : {Severity::kCritical, Severity::kWarning, Severity::kUnknown,
									Severity::kInfo, Severity::kOk})
		out[std::string(severity_name(severity))] = 0;
	for (const Verdict &verdict : verdicts) {
		ordered_json &count = out[std::string(severity_name(verdict.severity))];
		count = count.get<int>() + 1;
	}
	return out;
}

} // namespace

std::string health_json(const HealthReport &report) {
	std::vector<Verdict> sorted = report.verdicts;
	sort_verdicts(sorted);
	ordered_json verdicts = ordered_json::array(), loops = ordered_json::array(),
				 notices = ordered_json::array();
	for (const Verdict &verdict : sorted)
		verdicts.push_back(verdict_json(verdict));
	for (const LoopState &loop : report.loops)
		loops.push_back(loop_json(loop));
	for (const std::string &notice : report.notices)
		notices.push_back(text_json(notice));
	const bool sampled = report.sampled_at != 0;
	const ordered_json out = {
		{"cluster", text_json(report.cluster)},
		{"server_version", text_json(report.server_version)},
		{"version", text_json(report.version)},
		{"in_recovery", report.in_recovery},
		{"state", severity_name(overall(report))},
		{"sampled_at", time_json(report.sampled_at)},
		{"age_seconds",
		 sampled ? ordered_json(in_seconds(std::max<Micros>(0, report.now - report.sampled_at)))
				 : ordered_json(nullptr)},
		{"loops", std::move(loops)},
		{"notices", std::move(notices)},
		{"checks", report.checks},
		{"counts", counts_json(sorted)},
		{"verdicts", std::move(verdicts)}};
	return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace pgdba
