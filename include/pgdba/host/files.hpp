// Small files of the operating system, and what lies beneath a path. No server header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pgdba {

// The whole of a small file. RETURNS: empty when it cannot be read. Never blocks on a file of /proc
// or /sys; at most 64 KB.
std::string read_small_file(const std::string &path);

struct Filesystem {
	std::string device; // major:minor, so that one can tell which paths share a file system
	std::int64_t size = 0, free = 0, available = 0; // bytes; available: to an ordinary user
	std::int64_t files = 0, files_free = 0;         // inodes; 0 files: it has no fixed number
	bool read_only = false;
};
std::optional<Filesystem> filesystem_of(const std::string &path);

struct Folder {
	std::string mode; // as chmod takes it: "0700"
	bool own = false; // it belongs to the user of this process
	std::int64_t files = 0;
	std::optional<bool> rotational; // of the disk, where there is one that says so
};
// RETURNS: nothing when there is no such folder, or it cannot be read.
std::optional<Folder> folder_of(const std::string &path);

} // namespace pgdba
