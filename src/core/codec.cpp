// The layout of payloads, version 1. Numbers are varints, signed ones zigzag.
//
// header     := version, 'K' or 'D', flags, probe, loop, sampled_at, server_start, interval, cut
// keyframe   := header, count of columns, column*, block of rows
// column     := type | key << 3 | kind << 4, name, unit, metric, help
// difference := header, time since the keyframe, rows of the keyframe, runs,
//               block of the new rows, changes
// runs       := count, (length << 1 | new, start when it is copied)*
//
// The runs give the order of the rows; a keyframe's row in no run is gone. A start is relative to
// the end of the last copied run. Blocks and changes: see codec_rows.cpp.
#include "pgdba/core/codec.hpp"
#include "pgdba/core/codec_wire.hpp"
#include "pgdba/core/row_index.hpp"

#include <numeric>
#include <stdexcept>

#include "pgdba/core/wall.hpp"

namespace pgdba {

static_assert(kNewRow == RowIndex::kNone);

namespace {

constexpr unsigned kVersion = 1;
constexpr unsigned kKeyframe = 'K', kDifference = 'D';
constexpr unsigned kInjected = 1;
constexpr std::size_t kColumnBytes = 5; // the least a column takes

void write_signed(Writer &out, std::int64_t value) {
	out.varint(zigzag(static_cast<std::uint64_t>(value)));
}

std::int64_t read_signed(Reader &in) {
	return static_cast<std::int64_t>(unzigzag(in.varint()));
}

std::int64_t apart(Micros later,
				   Micros earlier) noexcept { // wraps: any times survive the round trip
	return static_cast<std::int64_t>(static_cast<std::uint64_t>(later) -
									 static_cast<std::uint64_t>(earlier));
}

void write_header(Writer &out, unsigned form, const Sample &sample) {
	out.byte(kVersion);
	out.byte(form);
	out.byte(sample.injected ? kInjected : 0);
	out.text(valid_utf8(sample.probe));
	out.text(valid_utf8(sample.loop));
	write_signed(out, sample.sampled_at);
	write_signed(out, sample.server_start);
	write_signed(out, sample.interval);
	write_signed(out, sample.cut);
}

// RETURNS: kKeyframe or kDifference.
unsigned read_header(Reader &in, Sample &sample) {
	if (in.byte() != kVersion)
		throw CorruptSample("sample is of an unknown version");
	const unsigned form = in.byte();
	const unsigned flags = in.byte();
	if ((form != kKeyframe && form != kDifference) || flags > kInjected)
		throw CorruptSample("sample has an invalid header");
	sample.injected = (flags & kInjected) != 0;
	sample.probe = in.text();
	sample.loop = in.text();
	sample.sampled_at = read_signed(in);
	sample.server_start = read_signed(in);
	sample.interval = read_signed(in);
	sample.cut = read_signed(in);
	return form;
}

void write_columns(Writer &out, const std::vector<Column> &columns) {
	out.varint(columns.size());
	for (const Column &column : columns) {
		out.byte(static_cast<unsigned>(column.type) | (column.key ? 8U : 0U) |
				 static_cast<unsigned>(column.kind) << 4);
		out.text(column.name);
		out.text(column.unit);
		out.text(column.metric);
		out.text(column.help);
	}
}

std::vector<Column> read_columns(Reader &in) {
	const std::uint64_t count = in.varint();
	if (count > in.left() / kColumnBytes)
		throw CorruptSample("sample claims more columns than its bytes can hold");
	std::vector<Column> columns;
	columns.reserve(count);
	for (std::uint64_t i = 0; i < count; ++i) {
		const unsigned code = in.byte();
		const unsigned type = code & 7, kind = code >> 4;
		if (type < static_cast<unsigned>(Type::kBool) ||
			type > static_cast<unsigned>(Type::kJson) ||
			kind < static_cast<unsigned>(Kind::kLabel) || kind > static_cast<unsigned>(Kind::kInfo))
			throw CorruptSample("sample holds an unknown column type");
		Column column;
		column.type = static_cast<Type>(type);
		column.kind = static_cast<Kind>(kind);
		column.key = (code & 8) != 0;
		column.name = in.text();
		column.unit = in.text();
		column.metric = in.text();
		column.help = in.text();
		columns.push_back(std::move(column));
	}
	return columns;
}

struct Run {
	bool fresh = false;
	std::uint64_t start = 0; // in the keyframe
	std::uint64_t length = 0;
};

std::vector<Run> runs_of(const std::vector<std::uint32_t> &source) {
	std::vector<Run> runs;
	for (const std::uint32_t from : source) {
		const bool fresh = from == kNewRow;
		if (!runs.empty() && runs.back().fresh == fresh &&
			(fresh || runs.back().start + runs.back().length == from))
			++runs.back().length;
		else
			runs.push_back({fresh, fresh ? 0 : from, 1});
	}
	return runs;
}

void write_runs(Writer &out, const std::vector<Run> &runs) {
	out.varint(runs.size());
	std::uint64_t expected = 0;
	for (const Run &run : runs) {
		out.varint(run.length << 1 | run.fresh);
		if (!run.fresh) {
			out.varint(zigzag(run.start - expected));
			expected = run.start + run.length;
		}
	}
}

// Every row of the keyframe is copied at most once, so copying needs no more memory than the
// keyframe.
std::vector<Run> read_runs(Reader &in, std::uint64_t keyframe_rows) {
	const std::uint64_t count = in.varint();
	if (count > in.left())
		throw CorruptSample("sample claims more runs than its bytes can hold");
	std::vector<Run> runs;
	std::vector<bool> copied(keyframe_rows);
	std::uint64_t expected = 0;
	for (std::uint64_t i = 0; i < count; ++i) {
		const std::uint64_t code = in.varint();
		Run run{(code & 1) != 0, 0, code >> 1};
		if (!run.fresh) {
			run.start = expected + unzigzag(in.varint());
			if (run.start > keyframe_rows || run.length > keyframe_rows - run.start)
				throw CorruptSample("sample copies a row that its keyframe does not hold");
			for (std::uint64_t row = run.start; row < run.start + run.length; ++row) {
				if (copied[row])
					throw CorruptSample("sample copies a row of its keyframe twice");
				copied[row] = true;
			}
			expected = run.start + run.length;
		}
		runs.push_back(run);
	}
	return runs;
}

void expect_end(const Reader &in) {
	if (in.left() != 0)
		throw CorruptSample("sample is followed by bytes that do not belong to it");
}

} // namespace

bool same_columns(const Sample &a, const Sample &b) noexcept {
	return a.layout() == b.layout() || a.columns() == b.columns();
}

bool same_rows(const Sample &a, const Sample &b) noexcept {
	if (!same_columns(a, b) || a.rows() != b.rows() || a.cut != b.cut)
		return false;
	for (std::size_t row = 0; row < a.rows(); ++row)
		for (std::size_t column = 0; column < a.columns().size(); ++column)
			if (a.at(row, column) != b.at(row, column))
				return false;
	return true;
}

std::string encode_keyframe(const Sample &sample) {
	Writer out;
	write_header(out, kKeyframe, sample);
	write_columns(out, sample.columns());
	std::vector<std::uint32_t> rows(sample.rows());
	std::iota(rows.begin(), rows.end(), 0U);
	write_rows(out, sample, rows);
	return std::move(out).take();
}

Sample decode_keyframe(std::string_view payload) {
	Reader in(payload);
	Sample sample;
	if (read_header(in, sample) != kKeyframe)
		throw CorruptSample("sample is not a keyframe");
	sample.set_columns(read_columns(in));
	read_rows(in, sample);
	expect_end(in);
	return sample;
}

std::string encode_difference(const Sample &keyframe, const Sample &sample) {
	if (!same_columns(keyframe, sample))
		throw std::invalid_argument("a difference needs the columns of its keyframe");
	RowIndex index(keyframe);
	std::vector<std::uint32_t> source(sample.rows()), fresh;
	for (std::uint32_t row = 0; row < source.size(); ++row) {
		source[row] = index.take(sample, row);
		if (source[row] == kNewRow)
			fresh.push_back(row);
	}
	Writer out;
	write_header(out, kDifference, sample);
	write_signed(out, apart(sample.sampled_at, keyframe.sampled_at));
	out.varint(keyframe.rows());
	write_runs(out, runs_of(source));
	write_rows(out, sample, fresh);
	write_changes(out, keyframe, sample, source);
	return std::move(out).take();
}

Sample decode_difference(const Sample &keyframe, std::string_view payload) {
	Reader in(payload);
	Sample sample;
	if (read_header(in, sample) != kDifference)
		throw CorruptSample("sample is not a difference");
	if (read_signed(in) != apart(sample.sampled_at, keyframe.sampled_at) ||
		in.varint() != keyframe.rows() || sample.probe != keyframe.probe)
		throw CorruptSample("sample belongs to another keyframe");
	const std::vector<Run> runs = read_runs(in, keyframe.rows());
	Sample fresh;
	fresh.set_layout(keyframe.layout());
	read_rows(in, fresh);

	sample.set_layout(keyframe.layout());
	const std::uint64_t shift_copied = SampleParts::add_texts(sample, keyframe);
	const std::uint64_t shift_fresh = SampleParts::add_texts(sample, fresh);
	std::uint64_t next_fresh = 0;
	for (const Run &run : runs) {
		if (run.fresh && run.length > fresh.rows() - next_fresh)
			throw CorruptSample("sample holds fewer new rows than it claims");
		const Sample &from = run.fresh ? fresh : keyframe;
		const std::uint64_t start = run.fresh ? next_fresh : run.start;
		for (std::uint64_t row = start; row < start + run.length; ++row)
			SampleParts::add_row(sample, from, row, run.fresh ? shift_fresh : shift_copied);
		if (run.fresh)
			next_fresh += run.length;
	}
	if (next_fresh != fresh.rows())
		throw CorruptSample("sample holds more new rows than it claims");
	read_changes(in, sample);
	expect_end(in);
	return sample;
}

Sample decode_header(std::string_view payload) {
	Reader in(payload);
	Sample sample;
	read_header(in, sample);
	return sample;
}

} // namespace pgdba
