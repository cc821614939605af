// Names of relations by OID, as far as they are known. Pure: who looks them up is
// sampler/names.hpp.
//
// The statistics of the server know relations by OID only, and a name takes a visit to the
// relation's database. So a name is kept until a pass over the statistics no longer finds its
// relation. That there is no such relation is an answer too: it holds until something happens to
// the relation, because the statistics know a table from the moment it is created, and everybody
// else only from the commit on. Bounded: beyond `most` names nothing is added, and that is counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgdba {

struct RelationName {
	std::string schema, relation;
	char kind = '\0';        // pg_class.relkind; '\0': there is no such relation
	std::uint32_t table = 0; // of an index: the table it belongs to
};

class NameCache {
public:
	explicit NameCache(std::size_t most) : most_(most) {}

	// Between these two, find() marks what is still there; the end drops what two passes in a row
	// did not look for (two, because a relation whose counters were locked is missing from a pass).
	void begin_pass() noexcept { ++pass_; }
	void end_pass();

	// `activity` is any number that changes when the relation's counters do.
	// RETURNS: null when the name is not known. Valid until the next learn() or end_pass().
	const RelationName *find(std::uint32_t database, std::uint32_t relation,
							 std::uint64_t activity) noexcept;
	// RETURNS: false when it is new and there is no place for it.
	bool learn(std::uint32_t database, std::uint32_t relation, RelationName name);

	// Every relation of a database that has an entry, for asking again: relations are renamed.
	std::vector<std::uint32_t> relations(std::uint32_t database) const;

	std::size_t size() const noexcept { return names_.size(); }
	bool full() const noexcept { return names_.size() >= most_; }
	std::int64_t refused() const noexcept { return refused_; }

private:
	struct Entry {
		RelationName name;
		std::uint64_t seen = 0;     // the last pass that looked for it
		std::uint64_t activity = 0; // when it was last asked for; only of missing relations
	};
	static std::uint64_t key(std::uint32_t database, std::uint32_t relation) noexcept {
		return std::uint64_t{database} << 32 | relation;
	}

	std::size_t most_;
	std::uint64_t pass_ = 0;
	std::int64_t refused_ = 0;
	std::unordered_map<std::uint64_t, Entry> names_;
};

// Whether `name` is in a setting such as "app, shop_*": names separated by commas, blanks around
// them ignored,
// * stands for any text. (A name that has a comma or a * in it is met by a pattern.)
bool name_in_list(std::string_view name, std::string_view list) noexcept;

// The same members, beginning with the first one greater than `last`: whoever was left out is first
// the next time. REQUIRES: sorted.
std::vector<std::uint32_t> turns_after(std::vector<std::uint32_t> members, std::uint32_t last);

} // namespace pgdba
