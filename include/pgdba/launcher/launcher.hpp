// The launcher: a static worker on shared catalogs only. It looks whether the home database may be
// connected to, keeps the sampler running there (with back-off), and takes it away while pgdba is
// paused. A worker connects once for its life, and a missing database would be FATAL in the log at
// every restart: hence this process in between. Its loop also has the sampler of waits, which goes
// on while nobody samples.
#pragma once

#include "pgdba/launcher/wait_sampler.hpp"
#include "pgdba/pg/worker.hpp"

#include <string>

namespace pgdba {

class Launcher {
public:
	explicit Launcher(std::string database) : database_(std::move(database)) {}
	[[noreturn]] void run();

private:
	Micros look(); // RETURNS how long to wait until the next look
	void say(const std::string &why);

	std::string database_;
	pg::Child sampler_;
	Micros started_ = 0, not_before_ = 0, back_off_ = 0;
	WaitSampler waits_;
	std::string said_; // the last reason written to the log: each is said once
};

} // namespace pgdba
