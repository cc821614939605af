// The definitions in force, read from the tables of the home database in the current transaction.
#pragma once

#include "pgdba/core/definition.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pgdba {

struct Definitions {
	std::vector<ProbeDefinition> probes;
	std::vector<CheckDefinition> checks;
	std::vector<ThresholdOverride> overrides;                // most specific first
	std::vector<std::pair<std::string, std::string>> broken; // name, why: rows that no longer parse

	const ProbeDefinition *probe(std::string_view name) const noexcept;
};

// REQUIRES: a transaction in the home database. THROWS PgError (42P01 while the extension is
// missing).
Definitions load_definitions();

// OIDs of the tables these come from. Same requirements.
std::vector<std::uint32_t> definition_relations();

} // namespace pgdba
