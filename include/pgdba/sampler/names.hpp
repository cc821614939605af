// What the relations of the sampled databases are called.
//
// Names are asked for when a relation shows up in the statistics that has none yet, all of a
// database in one visit; and all again once per hourly interval, because relations are renamed. A
// few databases a tick, each in its turn.
#pragma once

#include "pgdba/core/name_cache.hpp"
#include "pgdba/core/sample.hpp"
#include "pgdba/core/schedule.hpp"
#include "pgdba/pg/databases.hpp"
#include "pgdba/pg/statistics.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

class RelationNames {
public:
	// A pass: begin, find() each relation, learn() what was not found, end.
	void begin() noexcept;
	// RETURNS: null when it is not known; it is then asked for by learn(). Valid until learn() or
	// end().
	const RelationName *find(const pg::RelationCounters &relation);
	// As far as the time goes. REQUIRES: no transaction is open.
	void learn(const std::vector<pg::Database> &databases, Micros deadline);
	void end();

private:
	static constexpr std::size_t kMostNames = 200'000;
	// How far we are with one database.
	struct Progress {
		std::vector<std::uint32_t> wanted;
		Micros refreshed = 0; // 0: nothing learned yet
		BackOff back_off;
	};
	bool due(std::uint32_t database, Micros now);
	void ask(const pg::Database &database, Micros deadline);
	bool ask_here(std::uint32_t database, const std::vector<std::uint32_t> &relations);
	bool ask_reader(const pg::Database &database, const std::vector<std::uint32_t> &relations,
					Micros deadline);
	void keep(std::uint32_t database, const std::vector<std::uint32_t> &asked,
			  const Sample &answer);
	std::vector<std::uint32_t> questions(std::uint32_t database, bool refresh) const;

	NameCache cache_{kMostNames};
	std::map<std::uint32_t, Progress> progress_;
	std::uint32_t last_visited_ = 0;
};

} // namespace pgdba
