// Fills one row of a sample by the names of its columns, for native probes. A column that the
// definition lacks is left out.
#pragma once

#include "pgdba/core/sample.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pgdba {

class RowWriter {
public:
	explicit RowWriter(Sample &sample) : sample_(sample), row_(sample.add_row()) {}

	void text(std::string_view name, std::string_view value) {
		if (const int column = sample_.find_column(name); column >= 0)
			sample_.set_text(row_, static_cast<std::size_t>(column), value);
	}
	void text_if(std::string_view name, const std::optional<std::string> &value) {
		if (value)
			text(name, *value);
	}
	void integer(std::string_view name, std::int64_t value) {
		if (const int column = sample_.find_column(name); column >= 0)
			sample_.set_int(row_, static_cast<std::size_t>(column), value);
	}
	void known(std::string_view name, std::int64_t value) { // 0 is not known: null
		if (value != 0)
			integer(name, value);
	}
	void real(std::string_view name, double value) {
		if (const int column = sample_.find_column(name); column >= 0)
			sample_.set_float(row_, static_cast<std::size_t>(column), value);
	}
	void seconds(std::string_view name, Micros value) {
		real(name, static_cast<double>(value) / kMicrosPerSecond);
	}
	void truth(std::string_view name, bool value) {
		if (const int column = sample_.find_column(name); column >= 0)
			sample_.set_bool(row_, static_cast<std::size_t>(column), value);
	}

private:
	Sample &sample_;
	std::size_t row_;
};

} // namespace pgdba
