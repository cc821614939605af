#include "pgdba/server/metrics_page.hpp"

#include "pgdba/core/codec.hpp"
#include "pgdba/core/definition.hpp"
#include "pgdba/pg/options.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/server/self_metrics.hpp"

#include <limits>

#include <unistd.h>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

namespace {

constexpr std::string_view kVerdicts = "verdict"; // the stream that is counted, not copied
constexpr int kFreshIntervals = 3; // older samples would look alive: they are left out

// pgdba.cluster, or cluster_name, or the host name.
std::string cluster_label() {
	std::string name = pg::option("pgdba.cluster");
	if (name.empty())
		name = pg::option("cluster_name");
	if (name.empty()) {
		char host[256] = "";
		gethostname(host, sizeof host - 1);
		name = host;
	}
	return name;
}

bool fresh(const Sample &sample, const pg::SharedHead &head, Micros now) {
	const int loop = loop_index(sample.loop);
	return loop >= 0 && now - sample.sampled_at <= kFreshIntervals * head.loops[loop].interval;
}

} // namespace

std::shared_ptr<const std::string> MetricsPage::text() {
	const Micros now = pg::now();
	const std::int64_t second = now / kMicrosPerSecond;
	const std::uint64_t generation = pg::ring_generation();
	const bool changed = !loaded_ || generation != generation_;
	if (changed) {
		load_samples();
		generation_ = generation;
		loaded_ = true;
	}
	if (changed || second != second_) {
		text_ = std::make_shared<const std::string>(render(now));
		second_ = second;
	}
	return text_;
}

void MetricsPage::load_samples() {
	constexpr Micros kEver = std::numeric_limits<Micros>::max();
	loaded_ = false;
	std::map<std::string, Sample> newest;
	unreadable_ = 0;
	for (const std::string &stream : pg::ring_streams(false)) {
		Micros from = 0, until = 0;
		if (const auto known = samples_.find(stream); known != samples_.end() &&
													  pg::ring_span(stream, false, &from, &until) &&
													  known->second.sampled_at == until) {
			newest.insert(samples_.extract(known)); // nothing new: not decoded again
			continue;
		}
		try {
			for (Sample &sample : pg::ring_window(stream, false, kEver, kEver, 1))
				newest.insert_or_assign(stream, std::move(sample));
		} catch (const CorruptSample &) {
			++unreadable_; // one bad probe must not take the page away
		}
	}
	samples_ = std::move(newest);
}

std::string MetricsPage::render(Micros now) {
	const pg::SharedHead head = pg::snapshot_head();
	MetricsText text(cluster_label(), static_cast<std::size_t>(pg::option_int("pgdba.max_series")));
	// What matters most comes first: series over the budget are dropped.
	add_loops(text, head, now);
	add_processes(text, head);
	add_ring(text, pg::ring_usage());
	add_counters(text, head, now);
	add_listeners(text, listeners_.all());
	text.add("pgdba_unreadable_samples", MetricType::kGauge,
			 "Probes whose newest sample cannot be decoded, and is missing here.", {}, unreadable_);
	for (const auto &[stream, sample] : samples_)
		if (sample.probe == kVerdicts)
			add_verdicts(text, sample, pg::loop_states(head, now), now);
	std::vector<const Sample *> others;
	for (const auto &[stream, sample] : samples_)
		if (sample.probe != kVerdicts && fresh(sample, head, now))
			others.push_back(&sample);
	text.add_samples(std::move(others), now);
	return text.render();
}

} // namespace pgdba::server
