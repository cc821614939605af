// What each session does now, straight from the server's shared memory: no snapshot, no
// transaction, no lock, no allocation.
#pragma once

#include "pgdba/core/wait_memory.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgdba::pg {

// In a process that has a status itself (MyBEEntry): the launcher.
class WaitReader {
public:
	WaitReader();
	// Those that count as load, are idle in a transaction, or just became idle. Valid until the
	// next call.
	std::span<const WaitSight> read(Micros now) noexcept;

private:
	int process_number(std::size_t place, int pid) noexcept;

	std::vector<WaitSight> sights_;
	std::vector<int> numbers_; // of each place's process, as far as they were looked for
};

// Names of what a sight has in numbers, as valid UTF-8. Raise what the server raises.
std::pair<std::string, std::string> wait_event_name(std::uint32_t event); // kind and event
std::string backend_type_name(std::uint32_t type);
std::string role_name(std::uint32_t oid); // REQUIRES: an open transaction. RETURNS: empty when gone

} // namespace pgdba::pg
