// Definitions of probes and checks from their JSON arguments. The keys listed here are the
// documentation's source.
#include "pgdba/core/definition.hpp"

#include "fields.hpp"
#include "pgdba/core/verdict.hpp"

#include <algorithm>
#include <array>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::size_t kMaxProbeName =
	48; // with a prefix such as ring_hist_ it still fits into an identifier
constexpr std::size_t kMaxCheckId = 100;
constexpr std::size_t kMaxMetricName = 200;
constexpr std::int64_t kMaxRows = 1'000'000;
constexpr std::array<std::string_view, 3> kScopes = {"cluster", "database", "native"}; // as Scope
constexpr std::array<std::string_view, 4> kKinds = {"label", "gauge", "counter", "info"}; // as Kind

// Words that `promtool check metrics` refuses in a metric's name: units that are short or not the
// base, and types.
constexpr std::array<std::string_view, 26> kUnfitWords = {"s",
														  "ms",
														  "us",
														  "ns",
														  "sec",
														  "b",
														  "kb",
														  "mb",
														  "gb",
														  "tb",
														  "pb",
														  "m",
														  "h",
														  "d",
														  "hours",
														  "minutes",
														  "days",
														  "milliseconds",
														  "microseconds",
														  "kilobytes",
														  "megabytes",
														  "bits",
														  "gauge",
														  "counter",
														  "histogram",
														  "summary"};

std::vector<std::string_view> reading_names() {
	std::vector<std::string_view> names;
	names.reserve(kReadings.size());
	for (const ReadingShape &shape : kReadings)
		names.push_back(shape.name);
	return names;
}

// RETURNS: the first such word of the name; empty when there is none.
std::string_view unfit_word(std::string_view metric) noexcept {
	while (!metric.empty()) {
		const std::string_view word = metric.substr(0, metric.find('_'));
		if (std::find(kUnfitWords.begin(), kUnfitWords.end(), word) != kUnfitWords.end())
			return word;
		metric.remove_prefix(std::min(word.size() + 1, metric.size()));
	}
	return {};
}

bool is_name(std::string_view text) noexcept {
	const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
	const auto rest = [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '_'; };
	return !text.empty() && lower(text.front()) && std::all_of(text.begin(), text.end(), rest);
}

bool is_check_id(std::string_view id) noexcept {
	const std::size_t dot = id.find('.');
	return id.size() <= kMaxCheckId && dot != std::string_view::npos &&
		   is_name(id.substr(0, dot)) && is_name(id.substr(dot + 1));
}

bool is_blank(std::string_view text) noexcept {
	return text.find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

std::string checked_loop(const std::string &owner, std::string_view loop) {
	if (loop_index(loop) < 0)
		refuse_definition(owner, "Loop \"" + std::string(loop) + "\" does not exist.",
						  known_hint("loops", loop, {kLoops.begin(), kLoops.end()}));
	return std::string(loop);
}

// A template's own refusal does not know whose it is: say so.
void check_text(const std::string &owner, std::string_view key, std::string_view text, bool sql) {
	try {
		check_template(text, sql);
	} catch (const BadDefinition &bad) {
		refuse_definition(owner, "In \"" + std::string(key) + "\": " + bad.detail, bad.hint);
	}
}

ColumnMeaning parse_column(const Fields &fields) {
	fields.allow({"kind", "unit", "metric", "help", "read"});
	ColumnMeaning out;
	out.metric = fields.text("metric");
	// A column with a metric and no kind can only be meant as a gauge: a counter must say so.
	const Kind otherwise = out.metric.empty() ? Kind::kInfo : Kind::kGauge;
	const std::size_t kind = fields.choice("kind", {kKinds.begin(), kKinds.end()},
										   static_cast<std::size_t>(otherwise) - 1);
	out.kind = static_cast<Kind>(kind + 1);
	out.kind_given = fields.has("kind");
	out.unit = fields.text("unit");
	out.help = fields.text("help");
	if (!out.metric.empty() && !is_name(out.metric))
		fields.refuse("metric", "is not a metric name: \"" + out.metric + "\"",
					  "A metric name has lower-case letters, digits and underscores, and begins "
					  "with a letter.");
	if (const std::string_view word = unfit_word(out.metric); !word.empty())
		fields.refuse(
			"metric", "has \"" + std::string(word) + "\" in its name",
			"Metrics are in seconds and bytes, with the unit in full, and do not name their type.");
	if (out.metric.size() > kMaxMetricName)
		fields.refuse("metric", "is too long",
					  "At most " + std::to_string(kMaxMetricName) + " characters.");
	if (!out.metric.empty() && out.kind == Kind::kCounter && !out.metric.ends_with("_total"))
		fields.refuse("metric", "is a counter, and its name does not end in _total",
					  "Prometheus takes it for a gauge otherwise.");
	if (!out.metric.empty() && out.kind != Kind::kGauge && out.kind != Kind::kCounter)
		fields.refuse("metric", "is given for a column that is neither a gauge nor a counter",
					  "Leave out the metric, or make the column a gauge or a counter. "
					  "Labels and key columns are exported with every metric of the probe.");
	return out;
}

void parse_options(const Fields &fields, ProbeDefinition &probe) {
	fields.allow({"budget", "max_rows", "top", "object", "ring", "needs_extension"});
	probe.budget = fields.duration("budget");
	probe.max_rows = fields.integer("max_rows", 1, kMaxRows, probe.max_rows);
	probe.object = fields.text("object");
	probe.needs_extension = fields.text("needs_extension");
	check_text("probe \"" + probe.name + "\"", "object", probe.object, false);
	const auto own = static_cast<std::size_t>(loop_index(probe.loop));
	const std::size_t ring = fields.choice("ring", {kLoops.begin(), kLoops.end()}, own);
	probe.ring = kLoops[ring];
	if (ring < own)
		fields.refuse("ring", "is a shorter loop than the probe's own",
					  "Name a longer one, whose tables keep samples for longer, or leave it out.");
	if (!fields.has("top"))
		return;
	const Fields top = fields.object("top");
	top.allow({"n", "by"});
	if (top.is_text("n")) {
		const std::vector<std::string_view> settings = {"top_relations", "top_indexes",
														"top_queries"};
		probe.top_setting = settings[top.choice("n", settings, 0)];
	} else {
		probe.top.n = static_cast<std::size_t>(top.integer("n", 1, kMaxRows, 0));
	}
	probe.top.by = top.texts("by");
	if (probe.top_setting.empty() && probe.top.n == 0)
		top.refuse("n", "is missing",
				   "Write a number, or the name of a setting such as \"top_relations\".");
	if (probe.top.by.empty())
		top.refuse("by", "is missing or empty", "Write the columns to rank by, as [\"column\"].");
}

void check_order(const Fields &fields, const Threshold &threshold) {
	const bool above = threshold.direction == Direction::kAbove;
	std::optional<double> before;
	for (const std::optional<double> &level :
		 {threshold.info, threshold.warning, threshold.critical}) {
		if (level && before && (above ? *level < *before : *level > *before))
			fields.refuse("critical", "and the levels below it are in the wrong order",
						  above ? "With direction \"above\", info <= warning <= critical."
								: "With direction \"below\", info >= warning >= critical.");
		before = level ? level : before;
	}
	const std::optional<double> entry = threshold.warning ? threshold.warning : threshold.critical;
	if (threshold.clear && !entry)
		fields.refuse("clear", "has no warning or critical to clear", "Leave it out.");
	if (threshold.clear && (above ? *threshold.clear > *entry : *threshold.clear < *entry))
		fields.refuse("clear", "lies beyond the level that it clears",
					  "It is where a warning ends, so it must be the quieter value of the two.");
}

Threshold parse_thresholds(const Fields &fields) {
	fields.allow({"info", "warning", "critical", "clear", "for", "direction", "floor"});
	Threshold out;
	out.info = fields.number("info");
	out.warning = fields.number("warning");
	out.critical = fields.number("critical");
	out.clear = fields.number("clear");
	out.hold = fields.duration("for");
	out.direction = fields.choice("direction", {"above", "below"}, 0) == 0 ? Direction::kAbove
																		   : Direction::kBelow;
	const Fields floors = fields.object("floor");
	for (const std::string &column : floors.keys()) {
		if (const std::optional<double> floor = floors.number(column.c_str()))
			out.floor[column] = *floor;
	}
	if (!out.info && !out.warning && !out.critical)
		fields.refuse("warning", "is missing, and so are critical and info",
					  "A check needs at least one level. To report every finding, use "
					  "{\"warning\": 0} and a value of 1.");
	check_order(fields, out);
	return out;
}

std::vector<std::string> probe_names(const Fields &fields, const char *key) {
	std::vector<std::string> out = fields.texts(key);
	for (const std::string &name : out) {
		if (!is_name(name))
			fields.refuse(key, "has \"" + name + "\", which is not the name of a probe",
						  "Write the names without last_ or hist_, as [\"relation\"].");
	}
	return out;
}

} // namespace

int loop_index(std::string_view loop) noexcept {
	const auto found = std::find(kLoops.begin(), kLoops.end(), loop);
	return found == kLoops.end() ? -1 : static_cast<int>(found - kLoops.begin());
}

bool is_frequent(std::string_view loop) noexcept {
	return loop == kLoops[0] || loop == kLoops[1];
}

ProbeDefinition parse_probe(std::string_view name, std::string_view loop, std::string_view query,
							const std::vector<std::string> &key, std::string_view columns,
							std::string_view scope, std::string_view options) {
	ProbeDefinition out;
	out.name = valid_utf8(name);
	const std::string owner = "probe \"" + out.name + "\"";
	if (!is_name(name) || name.size() > kMaxProbeName)
		refuse_definition(
			owner, "The name is not allowed.",
			"Use lower-case letters, digits and underscores, a letter first, at most " +
				std::to_string(kMaxProbeName) + " characters.");
	out.loop = checked_loop(owner, loop);
	const auto found = std::find(kScopes.begin(), kScopes.end(), scope);
	if (found == kScopes.end())
		refuse_definition(owner, "Scope \"" + std::string(scope) + "\" does not exist.",
						  known_hint("scopes", scope, {kScopes.begin(), kScopes.end()}));
	out.scope = static_cast<Scope>(found - kScopes.begin());
	if (out.scope == Scope::kNative && !is_blank(query))
		refuse_definition(owner, "A native probe has no query.",
						  "Leave the query empty, or use scope \"cluster\" or \"database\".");
	if (out.scope != Scope::kNative && is_blank(query))
		refuse_definition(owner, "The query is empty.", "Write one SELECT statement.");
	out.query = out.scope == Scope::kNative ? "" : std::string(query);
	out.key = key;
	for (auto each = key.begin(); each != key.end(); ++each) {
		if (std::find(key.begin(), each, *each) != each)
			refuse_definition(owner, "Key column \"" + *each + "\" is named twice.",
							  "Name it once.");
	}
	const Fields described = Fields::parse(owner, "columns", columns);
	for (const std::string &column : described.keys()) {
		const Fields meaning = described.object(column.c_str());
		out.columns[column] = parse_column(meaning);
		if (meaning.has("read"))
			out.readings[column] = static_cast<Reading>(meaning.choice("read", reading_names(), 0));
	}
	parse_options(Fields::parse(owner, "options", options), out);
	return out;
}

CheckDefinition parse_check(std::string_view id, std::string_view query,
							std::string_view definition) {
	CheckDefinition out;
	out.id = valid_utf8(id);
	const std::string owner = "check \"" + out.id + "\"";
	if (!is_check_id(id))
		refuse_definition(owner, "The id is not allowed.",
						  "Use area.name, such as \"locks.blocking\": lower-case letters, digits "
						  "and underscores.");
	if (is_blank(query))
		refuse_definition(
			owner, "The query is empty.",
			"Write one SELECT that returns object, database, value, unit and evidence.");
	out.query = std::string(query);
	const Fields fields = Fields::parse(owner, "definition", definition);
	fields.allow({"title", "loop", "probes", "needs", "thresholds", "message", "why", "action",
				  "sql", "lock_level", "undo", "symptom_of"});
	out.title = fields.required_text("title");
	out.loop = checked_loop(owner, fields.required_text("loop"));
	out.message = fields.required_text("message");
	out.why = fields.text("why");
	out.action = fields.text("action");
	out.sql = fields.is_text("sql") ? std::vector{fields.text("sql")} : fields.texts("sql");
	out.lock_level = fields.text("lock_level");
	out.undo = fields.text("undo");
	out.symptom_of = fields.text("symptom_of");
	if (!out.symptom_of.empty() && (!is_check_id(out.symptom_of) || out.symptom_of == out.id))
		fields.refuse("symptom_of", "is not the id of another check", "Write it as \"area.name\".");
	out.probes = probe_names(fields, "probes");
	out.needs = probe_names(fields, "needs");
	if (!fields.has("thresholds"))
		fields.refuse("thresholds", "is missing",
					  "Write it as {\"warning\": 30, \"critical\": 120}.");
	out.threshold = parse_thresholds(fields.object("thresholds"));
	check_text(owner, "message", out.message, false);
	check_text(owner, "why", out.why, false);
	check_text(owner, "action", out.action, false);
	for (const std::string &statement : out.sql)
		check_text(owner, "sql", statement, true);
	check_text(owner, "undo", out.undo, true);
	return out;
}

} // namespace pgdba
