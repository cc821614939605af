// Differences between server versions that need more than a line, and headers that are better kept
// from everybody (utils/datetime.h defines macros like DAY and TZ).
#include "pgdba/pg/prelude.hpp"

extern "C" {
#include "utils/datetime.h"
}

namespace pgdba::pg::compat {

namespace {

// The parser's signature decides which of the two fits. Before 16:
template <class... Argument>
int decode(int (*parser)(char **, int *, int, int *, pg_tm *, fsec_t *, int *),
		   Argument... argument) {
	return parser(argument...);
}

// From 16 on it also says more about a failure; we only ask whether it failed.
template <class Extra, class... Argument>
int decode(int (*parser)(char **, int *, int, int *, pg_tm *, fsec_t *, int *, Extra *),
		   Argument... argument) {
	Extra extra{};
	return parser(argument..., &extra);
}

} // namespace

bool is_timestamp(const char *text) {
	char work[MAXDATELEN + MAXDATEFIELDS];
	char *field[MAXDATEFIELDS];
	int kind[MAXDATEFIELDS], fields = 0, type = 0, zone = 0;
	pg_tm parts{};
	fsec_t fraction = 0;
	return ParseDateTime(text, work, sizeof work, field, kind, MAXDATEFIELDS, &fields) == 0 &&
		   decode(DecodeDateTime, field, kind, fields, &type, &parts, &fraction, &zone) == 0 &&
		   type == DTK_DATE;
}

} // namespace pgdba::pg::compat
