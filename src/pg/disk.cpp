#include "pgdba/pg/disk.hpp"

#include <sys/statvfs.h>

namespace pgdba::pg {

std::uint64_t free_bytes(const char *folder) noexcept {
	struct statvfs status {};
	return statvfs(folder, &status) == 0 ? std::uint64_t{status.f_bavail} * status.f_frsize
										 : UINT64_MAX;
}

} // namespace pgdba::pg
