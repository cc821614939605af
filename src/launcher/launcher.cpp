#include "pgdba/launcher/launcher.hpp"

#include "pgdba/pg/shared.hpp"

#include <algorithm>
#include <cstring>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr Micros kFirstBackOff = kMicrosPerSecond;
constexpr Micros kLongestBackOff = 60 * kMicrosPerSecond;
constexpr Micros kLivedLongEnough = 60 * kMicrosPerSecond; // then the back-off begins again
constexpr Micros kLookForDatabase = kMicrosPerSecond;
constexpr Micros kLookAtStranger = kMicrosPerSecond / 10;
constexpr Micros kLookAtChild = 60 * kMicrosPerSecond; // its end wakes the launcher anyway

} // namespace

// Where people look (healthz, health, preflight), and once per change in the log.
void Launcher::say(const std::string &why) {
	pg::write_head([&why](pg::SharedHead &head) {
		const std::size_t length = std::min(why.size(), sizeof head.missing - 1);
		std::memcpy(head.missing, why.data(), length);
		head.missing[length] = '\0';
	});
	if (why == said_)
		return;
	said_ = why;
	pg::log("pgdba cannot sample: " + why, {},
			"Create the database and the extension there, or set pgdba.database and restart.");
}

Micros Launcher::look() {
	const Micros now = pg::now();
	// A launcher that was ended leaves its sampler behind, which only that one could watch.
	if (sampler_.handle == nullptr && pg::end_process(pg::Role::kSampler))
		return kLookAtStranger;
	const pg::ChildState state = pg::child_state(sampler_);
	const Micros paused_until = pg::snapshot_head().paused_until;
	if (paused_until > now) {
		if (state != pg::ChildState::kStopped)
			pg::stop_child(sampler_);
		else if (sampler_.handle != nullptr) { // as it was told: no reason to hold it back later
			pg::forget_child(sampler_);
			back_off_ = not_before_ = 0;
		}
		pg::process_state(pg::Role::kLauncher, "paused");
		return std::min(paused_until - now, kLookForDatabase);
	}
	if (state != pg::ChildState::kStopped) {
		pg::process_state(pg::Role::kLauncher, "watching");
		return kLookAtChild;
	}
	if (sampler_.handle != nullptr) { // it ended
		pg::forget_child(sampler_);
		back_off_ = now - started_ > kLivedLongEnough
						? 0
						: std::clamp(2 * back_off_, kFirstBackOff, kLongestBackOff);
		not_before_ = now + back_off_;
	}
	if (now < not_before_)
		return not_before_ - now;
	std::uint32_t oid = 0;
	std::string why;
	if (!pg::database_usable(database_, &oid, &why)) {
		pg::process_state(pg::Role::kLauncher, "waiting for the home database");
		say(why);
		return kLookForDatabase;
	}
	said_.clear();
	if (!pg::start_child("pgdba sampler", "pgdba_sampler_main", oid, database_, &sampler_)) {
		say("no background worker slot is free (max_worker_processes)");
		not_before_ = now + (back_off_ = std::clamp(2 * back_off_, kFirstBackOff, kLongestBackOff));
		return back_off_;
	}
	started_ = now;
	pg::process_state(pg::Role::kLauncher, "watching");
	return kLookAtChild;
}

void Launcher::run() {
	Micros next_look = 0; // looking costs more than a tick of the sampler of waits
	bool told = true;
	while (true) {
		if (told || pg::steady_now() >= next_look)
			next_look = pg::steady_now() + look();
		if (waits_.until_due() <= 0)
			waits_.tick();
		const Micros timeout = std::min(next_look - pg::steady_now(), waits_.until_due());
		told = pg::wait_latch_or_time(timeout).by_latch;
	}
}

} // namespace pgdba
