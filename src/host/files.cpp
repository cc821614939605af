#include "pgdba/host/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

std::string device_of(const struct stat &status) {
	return std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
}

// A partition has no queue of its own, its disk has.
std::optional<bool> is_rotational(const std::string &device) {
	for (const char *const queue : {"/queue/", "/../queue/"}) {
		std::string path = "/sys/dev/block/";
		path.append(device).append(queue).append("rotational");
		if (const std::string text = read_small_file(path); !text.empty())
			return text.front() == '1';
	}
	return std::nullopt;
}

} // namespace

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
	found.device = device_of(status);
	found.size = bytes(space.f_blocks);
	found.free = bytes(space.f_bfree);
	found.available = bytes(space.f_bavail);
	found.files = static_cast<std::int64_t>(space.f_files);
	found.files_free = static_cast<std::int64_t>(space.f_favail);
	found.read_only = (space.f_flag & ST_RDONLY) != 0;
	return found;
}

std::optional<Folder> folder_of(const std::string &path) {
	struct stat status {};
	struct Close {
		void operator()(DIR *folder) const { closedir(folder); }
	};
	const std::unique_ptr<DIR, Close> folder(opendir(path.c_str()));
	if (folder == nullptr || fstat(dirfd(folder.get()), &status) != 0)
		return std::nullopt;
	Folder found;
	for (int shift = 9; shift >= 0; shift -= 3)
		found.mode += static_cast<char>('0' + ((status.st_mode >> shift) & 7));
	found.own = status.st_uid == geteuid();
	// Not every file system says what an entry is.
	while (const dirent *const entry = readdir(folder.get()))
		found.files +=
			entry->d_type == DT_REG || (entry->d_type == DT_UNKNOWN && entry->d_name[0] != '.') ? 1
																								: 0;
	found.rotational = is_rotational(device_of(status));
	return found;
}

} // namespace pgdba
