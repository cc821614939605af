#include "pgdba/pg/options.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "utils/guc.h"
}

#include <charconv>

namespace pgdba::pg {

std::string option(const char *name) {
	// Points into the server's variable or its static buffer: copied before anything else runs.
	const char *const value = call([name] { return GetConfigOption(name, true, false); });
	return value != nullptr ? value : "";
}

int option_int(const char *name) {
	const std::string text = option(name);
	int value = 0;
	std::from_chars(text.data(), text.data() + text.size(), value);
	return value;
}

} // namespace pgdba::pg
