// Reads one JSON object of a definition strictly: a key that is not known, or a value of another
// type, is refused with a detail that says where and a hint that says what would be right. Hides
// the JSON library from its users.
#pragma once

#include "pgdba/core/definition.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

// `owner` is what the message names, such as `probe "relation"`.
[[noreturn]] void refuse_definition(const std::string &owner, std::string detail, std::string hint);

// "Known keys are "a" and "b".", and in front of it the nearest of them when it is close to
// `wrong`.
std::string known_hint(std::string_view plural, std::string_view wrong,
					   const std::vector<std::string_view> &known);

class Fields {
public:
	// `place` names the argument, such as "options". THROWS: BadDefinition, as all of the below.
	static Fields parse(std::string owner, std::string place, std::string_view json);

	void allow(const std::vector<std::string_view> &known) const;
	std::vector<std::string> keys() const;
	bool has(const char *key) const noexcept; // there, and not null
	bool is_text(const char *key) const noexcept;

	std::string text(const char *key) const; // empty when it is not there
	std::string required_text(const char *key) const;
	std::optional<double> number(const char *key) const;
	std::int64_t integer(const char *key, std::int64_t least, std::int64_t most,
						 std::int64_t otherwise) const;
	Micros
	duration(const char *key) const; // "500ms", "10m", or a number of seconds; 0 when not there
	std::vector<std::string> texts(const char *key) const;
	// RETURNS: the position of the text in `options`, or `otherwise` when the key is not there.
	std::size_t choice(const char *key, const std::vector<std::string_view> &options,
					   std::size_t otherwise) const;
	Fields object(const char *key) const; // an empty one when it is not there

	[[noreturn]] void refuse(const char *key, std::string_view problem, std::string hint) const;

private:
	struct Node;
	Fields(std::string owner, std::string place, std::shared_ptr<const Node> node);
	std::string owner_, place_;
	std::shared_ptr<const Node> node_;
};

} // namespace pgdba
