// The state of a cluster from its verdicts, and the verdicts that are too old to be believed.
#include "pgdba/core/health.hpp"

#include <algorithm>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr int kStaleIntervals = 3; // as for a loop that is late

double seconds(Micros duration) noexcept {
	return static_cast<double>(duration) / static_cast<double>(kMicrosPerSecond);
}

} // namespace

Severity overall(const HealthReport &report) noexcept {
	const auto late = [](const LoopState &loop) { return loop.late; };
	if (report.sampled_at == 0 ||
		(!report.loops.empty() && std::all_of(report.loops.begin(), report.loops.end(), late)))
		return Severity::kUnknown;
	Severity worst = Severity::kOk;
	for (const Verdict &verdict : report.verdicts)
		worst = std::max(worst, verdict.severity);
	return worst;
}

void mark_stale(std::vector<Verdict> &verdicts, const std::vector<LoopState> &loops, Micros now) {
	for (Verdict &verdict : verdicts) {
		const auto loop = std::find_if(loops.begin(), loops.end(), [&](const LoopState &each) {
			return each.loop == verdict.loop;
		});
		if (loop == loops.end() || loop->interval <= 0 ||
			now - verdict.sampled_at <= kStaleIntervals * loop->interval)
			continue;
		verdict.message = "not judged since " + format_time(verdict.sampled_at) + " (" +
						  format_duration(seconds(now - verdict.sampled_at)) + ", loop \"" +
						  verdict.loop + "\"); it was " +
						  std::string(severity_name(verdict.severity)) +
						  " then: " + verdict.message;
		verdict.severity = Severity::kUnknown;
		verdict.since = verdict.sampled_at + kStaleIntervals * loop->interval;
		// What was right to do then may hit something else now: a pid is soon another session's.
		verdict.action.clear();
		verdict.sql.clear();
		verdict.lock_level.clear();
		verdict.undo.clear();
	}
}

} // namespace pgdba
