// Prometheus text format 0.0.4: see metrics.hpp.
#include "pgdba/core/metrics.hpp"

#include "pgdba/core/history.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::string_view kDroppedName = "pgdba_series_dropped_total";
constexpr std::string_view kDroppedHelp =
	"Series that are not on this page because of pgdba.max_series.";

bool is_valid_name(std::string_view name, bool colons) noexcept {
	const auto first = [&](char c) {
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
	};
	return !name.empty() && first(name.front()) && !name.starts_with("__") &&
		   std::all_of(name.begin(), name.end(),
					   [&](char c) { return first(c) || (c >= '0' && c <= '9'); });
}

// promtool reads a type out of some names and labels, and complains when the declared one differs.
MetricType fitting_type(std::string_view name, MetricType type) noexcept {
	const bool total = name.ends_with("_total");
	if (total != (type == MetricType::kCounter))
		return MetricType::kUntyped;
	constexpr std::array<std::string_view, 3> kParts = {"_count", "_sum", "_bucket"};
	const auto ends = [&](std::string_view part) { return name.ends_with(part); };
	return std::any_of(kParts.begin(), kParts.end(), ends) ? MetricType::kUntyped : type;
}

void escape(std::string &out, std::string_view text, bool quotes) {
	for (const char c : text) {
		if (c == '\n')
			out += "\\n";
		else if (c == '\\' || (quotes && c == '"'))
			(out += '\\') += c;
		else
			out += c;
	}
}

std::string number_text(double value) {
	if (std::isnan(value))
		return "NaN";
	if (std::isinf(value))
		return value > 0 ? "+Inf" : "-Inf";
	std::array<char, 64> buffer;
	char *const begin = buffer.data(), *const end = begin + buffer.size();
	constexpr double kExact = 9007199254740992.0;
	// Whole numbers without an exponent, because people read this page too.
	if (value == std::floor(value) && std::fabs(value) <= kExact)
		return {begin, std::to_chars(begin, end, static_cast<std::int64_t>(value)).ptr};
	return {begin, std::to_chars(begin, end, value).ptr};
}

// The label set as text, in the order that makes equal sets equal texts. RETURNS: nothing for a
// name that is not valid.
std::string render_labels(const std::string &cluster, std::vector<MetricsText::Label> labels) {
	const auto rank = [](const std::string &name) { return name == "db" ? 0 : 1; };
	for (MetricsText::Label &label : labels) {
		if (label.name == "cluster") // ours says where the page comes from: the other keeps its
									 // value under this name
			label.name = "exported_cluster";
	}
	std::stable_sort(labels.begin(), labels.end(), [&](const auto &a, const auto &b) {
		return std::pair(rank(a.name), std::string_view(a.name)) <
			   std::pair(rank(b.name), std::string_view(b.name));
	});
	std::string out = "{cluster=\"";
	escape(out, valid_utf8(cluster), true);
	out += '"';
	std::string_view before;
	for (const MetricsText::Label &label : labels) {
		if (!is_valid_name(label.name, false) || label.name == before)
			return {};
		before = label.name;
		if (label.value.empty())
			continue;
		out += ',' + label.name + "=\"";
		escape(out, valid_utf8(label.value), true);
		out += '"';
	}
	return out += '}';
}

// These two labels mean parts of a histogram or summary, which nothing here is.
MetricType type_beside(const std::vector<MetricsText::Label> &labels, MetricType type) {
	return std::any_of(labels.begin(), labels.end(),
					   [](const MetricsText::Label &label) {
						   return label.name == "le" || label.name == "quantile";
					   })
			   ? MetricType::kUntyped
			   : type;
}

std::string cell_text(const Cell &cell) {
	switch (cell.type) {
	case Type::kText:
	case Type::kJson:
		return std::string(cell.text);
	case Type::kBool:
		return cell.integer != 0 ? "true" : "false";
	case Type::kFloat8:
		return number_text(cell.real);
	default:
		return std::to_string(cell.integer);
	}
}

bool identifies_session(std::string_view column) noexcept {
	constexpr std::array<std::string_view, 4> kNever = {"pid", "backend_start", "query", "usename"};
	return std::find(kNever.begin(), kNever.end(), column) != kNever.end();
}

std::string help_text(const Column &column, const std::string &probe) {
	std::string out = column.help.empty() ? "Column " + column.name + "." : column.help;
	if (out.back() != '.')
		out += '.';
	const std::string_view unit =
		column.unit == "seconds since" ? "seconds" : std::string_view(column.unit);
	if (!unit.empty())
		out += " Unit: " + std::string(unit) + ".";
	return out + " Probe: " + probe + ".";
}

// RETURNS: false for a cell that has no value to show.
bool exported_value(const Column &column, const Cell &cell, Micros now, double &value) noexcept {
	if (cell.null || cell.type == Type::kText || cell.type == Type::kJson)
		return false;
	value = cell.number();
	if (cell.type != Type::kTimestamp)
		return true;
	using Limits = std::numeric_limits<Micros>;
	if (cell.integer == Limits::max() || cell.integer == Limits::min())
		return false;
	// In doubles: a time far in the past minus one far in the future does not fit into 64 bits.
	const double from = column.unit == "seconds since" ? static_cast<double>(now) : value;
	const double to =
		column.unit == "seconds since" ? value : static_cast<double>(-kUnixTimeOfEpoch);
	value = (from - to) / static_cast<double>(kMicrosPerSecond);
	return true;
}

std::string_view type_name(MetricType type) noexcept {
	return type == MetricType::kGauge     ? "gauge"
		   : type == MetricType::kCounter ? "counter"
										  : "untyped";
}

} // namespace

MetricsText::Family *MetricsText::family(std::string_view name, MetricType type,
										 std::string_view help) {
	if (!is_valid_name(name, true) || name == kDroppedName)
		return nullptr;
	auto found = families_.find(name);
	if (found == families_.end())
		found =
			families_.emplace(name, Family{valid_utf8(help), fitting_type(name, type), {}}).first;
	else if (type == MetricType::kUntyped)
		found->second.type = type;
	return &found->second;
}

void MetricsText::put(Family *family, const std::string &labels, double value) {
	if (family == nullptr || labels.empty()) {
		++dropped_;
		return;
	}
	const auto place = family->series.lower_bound(labels);
	if (place != family->series.end() && place->first == labels)
		return;
	const std::size_t share = std::max<std::size_t>(1, max_series_ / 2);
	if (series_ >= max_series_ || family->series.size() >= share) {
		++dropped_;
		return;
	}
	family->series.emplace_hint(place, labels, value);
	++series_;
}

void MetricsText::add(std::string_view name, MetricType type, std::string_view help,
					  std::vector<Label> labels, double value) {
	type = type_beside(labels, type);
	put(family(name, type, help), render_labels(cluster_, std::move(labels)), value);
}

namespace {

std::size_t metrics_of(const Sample &sample) noexcept {
	return static_cast<std::size_t>(
		std::count_if(sample.columns().begin(), sample.columns().end(),
					  [](const Column &column) { return !column.metric.empty(); }));
}

std::vector<std::size_t> rows_by_rank(const Sample &sample) {
	std::vector<std::size_t> rows(sample.rows());
	std::iota(rows.begin(), rows.end(), std::size_t{0});
	if (const int rank = sample.find_column(kHiddenRank); rank >= 0)
		std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
			const auto column = static_cast<std::size_t>(rank);
			return sample.at(a, column).integer < sample.at(b, column).integer;
		});
	return rows;
}

} // namespace

void MetricsText::add_samples(std::vector<const Sample *> samples, Micros now) {
	const auto series = [](const Sample *sample) { return sample->rows() * metrics_of(*sample); };
	std::stable_sort(samples.begin(), samples.end(),
					 [&](const Sample *a, const Sample *b) { return series(a) < series(b); });
	std::size_t left = samples.size();
	for (const Sample *const sample : samples)
		add_sample(*sample, now, (max_series_ - std::min(series_, max_series_)) / left--);
}

void MetricsText::add_sample(const Sample &sample, Micros now, std::size_t share) {
	const std::vector<Column> &columns = sample.columns();
	std::vector<std::size_t> label_columns, metric_columns;
	for (std::size_t i = 0; i < columns.size(); ++i) {
		if (columns[i].kind == Kind::kLabel && !identifies_session(columns[i].name))
			label_columns.push_back(i);
		if (!columns[i].metric.empty())
			metric_columns.push_back(i);
	}
	if (metric_columns.empty())
		return;
	// What is the same for all rows is made once, and the labels of a row once for all its metrics.
	std::vector<Family *> families(metric_columns.size());
	std::vector<bool> begun(metric_columns.size());
	std::size_t used = 0;
	// Row by row: when the budget ends, whole objects are missing and not whole metrics.
	for (const std::size_t row : rows_by_rank(sample)) {
		used += metric_columns.size();
		if (used > share) {
			dropped_ += metric_columns.size();
			continue;
		}
		std::vector<Label> labels;
		for (const std::size_t i : label_columns) {
			const Cell cell = sample.at(row, i);
			if (!cell.null)
				labels.push_back({columns[i].name, cell_text(cell)});
		}
		const bool parts = type_beside(labels, MetricType::kGauge) == MetricType::kUntyped;
		const std::string text = render_labels(cluster_, std::move(labels));
		for (std::size_t m = 0; m < metric_columns.size(); ++m) {
			const Column &column = columns[metric_columns[m]];
			double value = 0;
			if (!exported_value(column, sample.at(row, metric_columns[m]), now, value))
				continue;
			if (!begun[m] || parts) {
				const MetricType type = parts                           ? MetricType::kUntyped
										: column.kind == Kind::kCounter ? MetricType::kCounter
																		: MetricType::kGauge;
				families[m] = family(column.metric, type, help_text(column, sample.probe));
				begun[m] = true;
			}
			put(families[m], text, value);
		}
	}
}

std::string MetricsText::render() const {
	std::string out;
	const auto head = [&out](std::string_view name, std::string_view help, MetricType type) {
		((out += "# HELP ") += name) += ' ';
		escape(out, help, false);
		((((out += "\n# TYPE ") += name) += ' ') += type_name(type)) += '\n';
	};
	const auto dropped = [&] {
		const std::string labels = render_labels(cluster_, {});
		head(kDroppedName, kDroppedHelp,
			 MetricType::kUntyped); // a level of this page, not a counter
		((((out += kDroppedName) += labels) += ' ') += std::to_string(dropped_)) += '\n';
	};
	bool dropped_done = false;
	for (const auto &[name, family] : families_) {
		if (family.series.empty())
			continue; // all of its series were beyond the budget
		if (!dropped_done && name > kDroppedName) {
			dropped();
			dropped_done = true;
		}
		head(name, family.help, family.type);
		for (const auto &[labels, value] : family.series)
			((((out += name) += labels) += ' ') += number_text(value)) += '\n';
	}
	if (!dropped_done)
		dropped();
	return out;
}

} // namespace pgdba
