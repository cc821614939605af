#include "pgdba/pg/databases.hpp"

#include "pgdba/core/name_cache.hpp"
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/settings.hpp"

namespace pgdba::pg {

bool database_included(std::string_view name) {
	const std::string include = valid_utf8(settings().include_databases);
	const std::string exclude = valid_utf8(settings().exclude_databases);
	const bool all = include.find_first_not_of(" \t") == std::string::npos;
	return (all || name_in_list(name, include)) && !name_in_list(name, exclude);
}

std::vector<Database> list_databases() {
	// No text function on datname: it would raise an error for a name made in a database of another
	// encoding. -2: invalid, its DROP was interrupted.
	const Sample rows = select_rows("SELECT oid, datname, datallowconn AND NOT datistemplate AND "
									"datconnlimit OPERATOR(pg_catalog.<>) -2 "
									"FROM pg_catalog.pg_database ORDER BY oid");
	std::map<std::string, int> alike;
	for (std::size_t row = 0; row < rows.rows(); ++row)
		++alike[std::string(rows.at(row, 1).text)];
	std::vector<Database> databases;
	for (std::size_t row = 0; row < rows.rows(); ++row) {
		Database &database = databases.emplace_back();
		database.oid = static_cast<std::uint32_t>(rows.at(row, 0).integer);
		database.name = rows.at(row, 1).text;
		database.home = database.oid == connected_database();
		const bool open = rows.at(row, 2).integer != 0 || database.home;
		database.sampled = open && database_included(database.name);
		if (alike[database.name] > 1)
			database.name += " (" + std::to_string(database.oid) + ")";
	}
	return databases;
}

std::vector<VisitableDatabase> visitable_databases() {
	Transaction transaction(true);
	std::vector<VisitableDatabase> visitable;
	for (Database &database : list_databases())
		if (database.sampled && !database.home)
			visitable.push_back({database.oid, std::move(database.name)});
	transaction.commit();
	return visitable;
}

std::uint32_t connected_database() noexcept {
	return MyDatabaseId;
}

} // namespace pgdba::pg
