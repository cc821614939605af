#include "pgdba/rings/copy_file.hpp"

#include "pgdba/core/ring_copy.hpp"
#include "pgdba/pg/descriptor.hpp"
#include "pgdba/pg/disk.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"

#include <cerrno>
#include <cstdio>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr const char *kFolder = "pg_stat_tmp";
constexpr const char *kNewPath = "pg_stat_tmp/pgdba.ring.tmp";
// WAL may lie on the same disk, and the server stops when there is no room for it.
constexpr std::uint64_t kLeaveFree = std::uint64_t{64} << 20;

std::string last_error() {
	return std::generic_category().message(errno);
}

// RETURNS why not, or nothing. The whole, or a part of it, is written.
std::string write_at(int file, std::size_t offset, std::string_view bytes) {
	while (!bytes.empty()) {
		const ssize_t done = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
		if (done < 0 && errno != EINTR)
			return last_error();
		if (done > 0) {
			bytes.remove_prefix(static_cast<std::size_t>(done));
			offset += static_cast<std::size_t>(done);
		}
	}
	return {};
}

} // namespace

std::string CopyFile::write() {
	const RingUsage usage = pg::ring_usage();
	struct stat status {};
	const bool as_left = size_ != 0 && lstat(kPath, &status) == 0 && S_ISREG(status.st_mode) &&
						 status.st_size == static_cast<off_t>(size_);
	return put(!as_left || size_ > 2 * (usage.blocks - usage.free_blocks) * usage.block_bytes);
}

void CopyFile::write_last() noexcept {
	try {
		if (size_ != 0)
			(void)put(false);
	} catch (...) { // the process ends, and what is in the file is good
	}
}

std::string CopyFile::put(bool anew) {
	const std::vector<RingEntry> entries = pg::ring_entries_after(anew ? 0 : written_);
	std::size_t total = 0;
	for (const RingEntry &entry : entries)
		total += entry.length;
	if (pg::free_bytes(kFolder) < total + kLeaveFree)
		return "the disk is nearly full";
	const char *const path = anew ? kNewPath : kPath;
	const int mode = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | (anew ? O_CREAT | O_TRUNC : 0);
	const pg::Descriptor file(open(path, mode, 0666)); // the server's umask takes away from that
	if (!file.valid())
		return last_error();

	std::size_t size = anew ? 0 : size_;
	std::string why;
	const auto add = [&](const std::string &bytes) {
		if (why.empty())
			why = write_at(file.get(), size, bytes);
		size += bytes.size();
	};
	CopyBatch batch;
	std::string payload;
	if (anew)
		add(copy_head(pg::system_identifier()));
	for (std::size_t i = 0; i < entries.size() && why.empty(); ++i) {
		if (pg::ring_payload(entries[i], &payload)) // not evicted meanwhile
			batch.add(entries[i], payload);
		if (batch.full()) {
			add(batch.take());
			if (anew) // when told to end here, what came since goes behind the old file
				pg::check_interrupts();
		}
	}
	add(batch.take());
	if (why.empty() && anew && rename(kNewPath, kPath) != 0)
		why = last_error();
	if (!why.empty()) {
		if (anew)
			(void)unlink(kNewPath);
		else
			(void)!ftruncate(file.get(), static_cast<off_t>(size_));
		return why;
	}
	size_ = size;
	if (!entries.empty())
		written_ = entries.back().sequence;
	removed_ = false;
	return {};
}

void CopyFile::remove() noexcept {
	if (removed_)
		return;
	(void)unlink(kNewPath);
	removed_ = unlink(kPath) == 0 || errno == ENOENT;
	size_ = 0;
}

std::string CopyFile::restore(const std::function<bool(std::string_view probe)> &wanted) {
	// Not to wait on what is no file.
	const pg::Descriptor file(open(kPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
	if (!file.valid())
		return errno == ENOENT ? std::string() : last_error();
	const auto read_some = [&file](char *to, std::size_t most) {
		std::size_t done = 0;
		while (done < most) {
			const ssize_t got = read(file.get(), to + done, most - done);
			if (got <= 0 && (got == 0 || errno != EINTR))
				break;
			done += got > 0 ? static_cast<std::size_t>(got) : 0;
		}
		return done;
	};
	CopyReader reader(read_some, pg::system_identifier());
	std::set<std::string, std::less<>> refused; // whose last keyframe had no room
	for (CopyReader::Entry entry{}; reader.next(&entry);) {
		pg::check_interrupts();
		const Sample &sample = *entry.sample;
		if (!wanted(sample.probe) || (!entry.keyframe && refused.contains(sample.probe)))
			continue;
		const bool kept =
			pg::ring_append(sample.probe, false, sample.sampled_at, entry.keyframe, entry.payload);
		if (entry.keyframe && kept)
			refused.erase(sample.probe);
		else if (entry.keyframe)
			refused.insert(sample.probe);
	}
	return reader.fault();
}

} // namespace pgdba
