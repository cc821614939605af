#include "pgdba/core/proc_text.hpp"

#include <array>
#include <charconv>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

std::string_view next_line(std::string_view &text) {
	const std::string_view line = text.substr(0, text.find('\n'));
	text.remove_prefix(std::min(line.size() + 1, text.size()));
	return line;
}

std::string_view next_word(std::string_view &line) {
	line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
	const std::string_view word = line.substr(0, line.find_first_of(" \t\n"));
	line.remove_prefix(word.size());
	return word;
}

bool has_item(std::string_view list, std::string_view item) {
	while (!list.empty()) {
		const std::string_view each = list.substr(0, list.find(','));
		if (each == item)
			return true;
		list.remove_prefix(std::min(each.size() + 1, list.size()));
	}
	return false;
}

} // namespace

std::optional<double> first_number(std::string_view text) {
	const std::string_view word = next_word(text);
	double number = 0;
	const auto [after, error] = std::from_chars(word.data(), word.data() + word.size(), number);
	return error == std::errc() && after == word.data() + word.size() ? std::optional(number)
																	  : std::nullopt;
}

std::optional<double> named_number(std::string_view text, std::string_view name) {
	while (!text.empty()) {
		std::string_view line = next_line(text);
		std::string_view word = next_word(line);
		if (word.ends_with(':'))
			word.remove_suffix(1);
		if (word != name)
			continue;
		const auto number = first_number(line);
		(void)next_word(line);
		return number && next_word(line) == "kB" ? std::optional(*number * 1024) : number;
	}
	return std::nullopt;
}

std::optional<std::string> chosen_word(std::string_view text) {
	const std::size_t open = text.find('['), close = text.find(']', open + 1);
	if (open == std::string_view::npos || close == std::string_view::npos || close == open + 1)
		return std::nullopt;
	return std::string(text.substr(open + 1, close - open - 1));
}

std::optional<double> stall_seconds(std::string_view text, std::string_view wanted) {
	while (!text.empty()) {
		std::string_view line = next_line(text);
		if (next_word(line) != wanted)
			continue;
		const std::size_t total = line.find("total=");
		if (total == std::string_view::npos)
			return std::nullopt;
		const auto micros = first_number(line.substr(total + 6));
		return micros ? std::optional(*micros / 1e6) : std::nullopt;
	}
	return std::nullopt;
}

std::optional<ControlGroup> control_group(std::string_view proc_cgroup,
										  std::string_view controller) {
	std::optional<ControlGroup> found;
	while (!proc_cgroup.empty()) { // hierarchy:controllers:path
		const std::string_view line = next_line(proc_cgroup);
		const std::size_t first = line.find(':'), second = line.find(':', first + 1);
		if (first == std::string_view::npos || second == std::string_view::npos)
			continue;
		const std::string_view controllers = line.substr(first + 1, second - first - 1);
		const std::string path(line.substr(second + 1));
		if (has_item(controllers, controller)) // where it stands it counts
			return ControlGroup{false, "/" + std::string(controllers) + path};
		if (controllers.empty())
			found = ControlGroup{true, path};
	}
	return found;
}

std::optional<ProcessStat> process_stat(std::string_view text) {
	// The name is in parentheses and may have any of them inside.
	const std::size_t begin = text.find('('), end = text.rfind(')');
	if (begin == std::string_view::npos || end == std::string_view::npos || end < begin)
		return std::nullopt;
	ProcessStat stat;
	stat.name = text.substr(begin + 1, end - begin - 1);
	std::string_view rest = text.substr(end + 1);
	const std::string_view state = next_word(rest);
	if (state.size() != 1)
		return std::nullopt;
	stat.state = state.front();
	std::array<std::int64_t, 21> field{}; // from the fourth of proc(5) on
	for (std::int64_t &number : field) {
		const std::string_view word = next_word(rest);
		// The last is a number of 64 bits without sign: what does not fit is not one we take.
		if (word.empty())
			return std::nullopt;
		(void)std::from_chars(word.data(), word.data() + word.size(), number);
	}
	stat.parent = field[0], stat.major_faults = field[8], stat.user = field[10];
	stat.system = field[11], stat.started = field[18], stat.resident = field[20];
	return stat;
}

} // namespace pgdba
