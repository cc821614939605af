#include "pgdba/core/name_cache.hpp"

#include <algorithm>
#include <utility>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

std::string_view trim(std::string_view text) noexcept {
	constexpr std::string_view kBlank = " \t\r\n";
	const std::size_t first = text.find_first_not_of(kBlank);
	if (first == std::string_view::npos)
		return {};
	return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Where a * fails to match, it takes one more character and the rest is tried again: no recursion,
// no worst case beyond length times length.
bool matches(std::string_view name, std::string_view pattern) noexcept {
	std::size_t n = 0, p = 0, star = std::string_view::npos, resume = 0;
	while (n < name.size()) {
		if (p < pattern.size() && pattern[p] == '*') {
			star = p++;
			resume = n;
		} else if (p < pattern.size() && pattern[p] == name[n]) {
			++p;
			++n;
		} else if (star != std::string_view::npos) {
			p = star + 1;
			n = ++resume;
		} else {
			return false;
		}
	}
	return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

} // namespace

void NameCache::end_pass() {
	std::erase_if(names_, [this](const auto &item) { return item.second.seen + 1 < pass_; });
}

const RelationName *NameCache::find(std::uint32_t database, std::uint32_t relation,
									std::uint64_t activity) noexcept {
	const auto found = names_.find(key(database, relation));
	if (found == names_.end())
		return nullptr;
	Entry &entry = found->second;
	entry.seen = pass_;
	if (entry.name.kind == '\0' && entry.activity != activity) {
		entry.activity = activity;
		return nullptr;
	}
	return &entry.name;
}

bool NameCache::learn(std::uint32_t database, std::uint32_t relation, RelationName name) {
	const auto found = names_.find(key(database, relation));
	if (found !=
		names_.end()) { // asked again: that it is still in the statistics is for find() to say
		found->second.name = std::move(name);
		return true;
	}
	if (full()) {
		++refused_;
		return false;
	}
	names_.emplace(key(database, relation), Entry{std::move(name), pass_, 0});
	return true;
}

std::vector<std::uint32_t> NameCache::relations(std::uint32_t database) const {
	std::vector<std::uint32_t> members;
	for (const auto &[key, entry] : names_)
		if (key >> 32 == database)
			members.push_back(static_cast<std::uint32_t>(key));
	std::sort(members.begin(), members.end());
	return members;
}

bool name_in_list(std::string_view name, std::string_view list) noexcept {
	while (!list.empty()) {
		const std::size_t comma = list.find(',');
		const std::string_view pattern = trim(list.substr(0, comma));
		if (!pattern.empty() && matches(name, pattern))
			return true;
		list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
	}
	return false;
}

std::vector<std::uint32_t> turns_after(std::vector<std::uint32_t> members, std::uint32_t last) {
	std::rotate(members.begin(), std::upper_bound(members.begin(), members.end(), last),
				members.end());
	return members;
}

} // namespace pgdba
