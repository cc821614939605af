// GET /healthz: whether pgdba itself works. What it finds about the cluster is no part of it: a
// liveness check that restarts a database because a table is bloated would be worse than none.
#include "pgdba/core/health.hpp"

#include "report_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

#include "pgdba/core/wall.hpp"

namespace pgdba {

std::string iso_time(Micros at) {
	if (at == 0 || at == std::numeric_limits<Micros>::max() ||
		at == std::numeric_limits<Micros>::min())
		return {};
	const CivilTime t = civil_time(at);
	const auto digits = [](int value, std::size_t least) {
		const std::string text = std::to_string(value);
		return text.size() < least ? std::string(least - text.size(), '0') + text : text;
	};
	return digits(t.year, 4) + "-" + digits(t.month, 2) + "-" + digits(t.day, 2) + "T" +
		   digits(t.hour, 2) + ":" + digits(t.minute, 2) + ":" + digits(t.second, 2) + "." +
		   digits(t.micros, 6) + "+00:00";
}

double in_seconds(Micros duration) noexcept {
	return static_cast<double>(duration) / static_cast<double>(kMicrosPerSecond);
}

Healthz healthz(const HealthReport &report, const std::string &database,
				const std::string &missing) {
	using nlohmann::ordered_json;
	ordered_json loops = ordered_json::object(), reasons = ordered_json::array();
	if (!missing.empty())
		reasons.push_back(valid_utf8(missing));
	bool any_on_time = false, all_well = report.notices.empty();
	for (const LoopState &loop : report.loops) {
		any_on_time |= !loop.late;
		all_well &= !loop.late && !loop.degraded;
		const std::string last = iso_time(loop.last);
		loops[valid_utf8(loop.loop)] = {
			{"last", last.empty() ? ordered_json(nullptr) : ordered_json(last)},
			{"age_seconds",
			 last.empty() ? ordered_json(nullptr)
						  : ordered_json(in_seconds(std::max<Micros>(0, report.now - loop.last)))},
			{"interval_seconds", in_seconds(loop.interval)},
			{"late", loop.late},
			{"degraded", loop.degraded}};
		if (loop.late || loop.degraded)
			reasons.push_back(valid_utf8("loop \"" + loop.loop + "\" is " +
										 (loop.late ? "late" : "degraded") +
										 (loop.reason.empty() ? "" : ": " + loop.reason)));
	}
	if (report.loops.empty())
		reasons.push_back("no loop has run");
	for (const std::string &notice : report.notices)
		reasons.push_back(valid_utf8(notice));
	const bool failing = !missing.empty() || !any_on_time;
	const ordered_json body = {{"status", failing    ? "failing"
										  : all_well ? "ok"
													 : "degraded"},
							   {"database", valid_utf8(database)},
							   {"loops", std::move(loops)},
							   {"reasons", std::move(reasons)}};
	return {failing ? 503 : 200, body.dump(-1, ' ', false, ordered_json::error_handler_t::replace)};
}

} // namespace pgdba
