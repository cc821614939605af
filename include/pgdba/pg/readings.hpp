// What the engine reads for a column itself (core/reading.hpp). Nothing here waits for a lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgdba::pg {

// Bytes of relation files with all their segments, by paths relative to the data directory. RETURNS
// nothing when none of them exists. A path that is not a relation's is passed over.
std::optional<std::int64_t> file_size(std::string_view paths);

// The last value that a sequence has given, or nothing: never used, gone, no sequence, locked, or
// not readable here (another session's temporary one; an unlogged one on a standby). REQUIRES: a
// transaction. THROWS PgError for a page that cannot be read.
class SequenceReader {
public:
	std::optional<std::int64_t> last_value(std::uint32_t sequence);

private:
	void *strategy_ = nullptr; // a few buffers for all of them; of the current memory context
};

} // namespace pgdba::pg
