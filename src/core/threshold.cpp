// How bad a finding is: its value against the thresholds of its check and what a user set in their
// place.
#include "pgdba/core/verdict.hpp"

#include <cmath>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// How many bytes the character at the start of `text` has; 1 for bytes that are no UTF-8.
std::size_t character_bytes(std::string_view text) noexcept {
	std::size_t bytes = 1;
	if ((static_cast<unsigned char>(text[0]) & 0xC0) != 0xC0)
		return bytes;
	while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80)
		++bytes;
	return bytes;
}

void apply(const ThresholdOverride &change, Threshold &threshold) {
	if (change.warning && threshold.clear && threshold.warning) {
		// The way down keeps its proportion to the level, or an override upwards would never clear.
		if (*threshold.warning != 0)
			threshold.clear = *threshold.clear / *threshold.warning * *change.warning;
		else
			threshold.clear.reset();
	}
	if (change.warning)
		threshold.warning = change.warning;
	if (change.critical)
		threshold.critical = change.critical;
	for (const auto &[column, floor] : change.floor)
		threshold.floor[column] = floor;
}

enum class Floor { kPassed, kUnder, kUnknown };

Floor against_floors(const std::map<std::string, double> &floors, const Finding &finding) {
	Floor out = Floor::kPassed;
	for (const auto &[column, floor] : floors) {
		const auto found = finding.named.find(column);
		const std::optional<double> value = found != finding.named.end() ? found->second
											: column == "value"          ? finding.value
																		 : std::nullopt;
		if (!value || std::isnan(*value))
			out = Floor::kUnknown;
		else if (*value <= floor)
			return Floor::kUnder; // one floor is enough, whatever the others are
	}
	return out;
}

} // namespace

bool like(std::string_view text, std::string_view pattern) noexcept {
	// Goes back to the latest % only: what an earlier one matched can always be matched by the
	// latest as well.
	std::size_t t = 0, p = 0;
	std::size_t star = std::string_view::npos, star_text = 0;
	while (t < text.size()) {
		const std::size_t step = character_bytes(text.substr(t));
		if (p < pattern.size() && pattern[p] == '%') {
			star = ++p;
			star_text = t;
			continue;
		}
		const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
		if (p < pattern.size() && pattern[p] == '_') {
			++p;
			t += step;
		} else if (p < pattern.size() && pattern[p + escaped] == text[t]) {
			p += 1 + escaped;
			++t;
		} else if (star != std::string_view::npos) {
			p = star;
			star_text += character_bytes(text.substr(star_text));
			t = star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.size() && pattern[p] == '%')
		++p;
	return p == pattern.size();
}

Judgement judge(const Threshold &threshold, const std::vector<ThresholdOverride> &overrides,
				const Finding &finding, std::optional<Severity> was) {
	Threshold in_effect = threshold;
	for (const ThresholdOverride &each : overrides) {
		if (like(finding.object, each.object_pattern)) {
			apply(each, in_effect);
			break;
		}
	}
	Judgement out{Severity::kUnknown, in_effect.warning, in_effect.critical};
	if (!finding.value || std::isnan(*finding.value))
		return out;
	const Floor floor = against_floors(in_effect.floor, finding);
	if (floor != Floor::kPassed) {
		out.severity = floor == Floor::kUnder ? Severity::kOk : Severity::kUnknown;
		return out;
	}
	const auto beyond = [&](const std::optional<double> &level) {
		return level && (in_effect.direction == Direction::kAbove ? *finding.value > *level
																  : *finding.value < *level);
	};
	const Severity entry = in_effect.warning ? Severity::kWarning : Severity::kCritical;
	const bool was_alarming = was == Severity::kWarning || was == Severity::kCritical;
	if (beyond(in_effect.critical))
		out.severity = Severity::kCritical;
	else if (beyond(in_effect.warning))
		out.severity = Severity::kWarning;
	else if (was_alarming && beyond(in_effect.clear))
		out.severity = entry;
	else
		out.severity = beyond(in_effect.info) ? Severity::kInfo : Severity::kOk;
	return out;
}

} // namespace pgdba
