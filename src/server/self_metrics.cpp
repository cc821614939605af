#include "pgdba/server/self_metrics.hpp"

#include "pgdba/core/definition.hpp"
#include "pgdba/core/verdict.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

namespace {

double seconds(Micros duration) {
	return static_cast<double>(duration) / static_cast<double>(kMicrosPerSecond);
}

// Some have the names that the probe heartbeat exports: these come first, and still tell when no
// sampler runs.
struct LoopMetric {
	const char *name;
	MetricType type;
	const char *help;
	bool needs_tick; // absent before the first one
	double (*value)(const pg::LoopSlot &loop);
};
using enum MetricType;
constexpr LoopMetric kLoopMetrics[] = {
	{"pgdba_scrape_duration_seconds", kGauge, "Time that the last tick of the loop took.", true,
	 [](const pg::LoopSlot &loop) { return loop.last_seconds; }},
	{"pgdba_last_scrape_success", kGauge, "Whether all probes of the last tick went well.", false,
	 [](const pg::LoopSlot &loop) { return double(loop.last_success); }},
	{"pgdba_errors_total", kCounter, "Errors of probes and checks of the loop.", false,
	 [](const pg::LoopSlot &loop) { return double(loop.errors); }},
	{"pgdba_ticks_total", kCounter, "Ticks of the loop.", false,
	 [](const pg::LoopSlot &loop) { return double(loop.ticks); }},
	{"pgdba_ticks_skipped_total", kCounter, "Ticks that were left out, being too late.", false,
	 [](const pg::LoopSlot &loop) { return double(loop.skipped); }},
	{"pgdba_interval_seconds", kGauge, "Interval of the loop.", true,
	 [](const pg::LoopSlot &loop) { return seconds(loop.interval); }},
	{"pgdba_lateness_seconds", kGauge, "How long after its time the last tick began.", true,
	 [](const pg::LoopSlot &loop) { return seconds(loop.lateness); }},
	{"pgdba_loop_last_timestamp_seconds", kGauge, "When the last tick ended.", true,
	 [](const pg::LoopSlot &loop) { return seconds(loop.last_end + kUnixTimeOfEpoch); }},
	{"pgdba_degraded", kGauge,
	 "Whether the loop is over budget, a probe of it fails, or its history is not written.", false,
	 [](const pg::LoopSlot &loop) { return double(loop.degraded); }},
};

struct HeadCounter {
	const char *name, *help;
	std::int64_t pg::SharedHead::*value;
};
constexpr HeadCounter kHeadCounters[] = {
	{"pgdba_skipped_visits_total",
	 "Visits to databases left out for want of a worker slot or time.",
	 &pg::SharedHead::skipped_visits},
	{"pgdba_dropped_findings_total", "Findings beyond the cap of a check.",
	 &pg::SharedHead::dropped_findings},
	{"pgdba_dropped_bytes_total", "Bytes of samples that were cut to fit.",
	 &pg::SharedHead::dropped_bytes},
	{"pgdba_unwritten_samples_total",
	 "Samples that were kept in memory but not written to a table.",
	 &pg::SharedHead::unwritten_samples},
	{"pgdba_ring_copy_errors_total",
	 "Times that the memory ring's copy in a file could not be written.",
	 &pg::SharedHead::copy_errors},
	{"pgdba_http_requests_total", "HTTP requests that were answered.",
	 &pg::SharedHead::http_requests},
	{"pgdba_http_rejected_total", "HTTP requests that were answered with an error.",
	 &pg::SharedHead::http_rejected},
};

} // namespace

void add_loops(MetricsText &text, const pg::SharedHead &head, Micros now) {
	const std::vector<LoopState> states = pg::loop_states(head, now);
	bool up = head.missing[0] == '\0';
	up &=
		std::any_of(states.begin(), states.end(), [](const LoopState &loop) { return !loop.late; });
	text.add("pgdba_up", kGauge, "Whether the extension is there and at least one loop runs.", {},
			 double(up));
	for (std::size_t i = 0; i < kLoops.size(); ++i) {
		const std::vector<MetricsText::Label> labels = {{"loop", std::string(kLoops[i])}};
		for (const LoopMetric &metric : kLoopMetrics)
			if (!metric.needs_tick || head.loops[i].last_end != 0)
				text.add(metric.name, metric.type, metric.help, labels,
						 metric.value(head.loops[i]));
		text.add("pgdba_loop_late", kGauge, "Whether the loop had no tick for three intervals.",
				 labels, double(states[i].late));
	}
}

void add_processes(MetricsText &text, const pg::SharedHead &head) {
	for (const pg::ProcessSlot &process : head.processes) {
		if (process.name[0] == '\0')
			continue; // never started
		const std::vector<MetricsText::Label> labels = {{"process", process.name}};
		text.add("pgdba_process_running", kGauge, "Whether the process runs.", labels,
				 double(process.pid != 0));
		text.add("pgdba_process_restarts_total", kCounter, "Starts of the process after its first.",
				 labels, double(process.restarts));
	}
}

void add_ring(MetricsText &text, const RingUsage &usage) {
	const auto gauge = [&](const char *name, const char *help, std::uint64_t value) {
		text.add(name, kGauge, help, {}, double(value));
	};
	const auto counter = [&](const char *name, const char *help, std::uint64_t value) {
		text.add(name, kCounter, help, {}, double(value));
	};
	gauge("pgdba_ring_bytes", "Size of the memory ring.", usage.blocks * usage.block_bytes);
	gauge("pgdba_ring_free_bytes", "Unused part of the memory ring.",
		  usage.free_blocks * usage.block_bytes);
	gauge("pgdba_ring_entries", "Samples in the memory ring.", usage.entries);
	gauge("pgdba_ring_streams", "Probes with samples in the memory ring.", usage.streams);
	counter("pgdba_ring_evicted_total", "Samples that left the memory ring for newer ones.",
			usage.evicted);
	counter("pgdba_ring_refused_total", "Samples that were too large for the memory ring.",
			usage.refused);
}

void add_counters(MetricsText &text, const pg::SharedHead &head, Micros now) {
	for (const HeadCounter &counter : kHeadCounters)
		text.add(counter.name, kCounter, counter.help, {}, double(head.*counter.value));
	if (head.copied_at != 0)
		text.add("pgdba_ring_copy_timestamp_seconds", kGauge,
				 "When the memory ring's copy was brought up to date; absent where tables are "
				 "written.",
				 {}, seconds(head.copied_at + kUnixTimeOfEpoch));
	text.add("pgdba_checks", kGauge, "Checks that are defined.", {}, head.checks);
	text.add("pgdba_paused", kGauge, "Whether sampling is paused by pgdba.pause().", {},
			 double(head.paused_until > now));
}

void add_listeners(MetricsText &text, const std::vector<Listener> &listeners) {
	for (const Listener &listener : listeners)
		text.add("pgdba_http_listening", kGauge, "Whether the address of pgdba.listen is open.",
				 {{"address", listener.where.text}}, double(listener.socket.valid()));
}

void add_verdicts(MetricsText &text, const Sample &sample, const std::vector<LoopState> &loops,
				  Micros now) {
	std::vector<Verdict> verdicts = verdicts_from_sample(sample);
	mark_stale(verdicts, loops, now);
	constexpr std::size_t kSeverities = static_cast<std::size_t>(Severity::kCritical) + 1;
	std::map<std::string_view, std::array<int, kSeverities>> counts;
	for (const Verdict &verdict : verdicts)
		++counts[verdict.check_id][static_cast<std::size_t>(verdict.severity)];
	// All severities of every check, so that an alert sees a finding go, not a series.
	for (const auto &[check, count] : counts)
		for (std::size_t i = 0; i < kSeverities; ++i)
			text.add("pgdba_verdict", kGauge, "Findings of the check with that severity.",
					 {{"check", std::string(check)},
					  {"severity", std::string(severity_name(static_cast<Severity>(i)))}},
					 count[i]);
}

} // namespace pgdba::server
