#include "pgdba/host/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>

#include "pgdba/core/wall.hpp"

namespace pgdba {

std::string read_small_file(const std::string &path) {
	constexpr std::size_t kMost = 64 << 10;
	std::string text;
	const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return text;
	std::array<char, 8192> part{};
	ssize_t count = 0;
	while (text.size() < kMost && (count = read(file, part.data(), part.size())) > 0)
		text.append(part.data(), static_cast<std::size_t>(count));
	close(file);
	return text;
}

std::optional<Filesystem> filesystem_of(const std::string &path) {
	struct stat status {};
	struct statvfs space {};
	if (stat(path.c_str(), &status) != 0 || statvfs(path.c_str(), &space) != 0)
		return std::nullopt;
	const auto bytes = [&space](auto blocks) {
		return static_cast<std::int64_t>(blocks) * static_cast<std::int64_t>(space.f_frsize);
	};
	Filesystem found;
	found.device =
		std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
	found.size = bytes(space.f_blocks);
	found.free = bytes(space.f_bfree);
	found.available = bytes(space.f_bavail);
	found.files = static_cast<std::int64_t>(space.f_files);
	found.files_free = static_cast<std::int64_t>(space.f_favail);
	found.read_only = (space.f_flag & ST_RDONLY) != 0;
	return found;
}

} // namespace pgdba
