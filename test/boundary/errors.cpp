// Errors that cross the wall, in both directions.
#include "boundary.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/builtins.h"
}

#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <vector>

using namespace boundary;
using pgdba::pg::call;
using pgdba::pg::call_noexcept;
using pgdba::pg::entry;
using pgdba::pg::PgError;

PGDBA_FUNCTION(boundary_server_error)
PGDBA_FUNCTION(boundary_throw)
PGDBA_FUNCTION(boundary_clean)
PGDBA_FUNCTION(boundary_nested)
PGDBA_FUNCTION(boundary_execute)
PGDBA_FUNCTION(boundary_long_message)
PGDBA_FUNCTION(boundary_no_memory_for_copy)
PGDBA_FUNCTION(boundary_destructor)

namespace {

void frames(int depth) {
	const Counted object;
	if (depth > 1)
		frames(depth - 1);
	else
		call([] { raise_server_error(); });
}

void throw_kind(const std::string &kind) {
	const Counted object;
	if (kind == "out_of_range")
		(void)std::vector<int>().at(1);
	if (kind == "length_error")
		std::vector<int>().reserve(SIZE_MAX);
	if (kind == "bad_alloc")
		throw std::bad_alloc();
	if (kind == "huge")
		throw std::runtime_error(std::string(100'000, 'y'));
	if (kind == "int")
		throw 42;
	throw PgError(pgdba::pg::sqlstate("55000"), "pgdba is not ready", "It has just started.",
				  "Wait.");
}

// Where the server would jump to next: the same before and after whatever a function did.
struct Stacks {
	sigjmp_buf *exceptions = PG_exception_stack;
	ErrorContextCallback *contexts = error_context_stack;
	bool operator==(const Stacks &) const = default;
};

bool survives_throw_through_call() {
	const Stacks before;
	try {
		call([] { throw std::runtime_error("out of a guarded call"); });
	} catch (const std::runtime_error &) {
		return before == Stacks();
	}
	return false;
}

bool survives_nested_call() {
	const Stacks before;
	try {
		call([] { call([] { raise_server_error(); }); });
	} catch (const PgError &error) {
		return error.state() == "22012" && before == Stacks();
	}
	return false;
}

// Cleans up with a server call that fails.
struct FailingCleanup {
	FailingCleanup() = default;
	FailingCleanup(const FailingCleanup &) = delete;
	FailingCleanup &operator=(const FailingCleanup &) = delete;
	~FailingCleanup() {
		call_noexcept([] { raise_server_error(); });
	}
};

void limit_memory_to_what_is_mapped() {
	std::FILE *const file = std::fopen("/proc/self/statm", "r");
	unsigned long pages = 0;
	if (file == nullptr || std::fscanf(file, "%lu", &pages) != 1)
		elog(ERROR, "could not read /proc/self/statm");
	std::fclose(file);
	rlimit limit{};
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = pages * 4096UL;
	setrlimit(RLIMIT_AS, &limit);
}

void lift_memory_limit() {
	rlimit limit{};
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_AS, &limit);
}

} // namespace

// An ERROR of the server below three frames that hold objects.
Datum boundary_server_error(PG_FUNCTION_ARGS) {
	return entry([]() -> Datum {
		frames(3);
		return 0;
	});
}

Datum boundary_throw(PG_FUNCTION_ARGS) {
	return entry([fcinfo]() -> Datum {
		throw_kind(text_argument(fcinfo, 0));
		return 0;
	});
}

// No exception is in flight, and the server holds no interrupts back.
Datum boundary_clean(PG_FUNCTION_ARGS) {
	return entry([] {
		return BoolGetDatum(std::current_exception() == nullptr &&
							std::uncaught_exceptions() == 0 && InterruptHoldoffCount == 0 &&
							QueryCancelHoldoffCount == 0 && CritSectionCount == 0);
	});
}

// The ways out of a guarded call other than returning.
Datum boundary_nested(PG_FUNCTION_ARGS) {
	return entry([] {
		const Counted object;
		MemoryContext const memory = CurrentMemoryContext;
		return BoolGetDatum(survives_throw_through_call() && survives_nested_call() &&
							memory == CurrentMemoryContext);
	});
}

// A statement through SPI, whose ERROR carries the server's own context lines.
Datum boundary_execute(PG_FUNCTION_ARGS) {
	return entry([fcinfo]() -> Datum {
		const Counted object;
		const std::string statement = text_argument(fcinfo, 0);
		const char *const command = statement.c_str();
		call([] { (void)SPI_connect(); });
		call([command] { (void)SPI_execute(command, false, 0); });
		call([] { (void)SPI_finish(); });
		return 0;
	});
}

// A message that does not fit: cut, but not inside a character.
Datum boundary_long_message(PG_FUNCTION_ARGS) {
	return entry([]() -> Datum {
		std::string text = "x";
		for (int i = 0; i < 2000; ++i)
			text += "é";
		throw PgError(pgdba::pg::sqlstate("55000"), text, text, text);
	});
}

// The server's error is larger than the memory that is left for copying it.
Datum boundary_no_memory_for_copy(PG_FUNCTION_ARGS) {
	return entry([]() -> Datum {
		constexpr int kMegabytes = 64;
		const std::string text(kMegabytes << 20, 'z');
		const char *const message = text.c_str();
		try {
			call([message] {
				ereport(ERROR, (errcode(ERRCODE_DIVISION_BY_ZERO), errmsg_internal("%s", message),
								(limit_memory_to_what_is_mapped(), 0)));
			});
		} catch (const PgError &error) {
			lift_memory_limit();
			return text_result(error.state() + " " + error.detail);
		}
		return 0;
	});
}

// Argument true: the destructor runs while another error unwinds, which must come out unchanged.
Datum boundary_destructor(PG_FUNCTION_ARGS) {
	return entry([fcinfo]() -> Datum {
		const Counted object;
		const FailingCleanup cleanup;
		if (PG_GETARG_BOOL(0))
			throw PgError(pgdba::pg::sqlstate("55000"), "pgdba is not ready");
		return BoolGetDatum(true);
	});
}
