// What is left of a file system.
#pragma once

#include <cstdint>

namespace pgdba::pg {

// Bytes that the server may still write below a folder. RETURNS the largest number where the system
// cannot say: writing will tell.
std::uint64_t free_bytes(const char *folder) noexcept;

} // namespace pgdba::pg
