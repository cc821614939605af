// Evaluates checks over samples: the sampler after each loop, and a session for as_of. The same
// code, the same sandbox.
#pragma once

#include "pgdba/core/verdict.hpp"
#include "pgdba/sampler/definitions.hpp"

#include <map>
#include <string>
#include <vector>

namespace pgdba {

struct JudgeContext {
	const Definitions *definitions = nullptr;
	Micros at = 0;      // the moment that is judged
	bool as_of = false; // a session judging the past (injected samples count)
	Micros budget = 0;  // of one check's query; 0: the caller's session has its own
	std::map<std::string, Micros> intervals;      // by loop, for staleness
	const std::vector<Verdict> *before = nullptr; // the set before, for `clear`
	std::map<std::string, std::string>
		unavailable; // probe -> why it has no sample (extension missing, error)
};

// One row per finding that is not ok, or one `ok` row, or one `unknown` row. Never throws for the
// check's own sake: an error of its query is an unknown verdict that carries it.
std::vector<Verdict> evaluate_check(const CheckDefinition &check, const JudgeContext &context);

// All checks, or those of one loop (empty: all).
std::vector<Verdict> evaluate_checks(const JudgeContext &context, std::string_view loop);

} // namespace pgdba
