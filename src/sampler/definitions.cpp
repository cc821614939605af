#include "pgdba/sampler/definitions.hpp"

#include "pgdba/pg/query.hpp"

#include <nlohmann/json.hpp>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// A probe's text is the variant with the highest version that the server has reached, or the
// probe's own.
constexpr const char *kProbes =
	"SELECT p.name, p.loop, coalesce(v.query, p.query, '') AS query, "
	"pg_catalog.array_to_json(p.key)::text AS key,"
	" p.columns::text AS columns, p.scope, p.options::text AS options"
	" FROM pgdba.probe p LEFT JOIN LATERAL (SELECT pv.query FROM pgdba.probe_variant pv WHERE "
	"pv.name = p.name"
	" AND pv.from_version <= pg_catalog.current_setting('server_version_num')::int"
	" ORDER BY pv.from_version DESC LIMIT 1) v ON true ORDER BY p.name";
constexpr const char *kChecks = "SELECT check_id, query, definition::text AS definition FROM "
								"pgdba.check_definition ORDER BY check_id";
// The longer the pattern without its wild cards, the more specific it is.
constexpr const char *kOverrides =
	"SELECT check_id, object_pattern, warning, critical, floor::text AS floor FROM pgdba.threshold"
	" ORDER BY check_id, pg_catalog.length(pg_catalog.replace(object_pattern, '%', '')) DESC, "
	"object_pattern";
constexpr const char *kRelations =
	"SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace = "
	"'pgdba'::pg_catalog.regnamespace"
	" AND c.relname IN ('probe', 'probe_variant', 'check_definition', 'threshold')";

std::string text(const Sample &rows, std::size_t row, std::string_view column) {
	return std::string(rows.at(row, column).text);
}

std::vector<std::string> texts(const std::string &json) {
	return json.empty() ? std::vector<std::string>{}
						: nlohmann::json::parse(json).get<std::vector<std::string>>();
}

std::optional<double> number(const Cell &cell) {
	return cell.null ? std::nullopt : std::optional(cell.number());
}

} // namespace

const ProbeDefinition *Definitions::probe(std::string_view name) const noexcept {
	for (const ProbeDefinition &probe : probes)
		if (probe.name == name)
			return &probe;
	return nullptr;
}

Definitions load_definitions() {
	Definitions all;
	const Sample probes = pg::select_rows(kProbes);
	for (std::size_t i = 0; i < probes.rows(); ++i)
		try {
			all.probes.push_back(parse_probe(
				text(probes, i, "name"), text(probes, i, "loop"), text(probes, i, "query"),
				texts(text(probes, i, "key")), text(probes, i, "columns"), text(probes, i, "scope"),
				text(probes, i, "options")));
		} catch (
			const std::exception &bad) { // whoever wrote it past define_probe(): the others go on
			all.broken.emplace_back(text(probes, i, "name"), bad.what());
		}
	const Sample checks = pg::select_rows(kChecks);
	for (std::size_t i = 0; i < checks.rows(); ++i)
		try {
			all.checks.push_back(parse_check(text(checks, i, "check_id"), text(checks, i, "query"),
											 text(checks, i, "definition")));
		} catch (const std::exception &bad) {
			all.broken.emplace_back(text(checks, i, "check_id"), bad.what());
		}
	const Sample overrides = pg::select_rows(kOverrides);
	for (std::size_t i = 0; i < overrides.rows(); ++i) {
		ThresholdOverride &override = all.overrides.emplace_back();
		override.check_id = text(overrides, i, "check_id");
		override.object_pattern = text(overrides, i, "object_pattern");
		override.warning = number(overrides.at(i, "warning"));
		override.critical = number(overrides.at(i, "critical"));
		const nlohmann::json floor = nlohmann::json::parse(text(overrides, i, "floor"), nullptr,
														   false); // outlives its items()
		for (const auto &[name, value] : floor.items())
			if (value.is_number())
				override.floor[name] = value.get<double>();
	}
	return all;
}

std::vector<std::uint32_t> definition_relations() {
	const Sample relations = pg::select_rows(kRelations);
	std::vector<std::uint32_t> oids;
	for (std::size_t i = 0; i < relations.rows(); ++i)
		oids.push_back(static_cast<std::uint32_t>(relations.at(i, std::size_t{0}).integer));
	return oids;
}

} // namespace pgdba
