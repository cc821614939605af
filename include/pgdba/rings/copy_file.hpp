// The file that keeps a copy of the memory ring where nothing is written to tables: on a standby,
// and where a publication forbids it. See core/ring_copy.hpp for what is in it.
//
// It lies in pg_stat_tmp, which the server neither reads nor empties, which base backups leave out
// and pg_rewind empties: so it never comes to another server with its history. It is not synced:
// after a crash of the machine the batches that arrived on the disk are good.
//
// What the ring took since the last time is put behind what is there. The file is made anew, beside
// the old one, by each process first, and whenever it is twice as large as what the ring holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pgdba {

class CopyFile {
public:
	static constexpr const char *kPath = "pg_stat_tmp/pgdba.ring"; // in the data directory

	// RETURNS why it could not be written, empty when it could. Then nothing is lost: what is
	// missing in it goes there with the next call.
	std::string write();
	void write_last() noexcept; // the process ends: only what came since
	void remove() noexcept;

	// Puts the samples of wanted probes into the ring. REQUIRES: no live sample is there. RETURNS
	// why not all could be read, empty when all could, also when there is no file.
	static std::string restore(const std::function<bool(std::string_view probe)> &wanted);

private:
	std::string put(bool anew);

	std::uint64_t written_ = 0; // the newest entry in it
	std::size_t size_ = 0;      // as this process left it, 0: it has not written any
	bool removed_ = false;
};

} // namespace pgdba
