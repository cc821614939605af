// Times, durations, sizes and counts as people read them.
#include "pgdba/core/health.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

std::string fixed(double value, int digits) {
	std::array<char, 400> buffer;
	const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
											std::chars_format::fixed, digits);
	std::string out(buffer.data(), end);
	if (digits > 0) {
		while (out.back() == '0')
			out.pop_back();
		if (out.back() == '.')
			out.pop_back();
	}
	return out == "-0" ? "0" : out;
}

std::string two(int value) {
	return (value < 10 ? "0" : "") + std::to_string(value);
}

// "?" and "infinite" for what has no digits; empty otherwise.
std::string not_finite(double value) {
	if (std::isnan(value))
		return "?";
	return std::isinf(value) ? (value < 0 ? "-infinite" : "infinite") : "";
}

std::string with_rest(double whole, std::string_view unit, double rest,
					  std::string_view rest_unit) {
	std::string out = format_count(whole) + " " + std::string(unit);
	if (rest > 0)
		out += " " + fixed(rest, 0) + " " + std::string(rest_unit);
	return out;
}

} // namespace

CivilTime civil_time(Micros at) noexcept {
	constexpr Micros kDay = 86400 * kMicrosPerSecond;
	Micros days = at / kDay, rest = at % kDay;
	if (rest < 0)
		rest += kDay, --days;
	// Howard Hinnant's days-to-civil: eras of 400 years that begin on 1 March.
	const Micros shifted = days + kUnixTimeOfEpoch / kDay + 719468; // 1970-01-01, then 0000-03-01
	const Micros era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	const Micros day_of_era = shifted - era * 146097;
	const Micros year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	const Micros day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const Micros month = (5 * day_of_year + 2) / 153; // 0 is March
	const Micros seconds = rest / kMicrosPerSecond;
	CivilTime out;
	out.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
	out.year = static_cast<int>(year_of_era + era * 400 + (out.month <= 2));
	out.day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
	out.hour = static_cast<int>(seconds / 3600);
	out.minute = static_cast<int>(seconds / 60 % 60);
	out.second = static_cast<int>(seconds % 60);
	out.micros = static_cast<int>(rest % kMicrosPerSecond);
	return out;
}

std::string format_time(Micros at) {
	if (at == std::numeric_limits<Micros>::max() || at == std::numeric_limits<Micros>::min())
		return at > 0 ? "infinity" : "-infinity"; // the server's own way to store them
	const CivilTime t = civil_time(at);
	return std::to_string(t.year) + "-" + two(t.month) + "-" + two(t.day) + " " + two(t.hour) +
		   ":" + two(t.minute) + ":" + two(t.second) + "+00";
}

std::string format_duration(double seconds) {
	if (std::string out = not_finite(seconds); !out.empty())
		return out;
	if (seconds < 0)
		return "-" + format_duration(-seconds);
	if (seconds == 0)
		return "0 s";
	if (seconds < 0.0095)
		return fixed(seconds * 1e3, 1) + " ms";
	if (seconds < 0.9995)
		return fixed(seconds * 1e3, 0) + " ms";
	if (seconds < 9.95)
		return fixed(seconds, 1) + " s";
	const double whole =
		std::round(seconds); // rounded once, so that 59.7 s is "1 min", never "60 s"
	if (whole < 60)
		return fixed(whole, 0) + " s";
	if (whole < 3600)
		return with_rest(std::floor(whole / 60), "min", std::fmod(whole, 60), "s");
	if (whole < 86400)
		return with_rest(std::floor(whole / 3600), "h", std::floor(std::fmod(whole, 3600) / 60),
						 "min");
	return with_rest(std::floor(whole / 86400), "d", std::floor(std::fmod(whole, 86400) / 3600),
					 "h");
}

std::string format_bytes(double bytes) {
	if (std::string out = not_finite(bytes); !out.empty())
		return out;
	if (bytes < 0)
		return "-" + format_bytes(-bytes);
	constexpr std::array<std::string_view, 6> kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
	if (bytes < 1023.5)
		return fixed(bytes, 0) + " bytes";
	std::size_t unit = 0;
	double value = bytes / 1024;
	while (value >= 1023.5 && unit + 1 < kUnits.size()) {
		value /= 1024;
		++unit;
	}
	return (value < 99.95 ? fixed(value, 1) : format_count(value)) + " " +
		   std::string(kUnits[unit]);
}

std::string format_count(double count) {
	if (std::string out = not_finite(count); !out.empty())
		return out;
	if (count < 0)
		return "-" + format_count(-count);
	const std::string digits = fixed(count, count < 1000 ? 2 : 0);
	const std::size_t point = std::min(digits.find('.'), digits.size());
	std::string out;
	for (std::size_t i = 0; i < digits.size(); ++i) {
		if (i > 0 && i < point && (point - i) % 3 == 0)
			out += ',';
		out += digits[i];
	}
	return out;
}

std::string format_percent(double percent) {
	std::string out = not_finite(percent);
	return (out.empty() ? fixed(percent, 1) : out) + " %";
}

std::string format_value(double value, std::string_view unit) {
	if (unit == "seconds" || unit == "s")
		return format_duration(value);
	if (unit == "bytes")
		return format_bytes(value);
	if (unit == "percent" || unit == "%")
		return format_percent(value);
	return format_count(value) + (unit.empty() ? "" : " ") + std::string(unit);
}

} // namespace pgdba
