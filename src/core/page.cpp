// Layout of the lines of pgdba.health(): see page.hpp.
#include "page.hpp"

#include "text.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

void Page::add(std::string lead, const std::vector<std::string> &texts) {
	if (width(lead) < kColumn)
		lead.append(kColumn - width(lead), ' ');
	for (const std::string &text : texts) {
		lines_.push_back(lead + text);
		lead.assign(kColumn, ' ');
	}
}

void Page::blank() {
	if (!lines_.empty() && !lines_.back().empty())
		lines_.emplace_back();
}

void Page::heading(std::string_view head, std::string_view prose) {
	add(std::string(head), wrap(prose, kWidth - kColumn, kWidth - kColumn));
}

void Page::first(std::string_view head, std::string_view prose) {
	for (std::string &line :
		 wrap(std::string(head) + " " + std::string(prose), kWidth - kColumn, kWidth - 1)) {
		const bool begins = lines_.empty();
		if (begins)
			line.insert(head.size(), 1, ' ');
		lines_.push_back(begins ? line : std::string(kColumn, ' ') + line);
	}
}

void Page::labelled(std::string_view label, std::string_view prose) {
	add("  " + std::string(label), wrap(prose, kWidth - kColumn, kWidth - kColumn));
}

void Page::statements(std::string_view label, std::string_view sql, std::string_view comment) {
	std::vector<std::string> lines = statement_lines(sql);
	if (!lines.empty() && !comment.empty())
		lines.insert(lines.begin(), "-- " + visible(comment));
	add("  " + std::string(label), lines);
}

} // namespace pgdba
