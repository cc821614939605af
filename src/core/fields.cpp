// Strict reading of JSON objects: see fields.hpp.
#include "fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "pgdba/core/wall.hpp"

namespace pgdba {

using nlohmann::json;

// The members of the JSON object are the only thing that needs the library's type.
struct Fields::Node {
	json value;
};

namespace {

// How many letters to insert, leave out, change or swap with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
	std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
	std::iota(d[0].begin(), d[0].end(), std::size_t{0});
	for (std::size_t i = 1; i <= a.size(); ++i) {
		d[i][0] = i;
		for (std::size_t j = 1; j <= b.size(); ++j) {
			const bool differs = a[i - 1] != b[j - 1];
			d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + differs});
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a.size()][b.size()];
}

// Empty when nothing is near: a wrong guess misleads more than none. Text of a user is cut before
// it is compared.
std::string_view nearest(std::string_view wrong, const std::vector<std::string_view> &known) {
	std::string_view best;
	std::size_t least = std::numeric_limits<std::size_t>::max();
	for (const std::string_view each : known) {
		const std::size_t distance = edit_distance(wrong.substr(0, 64), each);
		if (distance < least) {
			least = distance;
			best = each;
		}
	}
	const std::size_t limit = std::max<std::size_t>(1, std::min(wrong.size(), best.size()) / 3);
	return least <= limit ? best : std::string_view();
}

std::string quoted_list(std::vector<std::string_view> names) {
	std::sort(names.begin(), names.end());
	std::string out;
	for (std::size_t i = 0; i < names.size(); ++i) {
		if (i > 0)
			out += i + 1 == names.size() ? " and " : ", ";
		out += '"' + std::string(names[i]) + '"';
	}
	return out;
}

struct Unit {
	std::string_view name;
	double micros;
};
constexpr std::array<Unit, 8> kUnits = {{{"us", 1},
										 {"ms", 1e3},
										 {"s", 1e6},
										 {"sec", 1e6},
										 {"m", 60e6},
										 {"min", 60e6},
										 {"h", 3600e6},
										 {"d", 86400e6}}};

// RETURNS: -1 when the text is no duration.
double parse_duration(std::string_view text) {
	double number = 0;
	const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	if (error != std::errc())
		return -1;
	std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
	unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
	for (const Unit &each : kUnits) {
		if (each.name == unit)
			return number * each.micros;
	}
	return -1;
}

} // namespace

void refuse_definition(const std::string &owner, std::string detail, std::string hint) {
	throw BadDefinition("invalid definition of " + owner, std::move(detail), std::move(hint));
}

std::string known_hint(std::string_view plural, std::string_view wrong,
					   const std::vector<std::string_view> &known) {
	std::string out;
	if (const std::string_view near = nearest(wrong, known); !near.empty())
		out = "Perhaps you meant \"" + std::string(near) + "\". ";
	return out + "Known " + std::string(plural) + " are " + quoted_list(known) + ".";
}

Fields::Fields(std::string owner, std::string place, std::shared_ptr<const Node> node)
	: owner_(std::move(owner)), place_(std::move(place)), node_(std::move(node)) {}

Fields Fields::parse(std::string owner, std::string place, std::string_view text) {
	json value = json::parse(text, nullptr, false);
	if (!value.is_object())
		refuse_definition(owner,
						  "The argument \"" + place + "\" is " +
							  (value.is_discarded() ? "not JSON." : "not a JSON object."),
						  "Write it as {\"key\": value, ...}.");
	return {std::move(owner), std::move(place), std::make_shared<Node>(Node{std::move(value)})};
}

void Fields::allow(const std::vector<std::string_view> &known) const {
	for (const auto &[key, value] : node_->value.items()) {
		if (std::find(known.begin(), known.end(), key) == known.end())
			refuse_definition(owner_, "Key \"" + key + "\" in \"" + place_ + "\" is not known.",
							  known_hint("keys", key, known));
	}
}

std::vector<std::string> Fields::keys() const {
	std::vector<std::string> out;
	for (const auto &[key, value] : node_->value.items())
		out.push_back(key);
	return out;
}

void Fields::refuse(const char *key, std::string_view problem, std::string hint) const {
	refuse_definition(owner_,
					  "Key \"" + std::string(key) + "\" in \"" + place_ + "\" " +
						  std::string(problem) + ".",
					  std::move(hint));
}

bool Fields::has(const char *key) const noexcept {
	const auto found = node_->value.find(key);
	return found != node_->value.end() && !found->is_null();
}

bool Fields::is_text(const char *key) const noexcept {
	return has(key) && node_->value.find(key)->is_string();
}

std::string Fields::text(const char *key) const {
	if (!has(key))
		return {};
	if (!is_text(key))
		refuse(key, "is not a text", "Write it in double quotes.");
	return valid_utf8(node_->value.find(key)->get_ref<const std::string &>());
}

std::string Fields::required_text(const char *key) const {
	std::string out = text(key);
	if (out.find_first_not_of(" \t\r\n") == std::string::npos)
		refuse(key, "is missing or empty", "Every definition of this kind needs it.");
	return out;
}

std::optional<double> Fields::number(const char *key) const {
	if (!has(key))
		return std::nullopt;
	const json &value = *node_->value.find(key);
	if (!value.is_number())
		refuse(key, "is not a number", "Write it without quotes.");
	return value.get<double>();
}

std::int64_t Fields::integer(const char *key, std::int64_t least, std::int64_t most,
							 std::int64_t otherwise) const {
	const std::optional<double> value = number(key);
	if (!value)
		return otherwise;
	if (*value != std::floor(*value) || *value < static_cast<double>(least) ||
		*value > static_cast<double>(most))
		refuse(key, "is out of range",
			   "Write a whole number from " + std::to_string(least) + " to " +
				   std::to_string(most) + ".");
	return static_cast<std::int64_t>(*value);
}

Micros Fields::duration(const char *key) const {
	if (!has(key))
		return 0;
	const double micros = is_text(key) ? parse_duration(text(key)) : *number(key) * 1e6;
	constexpr double kLongest = 366 * 86400e6;
	if (!(micros >= 0 && micros <= kLongest)) // also refuses NaN
		refuse(key, "is not a duration",
			   "Write a number of seconds, or a text such as \"500ms\", \"30s\", \"10m\", \"2h\" "
			   "or \"1d\", "
			   "at most a year.");
	return std::llround(micros);
}

std::vector<std::string> Fields::texts(const char *key) const {
	std::vector<std::string> out;
	if (!has(key))
		return out;
	const json &list = *node_->value.find(key);
	if (!list.is_array() ||
		!std::all_of(list.begin(), list.end(), [](const json &each) { return each.is_string(); }))
		refuse(key, "is not a list of texts", "Write it as [\"one\", \"two\"].");
	for (const json &each : list)
		out.push_back(valid_utf8(each.get_ref<const std::string &>()));
	return out;
}

std::size_t Fields::choice(const char *key, const std::vector<std::string_view> &options,
						   std::size_t otherwise) const {
	if (!has(key))
		return otherwise;
	const std::string value = text(key);
	const auto found = std::find(options.begin(), options.end(), value);
	if (found == options.end())
		refuse(key, "has the unknown value \"" + value + "\"",
			   known_hint("values", value, options));
	return static_cast<std::size_t>(found - options.begin());
}

Fields Fields::object(const char *key) const {
	std::string place = place_ + "." + key;
	if (!has(key))
		return {owner_, std::move(place), std::make_shared<Node>(Node{json::object()})};
	const json &value = *node_->value.find(key);
	if (!value.is_object())
		refuse(key, "is not a JSON object", "Write it as {\"key\": value, ...}.");
	return {owner_, std::move(place), std::make_shared<Node>(Node{value})};
}

} // namespace pgdba
