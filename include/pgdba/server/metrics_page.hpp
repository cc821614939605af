// The text of /metrics, rendered from shared memory alone: the newest sample of every probe, the
// verdicts counted by check and severity, and what pgdba says about itself. Kept for a second, so
// that scraping costs nothing.
#pragma once

#include "pgdba/core/sample.hpp"
#include "pgdba/server/listeners.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace pgdba::server {

class MetricsPage {
public:
	explicit MetricsPage(const Listeners &listeners) : listeners_(listeners) {}
	std::shared_ptr<const std::string> text(); // THROWS PgError

private:
	std::string render(Micros now);
	void load_samples();

	const Listeners &listeners_;
	std::map<std::string, Sample> samples_; // newest of each live stream, as of generation_
	std::uint64_t generation_ = 0;
	int unreadable_ = 0; // streams that could not be decoded then
	bool loaded_ = false;
	std::int64_t second_ = -1; // the text's, together with its generation
	std::shared_ptr<const std::string> text_;
};

} // namespace pgdba::server
