#include "pgdba/sampler/wait_probe.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

std::vector<std::pair<std::string, Type>> wait_columns() {
	return {{"db", Type::kText},
			{"role", Type::kText},
			{"application_name", Type::kText},
			{"query_id", Type::kInt8},
			{"state", Type::kText},
			{"event_type", Type::kText},
			{"event", Type::kText},
			{"class", Type::kText},
			{"samples", Type::kInt8},
			{"seconds", Type::kFloat8},
			{"blocked_seconds", Type::kFloat8},
			{"folded", Type::kBool},
			{"span_seconds", Type::kFloat8}};
}

std::vector<std::pair<std::string, Type>> wait_tick_columns() {
	return {{"rate", Type::kInt8},
			{"ticks", Type::kInt8},
			{"late_ticks", Type::kInt8},
			{"missed_ticks", Type::kInt8},
			{"span_seconds", Type::kFloat8},
			{"gap_seconds", Type::kFloat8},
			{"cpus", Type::kFloat8},
			{"cpu_seconds", Type::kFloat8},
			{"runnable_seconds", Type::kFloat8},
			{"sampler_cpu_seconds", Type::kFloat8},
			{"dropped", Type::kInt8},
			{"all_ticks", Type::kInt8},
			{"all_missed_ticks", Type::kInt8},
			{"all_gap_seconds", Type::kFloat8},
			{"all_sampler_cpu_seconds", Type::kFloat8},
			{"all_dropped", Type::kInt8}};
}

Sample wait_sample(const ProbeDefinition &definition) {
	Sample sample;
	sample.set_columns(describe_columns(definition, wait_columns()));
	return sample;
}

Sample wait_tick_sample(const ProbeDefinition &definition) {
	Sample sample;
	sample.set_columns(describe_columns(definition, wait_tick_columns()));
	return sample;
}

} // namespace pgdba
