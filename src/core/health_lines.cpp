// pgdba.health(): what a person reads at night. Worst first, each verdict with what to do about it,
// nothing twice.
#include "pgdba/core/health.hpp"

#include "page.hpp"
#include "text.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::size_t kMostVerdicts = 12; // in full, per severity
constexpr std::size_t kMostSymptoms = 5;  // per cause

std::string upper(std::string_view text) {
	std::string out(text);
	for (char &c : out)
		c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
	return out;
}

std::string counted(std::size_t n, std::string_view one, std::string_view many) {
	return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

std::string age(Micros from, Micros to) {
	// Whole seconds: a page that is read by people needs no more, and a clock step must not print
	// "-1 s old".
	return format_duration(
		static_cast<double>(std::max<Micros>(0, (to - from) / kMicrosPerSecond)));
}

bool is_alarm(Severity severity) noexcept {
	return severity >= Severity::kWarning;
}

// A cause with the verdicts that follow from it. Its rank is the worst of them, so that nothing bad
// moves down.
struct Group {
	const Verdict *cause = nullptr;
	std::vector<const Verdict *> symptoms;
	Severity rank = Severity::kOk;
};

using ByCheck = std::map<std::string_view, std::vector<const Verdict *>>;

std::string_view kind_of(std::string_view object) noexcept {
	return object.substr(0, object.find(':'));
}

// Whether `cause` may explain `symptom`: the same object does; another of its kind does not (one
// table explains nothing about another); something of another kind does where it is in the same
// database, or either is about the whole cluster.
bool may_explain(const Verdict &cause, const Verdict &symptom) noexcept {
	if (cause.object == symptom.object)
		return cause.database == symptom.database || cause.database.empty();
	return kind_of(cause.object) != kind_of(symptom.object) &&
		   (cause.database == symptom.database || cause.database.empty() ||
			symptom.database.empty());
}

// The alarm that `verdict` is a symptom of in the end; null when it stands on its own, or when the
// checks name each other in a circle (then each stands on its own, because none may be lost).
const Verdict *cause_of(const Verdict &verdict, const ByCheck &alarms) {
	const Verdict *cause = nullptr;
	const Verdict *at = &verdict;
	for (std::size_t steps = 0; !at->symptom_of.empty(); ++steps) {
		const auto found = alarms.find(at->symptom_of);
		if (found == alarms.end())
			break;
		if (steps > alarms.size() || at->symptom_of == verdict.check_id)
			return nullptr;
		const std::vector<const Verdict *> &all = found->second;
		const auto same = std::find_if(all.begin(), all.end(), [&](const Verdict *each) {
			return each->object == at->object && may_explain(*each, *at);
		});
		const auto best = same != all.end()
							  ? same
							  : std::find_if(all.begin(), all.end(), [&](const Verdict *each) {
									return may_explain(*each, *at);
								});
		if (best == all.end())
			break;
		at = cause = *best;
	}
	return cause;
}

std::vector<Group> group(const std::vector<Verdict> &verdicts) {
	ByCheck alarms;
	for (const Verdict &verdict : verdicts) {
		if (is_alarm(verdict.severity))
			alarms[verdict.check_id].push_back(&verdict);
	}
	std::vector<Group> groups;
	std::map<const Verdict *, std::vector<const Verdict *>> symptoms;
	for (const Verdict &verdict : verdicts) {
		if (!is_alarm(verdict.severity))
			continue;
		if (const Verdict *cause = cause_of(verdict, alarms))
			symptoms[cause].push_back(&verdict);
		else
			groups.push_back({&verdict, {}, verdict.severity});
	}
	for (Group &each : groups) {
		each.symptoms = std::move(symptoms[each.cause]);
		for (const Verdict *symptom : each.symptoms)
			each.rank = std::max(each.rank, symptom->severity);
	}
	std::stable_sort(groups.begin(), groups.end(),
					 [](const Group &a, const Group &b) { return a.rank > b.rank; });
	return groups;
}

// "since" in words: how long, from when, and which thresholds the value is beyond.
std::string since_text(const Verdict &verdict, Micros now) {
	std::string out;
	if (verdict.since != 0)
		out = age(verdict.since, now) + ", from " + format_time(verdict.since);
	if (!verdict.value)
		return out;
	const std::optional<double> level = verdict.warning ? verdict.warning : verdict.critical;
	if (!level)
		return out;
	const bool below = verdict.warning && verdict.critical ? *verdict.critical < *verdict.warning
														   : *verdict.value < *level;
	const auto beyond = [&](const std::optional<double> &each) {
		return each && (below ? *verdict.value < *each : *verdict.value > *each);
	};
	std::string broken;
	for (const auto &[name, each] :
		 {std::pair("critical", verdict.critical), std::pair("warning", verdict.warning)}) {
		if (beyond(each))
			broken += (broken.empty() ? "" : " and ") + std::string(name) + " " +
					  format_value(*each, verdict.unit);
	}
	out += (out.empty() ? "" : "; ") + format_value(*verdict.value, verdict.unit);
	if (broken.empty()) // a value between clear and warning keeps its severity
		return out + " is back from " + format_value(*level, verdict.unit) + " but not cleared yet";
	return out + (below ? " is below " : " is above ") + broken;
}

// Statements about what lives inside one database only make sense there.
std::string database_comment(const Verdict &verdict) {
	constexpr std::array<std::string_view, 6> kClusterWide = {"cluster", "database", "session",
															  "slot",    "role",     "setting"};
	const std::string_view kind =
		std::string_view(verdict.object).substr(0, verdict.object.find(':'));
	const bool wide =
		std::find(kClusterWide.begin(), kClusterWide.end(), kind) != kClusterWide.end();
	return wide || verdict.database.empty()
			   ? ""
			   : "in database " + quote_identifier(verdict.database) + ":";
}

void add_undo(Page &page, const Verdict &verdict) {
	const std::size_t last = verdict.undo.find_last_not_of(" \t\r\n");
	if (last != std::string::npos && verdict.undo[last] == ';')
		page.statements("undo", verdict.undo);
	else
		page.labelled("undo", verdict.undo);
}

void add_symptoms(Page &page, const Group &group) {
	std::size_t shown = 0;
	for (const Verdict *symptom : group.symptoms) {
		if (++shown > kMostSymptoms)
			break;
		page.labelled(shown == 1 ? "so also" : "",
					  upper(severity_name(symptom->severity)) + " " + symptom->message);
	}
	if (shown > kMostSymptoms)
		page.labelled("", "and " + std::to_string(group.symptoms.size() - kMostSymptoms) +
							  " more: SELECT * FROM pgdba.verdicts WHERE symptom_of <> '';");
}

void add_verdict(Page &page, const Group &group, Micros now) {
	const Verdict &verdict = *group.cause;
	page.blank();
	page.heading(upper(severity_name(verdict.severity)), verdict.message);
	page.labelled("since", since_text(verdict, now));
	page.labelled("why", verdict.why);
	page.labelled("do", verdict.action);
	page.statements("run", verdict.sql, database_comment(verdict));
	if (!verdict.sql.empty())
		page.labelled("lock", verdict.lock_level);
	add_undo(page, verdict);
	add_symptoms(page, group);
}

void add_more(Page &page, Severity severity, std::size_t hidden) {
	if (hidden == 0)
		return;
	const std::string name(severity_name(severity));
	page.blank();
	page.heading(upper(name), "and " + std::to_string(hidden) +
								  " more: SELECT * FROM pgdba.verdicts WHERE severity = '" + name +
								  "';");
}

void add_alarms(Page &page, const HealthReport &report) {
	const std::vector<Group> groups = group(report.verdicts);
	for (const Severity severity : {Severity::kCritical, Severity::kWarning}) {
		std::size_t seen = 0;
		for (const Group &each : groups) {
			if (each.rank == severity && ++seen <= kMostVerdicts)
				add_verdict(page, each, report.now);
		}
		add_more(page, severity, seen > kMostVerdicts ? seen - kMostVerdicts : 0);
	}
}

std::vector<const Verdict *> of(const HealthReport &report, Severity severity) {
	std::vector<const Verdict *> out;
	for (const Verdict &verdict : report.verdicts) {
		if (verdict.severity == severity)
			out.push_back(&verdict);
	}
	return out;
}

// What cannot be judged, as one block.
void add_unknown(Page &page, const HealthReport &report) {
	const std::vector<const Verdict *> unknown = of(report, Severity::kUnknown);
	if (unknown.empty())
		return;
	page.blank();
	page.heading("UNKNOWN", counted(unknown.size(), "verdict", "verdicts") + " cannot be given:");
	for (std::size_t i = 0; i < unknown.size() && i < kMostVerdicts; ++i)
		page.labelled("", unknown[i]->check_id + ": " + unknown[i]->message);
	if (unknown.size() > kMostVerdicts)
		page.labelled("", "and " + std::to_string(unknown.size() - kMostVerdicts) +
							  " more: SELECT * FROM pgdba.verdicts WHERE severity = 'unknown';");
}

void add_advice(Page &page, const HealthReport &report) {
	const std::vector<const Verdict *> advice = of(report, Severity::kInfo);
	if (advice.empty())
		return;
	page.blank();
	for (std::size_t i = 0; i < advice.size() && i < kMostVerdicts; ++i) {
		page.heading(i == 0 ? "advice" : "", advice[i]->message);
		page.statements("run", advice[i]->sql, database_comment(*advice[i]));
	}
	if (advice.size() > kMostVerdicts)
		page.heading("", "and " + std::to_string(advice.size() - kMostVerdicts) +
							 " more: SELECT * FROM pgdba.verdicts WHERE severity = 'info';");
}

void add_loops(Page &page, const HealthReport &report) {
	for (const LoopState &loop : report.loops) {
		if (!loop.late && !loop.degraded)
			continue;
		std::string text = "loop \"" + loop.loop + "\"";
		if (loop.late)
			text += loop.last == 0 ? " has never run"
								   : " last ran " + age(loop.last, report.now) + " ago";
		else
			text += " is degraded";
		page.heading(loop.late ? "LATE" : "DEGRADED",
					 text + (loop.reason.empty() ? "" : ": " + loop.reason));
	}
}

// "5 checks quiet": of checks that are defined but gave no verdict yet it says so.
std::string quiet_text(const HealthReport &report, bool alone) {
	std::vector<std::string_view> judged;
	std::size_t quiet = 0;
	for (const Verdict &verdict : report.verdicts) {
		quiet += verdict.severity == Severity::kOk;
		judged.push_back(verdict.check_id);
	}
	std::sort(judged.begin(), judged.end());
	const auto distinct =
		static_cast<std::size_t>(std::unique(judged.begin(), judged.end()) - judged.begin());
	std::string out =
		alone ? counted(quiet, "check", "checks") + " quiet" : std::to_string(quiet) + " quiet";
	if (report.checks > distinct)
		out += ", " + std::to_string(report.checks - distinct) + " not judged yet";
	return out;
}

void add_first(Page &page, const HealthReport &report) {
	const Severity state = overall(report);
	std::string counts;
	for (const Severity severity : {Severity::kCritical, Severity::kWarning, Severity::kUnknown}) {
		if (const std::size_t n = of(report, severity).size(); n > 0)
			counts += std::to_string(n) + " " + std::string(severity_name(severity)) + ", ";
	}
	const std::size_t advice = of(report, Severity::kInfo).size();
	std::string text = (state == Severity::kInfo ? "nothing wrong, " : counts) +
					   quiet_text(report, counts.empty());
	if (advice > 0)
		text += ", " + counted(advice, "piece of advice", "pieces of advice");
	text += report.sampled_at == 0 ? ", no samples"
								   : ", samples " + age(report.sampled_at, report.now) + " old";
	const std::string version = report.server_version.substr(0, report.server_version.find(' '));
	text += " (PostgreSQL " + version + (report.in_recovery ? ", standby)" : ", primary)");
	std::string cluster = report.cluster;
	if (state == Severity::kOk) { // one line it is, even with a long name
		const std::size_t used = width("OK  cluster : " + text);
		cluster = shorten(visible(cluster), used < Page::kWidth ? Page::kWidth - used : 0);
	}
	page.first(upper(severity_name(state)), "cluster " + cluster + ": " + text);
}

} // namespace

std::vector<std::string> health_lines(const HealthReport &report) {
	HealthReport sorted = report;
	sort_verdicts(sorted.verdicts);
	Page page;
	add_first(page, sorted);
	for (const std::string &notice : sorted.notices)
		page.heading("NOTICE", notice);
	add_loops(page, sorted);
	add_alarms(page, sorted);
	add_unknown(page, sorted);
	add_advice(page, sorted);
	return std::move(page).take();
}

} // namespace pgdba
