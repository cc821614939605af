#include "pgdba/core/ring_copy.hpp"

#include "pgdba/core/codec.hpp"
#include "pgdba/core/codec_wire.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::string_view kMagic = "pgdbacpy";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kHeadBytes = 32, kBatchHeadBytes = 16;
constexpr std::size_t kFullBatch = 256 * 1024;
constexpr std::size_t kLargestBatch = 4 * 1024 * 1024; // a full one, and the largest entry

// Every change of a single word changes it: each step can be taken back.
std::uint64_t checksum(std::string_view bytes, std::uint64_t sum = 0) noexcept {
	while (!bytes.empty()) {
		const std::size_t length = std::min<std::size_t>(bytes.size(), sizeof(std::uint64_t));
		std::uint64_t word = 0;
		std::memcpy(&word, bytes.data(), length);
		sum = (sum ^ word ^ length) * 0xFF51AFD7ED558CCD;
		sum ^= sum >> 32;
		bytes.remove_prefix(length);
	}
	return sum;
}

} // namespace

std::string copy_head(std::uint64_t system) {
	Writer head;
	head.raw(kMagic);
	head.fixed(kVersion);
	head.fixed(system);
	std::string bytes = std::move(head).take();
	Writer sum;
	sum.fixed(checksum(bytes));
	return bytes + std::move(sum).take();
}

void CopyBatch::add(const RingEntry &entry, std::string_view payload) {
	Writer out;
	out.varint(entry.keyframe_sequence);
	out.varint(entry.sequence);
	out.text(payload);
	entries_ += std::move(out).take();
}

bool CopyBatch::full() const noexcept {
	return entries_.size() >= kFullBatch;
}

std::string CopyBatch::take() {
	if (entries_.empty())
		return {};
	Writer head;
	head.fixed(entries_.size());
	head.fixed(checksum(entries_, entries_.size()));
	return std::move(head).take() + std::exchange(entries_, {});
}

CopyReader::CopyReader(Source source, std::uint64_t system)
	: source_(std::move(source)), system_(system) {}

bool CopyReader::next(Entry *entry) {
	try {
		if (!std::exchange(begun_, true))
			read_head();
		while (!rest_.empty() || read_batch())
			if (read_entry(entry))
				return true;
	} catch (const CorruptSample &corrupt) {
		fault_ = corrupt.what();
		rest_ = {};
		source_ = [](char *, std::size_t) -> std::size_t { return 0; };
	}
	return false;
}

void CopyReader::read_head() {
	std::string head(kHeadBytes, '\0');
	const std::size_t length = source_(head.data(), head.size());
	if (length < head.size() || !head.starts_with(kMagic))
		throw CorruptSample("it is no copy of the memory ring");
	Reader in(std::string_view(head).substr(kMagic.size()));
	const std::uint64_t version = in.fixed(), system = in.fixed();
	if (in.fixed() != checksum(std::string_view(head).substr(0, kHeadBytes - 8)))
		throw CorruptSample("its head is damaged");
	if (version != kVersion)
		throw CorruptSample("it is of another version");
	if (system != system_)
		throw CorruptSample("it is of another cluster");
}

bool CopyReader::read_batch() {
	char head[kBatchHeadBytes];
	const std::size_t got = source_(head, sizeof head);
	if (got == 0)
		return false;
	if (got < sizeof head)
		throw CorruptSample("it is cut short");
	Reader in({head, sizeof head});
	const std::uint64_t length = in.fixed(), sum = in.fixed();
	if (length == 0 || length > kLargestBatch)
		throw CorruptSample("it is damaged");
	batch_.resize(length);
	if (source_(batch_.data(), length) < length)
		throw CorruptSample("it is cut short");
	if (checksum(batch_, length) != sum)
		throw CorruptSample("it is damaged");
	rest_ = batch_;
	return true;
}

bool CopyReader::read_entry(Entry *entry) {
	Reader in(rest_);
	const std::uint64_t keyframe = in.varint(), sequence = in.varint();
	const std::string_view payload = in.raw(in.varint());
	rest_.remove_prefix(rest_.size() - in.left());
	const Sample header = decode_header(payload);
	Keyframe &last = keyframes_[header.probe];
	if (sequence == keyframe) {
		last = {sequence, decode_keyframe(payload)};
		*entry = {&last.sample, true, payload};
		return !header.injected;
	}
	if (last.sequence != keyframe)
		return false; // it went while the copy was made
	difference_ = decode_difference(last.sample, payload);
	*entry = {&difference_, false, payload};
	return !header.injected;
}

} // namespace pgdba
