// The one flat format of samples, for the memory ring, the table ring and the way from a reader to
// the sampler.
//
// A keyframe holds everything: header, column directory, rows. A difference holds what changed
// against a keyframe (always the keyframe, never another difference): new rows, gone rows, changed
// cells by row number, integer cells as the zigzag varint of the difference. So any sample is read
// from at most two payloads. The format begins with a version byte; numbers are little endian
// varints, doubles eight bytes.
#pragma once

#include "pgdba/core/sample.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace pgdba {

// A payload that is no sample: cut short, of an unknown version, or with lengths that do not fit.
// Never read past it.
class CorruptSample : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

std::string encode_keyframe(const Sample &sample);

// REQUIRES: the same columns as the keyframe (same_columns), otherwise write a keyframe.
std::string encode_difference(const Sample &keyframe, const Sample &sample);
bool same_columns(const Sample &a, const Sample &b) noexcept;
// And the same cells in the same order, whenever they were taken.
bool same_rows(const Sample &a, const Sample &b) noexcept;

// THROWS: CorruptSample.
Sample decode_keyframe(std::string_view payload);
Sample decode_difference(const Sample &keyframe, std::string_view payload);

// Only the header (probe, loop, sampled_at, server_start, injected), for listings. THROWS:
// CorruptSample.
Sample decode_header(std::string_view payload);

} // namespace pgdba
