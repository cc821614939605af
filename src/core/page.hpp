// The lines of pgdba.health(): a heading at the left, then short labelled lines in two aligned
// columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

class Page {
public:
	static constexpr std::size_t kWidth = 100;
	static constexpr std::size_t kColumn = 10; // where text begins

	void blank(); // at most one in a row, none at the top
	// `head` at the left, then the prose; the following lines are indented to the column.
	void heading(std::string_view head, std::string_view prose);
	// As heading(), with two spaces between them whatever the head's length.
	void first(std::string_view head, std::string_view prose);
	// An indented label and its prose; nothing when the prose is empty.
	void labelled(std::string_view label, std::string_view prose);
	// An indented label and its statements, a line each, never wrapped; nothing when there is none.
	void statements(std::string_view label, std::string_view sql, std::string_view comment = {});

	std::vector<std::string> take() && { return std::move(lines_); }

private:
	void add(std::string lead, const std::vector<std::string> &texts);
	std::vector<std::string> lines_;
};

} // namespace pgdba
