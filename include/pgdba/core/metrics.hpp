// Prometheus text from samples: every column with a metric name becomes a family, its key and label
// columns become labels, `cluster` and `db` come first. HELP carries the unit and the probe it
// comes from. No SQL, no server.
#pragma once

#include "pgdba/core/sample.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

enum class MetricType : std::uint8_t { kGauge, kCounter, kUntyped };

// Collects families and renders them in text format 0.0.4, sorted by name, `promtool check metrics`
// clean. Where a name and its type contradict each other for promtool (a counter that does not end
// in _total, a gauge that does), the type is left out: untyped. Labels with an empty value are left
// away, as Prometheus treats them alike.
class MetricsText {
public:
	MetricsText(std::string cluster, std::size_t max_series)
		: cluster_(std::move(cluster)), max_series_(max_series) {}

	struct Label {
		std::string name, value;
	};
	// The first call for a name declares the family; later help and type are ignored. Same labels
	// twice: first wins. A series over the budget is dropped and counted in
	// pgdba_series_dropped_total, and so is one that would give a single family more than half of
	// the budget, or whose metric or label name is not valid.
	void add(std::string_view name, MetricType type, std::string_view help,
			 std::vector<Label> labels, double value);
	// All exported columns of a sample. Booleans are 0 and 1; timestamps seconds since the Unix
	// epoch, except where the unit is "seconds since": then the age at `now`. Null cells give no
	// series. What identifies a session or a person (pid, backend_start, query, usename) never
	// becomes a label.
	// At most `share` series of it: then the rows with the best rank (history.hpp), whole ones.
	void add_sample(const Sample &sample, Micros now,
					std::size_t share = std::numeric_limits<std::size_t>::max());
	// Several samples within what is left of the budget: those with the fewest series first, so
	// that however many objects there are the page never lacks what is about the whole server; the
	// others share what remains.
	void add_samples(std::vector<const Sample *> samples, Micros now);

	std::string render() const;
	std::size_t series() const noexcept { return series_; }
	std::uint64_t dropped() const noexcept { return dropped_; }

private:
	struct Family {
		std::string help;
		MetricType type;
		std::map<std::string, double> series; // by rendered labels
	};
	// RETURNS: null for a name that is not valid.
	Family *family(std::string_view name, MetricType type, std::string_view help);
	// Null and empty count as dropped.
	void put(Family *family, const std::string &labels, double value);

	std::string cluster_;
	std::size_t max_series_;
	std::size_t series_ = 0;
	std::uint64_t dropped_ = 0;
	std::map<std::string, Family, std::less<>> families_;
};

} // namespace pgdba
