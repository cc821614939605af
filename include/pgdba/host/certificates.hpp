// Certificate files: whose they are and until when they are valid. Never a key.
#pragma once

#include "pgdba/core/sample.hpp"

#include <utility>
#include <vector>

namespace pgdba {

// A row per certificate in the files, columns as in pgdba.host_certificates()
// (sql/schema/37_host.sql); of a file that cannot be read one row that says why. At most 100 of a
// file. `files`: what each is for, and its path.
Sample certificate_sample(const std::vector<std::pair<std::string, std::string>> &files);

} // namespace pgdba
