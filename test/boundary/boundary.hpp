// Shared by the functions of the boundary test: objects that are counted, and server calls that
// fail.
#pragma once

#include "pgdba/pg/entry.hpp"

#include <string>

namespace boundary {

// An object whose destructor must have run: large, so that a leak shows in the heap as well.
class Counted {
public:
	Counted() : text_(100'000, 'x') { ++live; }
	Counted(const Counted &) = delete;
	Counted &operator=(const Counted &) = delete;
	~Counted() { --live; }
	inline static constinit int live = 0;

private:
	std::string text_;
};

// An ERROR as a server function raises it: division_by_zero, with DETAIL and HINT.
void raise_server_error();

std::string text_argument(FunctionCallInfo fcinfo, int number);
Datum text_result(const std::string &text);

} // namespace boundary
