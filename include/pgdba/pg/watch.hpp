// Notices at commit that a definition table changed (their triggers send a relation cache
// invalidation).
#pragma once

#include <cstdint>
#include <vector>

namespace pgdba::pg {

void watch_relations(
	const std::vector<std::uint32_t> &relations); // replaces the list; the first call registers
bool watched_relation_changed() noexcept;         // since the last call that returned true
void touch_relation(std::uint32_t relation);      // in the transaction that changes it

} // namespace pgdba::pg
