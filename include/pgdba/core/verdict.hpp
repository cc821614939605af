// Verdicts: a finding set against its thresholds, with everything a tired person needs to act on
// it.
#pragma once

#include "pgdba/core/definition.hpp"
#include "pgdba/core/sample.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

// Ordered by how bad it is: the overall state is the largest present (info is worse than ok,
// unknown than info).
enum class Severity : std::uint8_t { kOk, kInfo, kUnknown, kWarning, kCritical };
std::string_view
severity_name(Severity severity) noexcept; // "ok", "info", "unknown", "warning", "critical"
Severity severity_from(std::string_view name) noexcept; // unknown text is kUnknown

// One row of a check's query. A missing value is unknown, never ok.
struct Finding {
	std::string object, database, unit;
	std::optional<double> value;
	std::string evidence = "{}";         // JSON object
	std::map<std::string, double> named; // the further number columns, for floors
};

struct Verdict {
	std::string check_id, area, object, database, message, unit;
	Severity severity = Severity::kUnknown;
	std::optional<double> value, warning, critical;
	Micros since = 0, sampled_at = 0;
	std::string evidence = "{}";
	std::string why, action, sql, lock_level, undo, symptom_of;
	std::string loop; // of its check; not shown, tells when the verdict is stale
};

// The severity of a finding, and the thresholds it was set against.
struct Judgement {
	Severity severity = Severity::kUnknown;
	std::optional<double> warning, critical;
};
// Strictly beyond a threshold counts ("> 30 s"). A floor that the finding does not exceed makes it
// ok. `was` (the severity before, if any) gives `clear` its meaning: a finding leaves warning only
// beyond `clear`.
Judgement judge(const Threshold &threshold, const std::vector<ThresholdOverride> &overrides,
				const Finding &finding, std::optional<Severity> was);
bool like(std::string_view text,
		  std::string_view pattern) noexcept; // SQL LIKE with % and _, case matters

// Renders one template: {key}, {key:I} identifier, {key:L} literal (quoted as quote_ident and
// quote_literal do), {key:duration} "2 min 5 s", {key:bytes} "1.5 GB", {key:count} "1,234,567",
// {key:percent} "12.5 %", {{ and }} for braces. Keys: the evidence's, then object, database, value,
// unit. A missing key renders as "?" in messages and makes SQL empty (render_sql), because half a
// statement must never be printed. In SQL, plain {key} is allowed only for numbers.
std::string render_message(std::string_view text, const Finding &finding);
std::string render_sql(std::string_view text, const Finding &finding);
std::string render_object(std::string_view text, const Sample &sample,
						  std::size_t row); // ProbeDefinition::object
// THROWS BadDefinition on unbalanced braces or an unknown format; `sql` also refuses what
// render_sql would leave raw.
void check_template(std::string_view text, bool sql);
std::vector<std::string> template_keys(std::string_view text); // in order of appearance
std::string quote_identifier(
	std::string_view name); // as quote_ident: bare when lower-case, not a reserved word
std::string quote_literal(std::string_view text); // as quote_literal, E'' when it holds a backslash

// A verdict from a check and a finding.
Verdict make_verdict(const CheckDefinition &check, const Finding &finding,
					 const Judgement &judgement, Micros sampled_at);

// The verdict set of one evaluation as a sample of the built-in probe `verdict` (rings, views and
// pages read it there).
Sample verdicts_to_sample(const std::vector<Verdict> &verdicts, Micros sampled_at);
std::vector<Verdict> verdicts_from_sample(const Sample &sample); // missing columns stay empty
std::vector<Column> verdict_columns();

// Carries `since` over from the set before: same check and object, same severity keeps its since.
// Sorted worst first.
void carry_since(std::vector<Verdict> &now, const std::vector<Verdict> &before);
void sort_verdicts(std::vector<Verdict> &verdicts);

} // namespace pgdba
