// Verdicts: made from findings, carried from one evaluation to the next, and kept as samples.
#include "pgdba/core/verdict.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include <nlohmann/json.hpp>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> kSeverities = {"ok", "info", "unknown", "warning",
														 "critical"};

// Why a finding could not be judged: its query's own words when it gives some.
std::string unknown_reason(const CheckDefinition &check, const Finding &finding) {
	const json evidence = json::parse(finding.evidence, nullptr, false);
	if (evidence.is_object()) {
		if (const auto found = evidence.find("reason");
			found != evidence.end() && found->is_string())
			return valid_utf8(found->get_ref<const std::string &>());
	}
	if (!finding.value)
		return "it has no value";
	if (std::isnan(*finding.value))
		return "its value is not a number";
	for (const auto &[column, floor] : check.threshold.floor) {
		const auto found = finding.named.find(column);
		if (column != "value" && (found == finding.named.end() || std::isnan(found->second)))
			return "it has no value for \"" + column + "\"";
	}
	return "it could not be set against its thresholds";
}

// How far beyond its own level a verdict is: only to order verdicts of one check.
double badness(const Verdict &verdict) noexcept {
	if (!verdict.value || std::isnan(*verdict.value))
		return -HUGE_VAL;
	const bool below = verdict.warning && verdict.critical && *verdict.critical < *verdict.warning;
	return below ? -*verdict.value : *verdict.value;
}

// Each column of the set: its name, type, and how it is written and read.
struct Field {
	const char *name;
	Type type;
	std::string Verdict::*text = nullptr;
	std::optional<double> Verdict::*number = nullptr;
	Micros Verdict::*time = nullptr;
};
constexpr std::array<Field, 20> kFields = {{
	{"db", Type::kText, &Verdict::database},
	{"check_id", Type::kText, &Verdict::check_id},
	{"area", Type::kText, &Verdict::area},
	{"severity", Type::kText},
	{"object", Type::kText, &Verdict::object},
	{"message", Type::kText, &Verdict::message},
	{"value", Type::kFloat8, nullptr, &Verdict::value},
	{"unit", Type::kText, &Verdict::unit},
	{"warning", Type::kFloat8, nullptr, &Verdict::warning},
	{"critical", Type::kFloat8, nullptr, &Verdict::critical},
	{"since", Type::kTimestamp, nullptr, nullptr, &Verdict::since},
	{"judged_at", Type::kTimestamp, nullptr, nullptr, &Verdict::sampled_at},
	{"evidence", Type::kJson, &Verdict::evidence},
	{"why", Type::kText, &Verdict::why},
	{"action", Type::kText, &Verdict::action},
	{"sql", Type::kText, &Verdict::sql},
	{"lock_level", Type::kText, &Verdict::lock_level},
	{"undo", Type::kText, &Verdict::undo},
	{"symptom_of", Type::kText, &Verdict::symptom_of},
	{"loop", Type::kText, &Verdict::loop},
}};

} // namespace

std::string_view severity_name(Severity severity) noexcept {
	const auto index = static_cast<std::size_t>(severity);
	return index < kSeverities.size() ? kSeverities[index] : "unknown";
}

Severity severity_from(std::string_view name) noexcept {
	const auto found = std::find(kSeverities.begin(), kSeverities.end(), name);
	return found == kSeverities.end() ? Severity::kUnknown
									  : static_cast<Severity>(found - kSeverities.begin());
}

Verdict make_verdict(const CheckDefinition &check, const Finding &finding,
					 const Judgement &judgement, Micros sampled_at) {
	Verdict out;
	out.check_id = check.id;
	out.area = check.area();
	out.object = finding.object.empty() ? "cluster" : finding.object;
	out.database = finding.database;
	out.unit = finding.unit;
	out.severity = judgement.severity;
	out.value = finding.value && !std::isnan(*finding.value) ? finding.value : std::nullopt;
	out.warning = judgement.warning;
	out.critical = judgement.critical;
	out.since = out.sampled_at = sampled_at;
	out.evidence =
		json::parse(finding.evidence, nullptr, false).is_object() ? finding.evidence : "{}";
	out.symptom_of = check.symptom_of;
	out.loop = check.loop;
	if (out.severity == Severity::kOk) {
		out.message = check.title; // nothing to explain, nothing to do
		return out;
	}
	out.why = render_message(check.why, finding);
	if (out.severity == Severity::kUnknown) {
		out.message = check.title + (out.object == "cluster" ? "" : " (" + out.object + ")") +
					  ": cannot be judged, " + unknown_reason(check, finding);
		return out; // and no SQL: nobody knows whether it would help
	}
	out.message = render_message(check.message, finding);
	out.action = render_message(check.action, finding);
	for (const std::string &statement : check.sql)
		if (const std::string text = render_sql(statement, finding); !text.empty())
			out.sql += (out.sql.empty() ? "" : "\n") + text;
	out.undo = render_sql(check.undo, finding);
	out.lock_level = check.lock_level;
	return out;
}

std::vector<Column> verdict_columns() {
	std::vector<Column> out;
	for (const Field &field : kFields) {
		Column column;
		column.name = field.name;
		column.type = field.type;
		column.key = column.name == "check_id" || column.name == "object";
		column.kind = column.key || column.name == "db" ? Kind::kLabel : Kind::kInfo;
		out.push_back(std::move(column));
	}
	return out;
}

Sample verdicts_to_sample(const std::vector<Verdict> &verdicts, Micros sampled_at) {
	Sample out;
	out.probe = "verdict";
	out.sampled_at = sampled_at;
	out.set_columns(verdict_columns());
	out.reserve(verdicts.size());
	for (const Verdict &verdict : verdicts) {
		const std::size_t row = out.add_row();
		for (std::size_t i = 0; i < kFields.size(); ++i) {
			const Field &field = kFields[i];
			if (field.text != nullptr && !(verdict.*field.text).empty())
				out.set_text(row, i, verdict.*field.text);
			else if (field.number != nullptr && (verdict.*field.number).has_value())
				out.set_float(row, i, *(verdict.*field.number));
			else if (field.time != nullptr && verdict.*field.time != 0)
				out.set_int(row, i, verdict.*field.time);
			else if (field.text == nullptr && field.number == nullptr && field.time == nullptr)
				out.set_text(row, i, severity_name(verdict.severity));
		}
	}
	return out;
}

std::vector<Verdict> verdicts_from_sample(const Sample &sample) {
	std::vector<Verdict> out(sample.rows());
	for (std::size_t row = 0; row < out.size(); ++row) {
		Verdict &verdict = out[row];
		for (const Field &field : kFields) {
			const Cell cell = sample.at(row, field.name);
			const bool text = cell.type == Type::kText || cell.type == Type::kJson;
			if (cell.null || text != (field.type == Type::kText || field.type == Type::kJson))
				continue;
			if (field.text != nullptr)
				verdict.*field.text = cell.text;
			else if (field.number != nullptr)
				verdict.*field.number = cell.number();
			else if (field.time != nullptr)
				verdict.*field.time = cell.integer;
			else
				verdict.severity = severity_from(cell.text);
		}
	}
	return out;
}

void carry_since(std::vector<Verdict> &now, const std::vector<Verdict> &before) {
	std::map<std::pair<std::string_view, std::string_view>, const Verdict *> known;
	for (const Verdict &verdict : before)
		known.emplace(
			std::pair(std::string_view(verdict.check_id), std::string_view(verdict.object)),
			&verdict);
	for (Verdict &verdict : now) {
		const auto found = known.find({verdict.check_id, verdict.object});
		if (found != known.end() && found->second->severity == verdict.severity &&
			found->second->since != 0)
			verdict.since = found->second->since;
	}
	sort_verdicts(now);
}

void sort_verdicts(std::vector<Verdict> &verdicts) {
	std::stable_sort(verdicts.begin(), verdicts.end(), [](const Verdict &a, const Verdict &b) {
		const bool a_symptom = !a.symptom_of.empty(), b_symptom = !b.symptom_of.empty();
		const double a_bad = badness(a), b_bad = badness(b);
		// The reversed members make "worse" come first; a cause comes before what it causes.
		return std::tie(b.severity, a_symptom, a.check_id, b_bad, a.object) <
			   std::tie(a.severity, b_symptom, b.check_id, a_bad, b.object);
	});
}

} // namespace pgdba
