#include "pgdba/sampler/sampler.hpp"

#include "pgdba/pg/error.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/watch.hpp"
#include "pgdba/pg/worker.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// For what works while a reader does: the one sampler of this process.
constinit Sampler *the_sampler = nullptr;

// How often it looks for the extension while that is missing: CREATE EXTENSION is noticed within
// this time.
constexpr Micros kLookForExtension = kMicrosPerSecond;
constexpr Micros kLongestWait = 60 * kMicrosPerSecond;

Micros interval_of(std::size_t loop) {
	return Micros{pg::settings().loops[loop].interval_ms} * 1000;
}

void say_missing(std::string_view why) {
	pg::write_head([why](pg::SharedHead &head) {
		const std::size_t length = std::min(why.size(), sizeof head.missing - 1);
		std::memcpy(head.missing, why.data(), length);
		head.missing[length] = '\0';
	});
}

// The file is brought up to date with every fourth tick of the hot loop, at least once a minute.
Micros copy_interval() {
	return std::min(4 * interval_of(0), kLongestWait);
}

} // namespace

Sampler::Sampler(std::string database)
	: database_(std::move(database)), schedules_{Schedule(interval_of(0)), Schedule(interval_of(1)),
												 Schedule(interval_of(2)),
												 Schedule(interval_of(3))},
	  copies_(copy_interval()) {
	set_live_samples(&live_, &before_);
	the_sampler = this;
	pg::while_visiting([] { the_sampler->run_urgent(Within::kVisit); });
}

// Of those who wait in sample_now() for one of the first loops. The one that ticks is not asked
// again.
void Sampler::take_requests(std::size_t loops) {
	const pg::SharedHead head = pg::snapshot_head();
	for (std::size_t i = 0; i < loops; ++i)
		if (head.loops[i].requested > head.loops[i].completed)
			schedules_[i].request();
}

// A tick that visits a thousand databases takes seconds. Shorter loops do not wait for it: their
// ticks come between two visits, and that of the hot loop also while a reader works.
void Sampler::run_urgent(Within within) {
	const int urgent = within == Within::kVisit ? std::min(ticking_, 1) : ticking_;
	if (warm_ && !definitions_changed()) // else no tick would be an answer now
		take_requests(static_cast<std::size_t>(urgent));
	for (int loop = 0; loop < urgent; ++loop)
		if (schedules_[loop].due(pg::now()))
			tick(loop);
	if (within == Within::kTick && copies_.due(pg::now()))
		keep_copy();
}

// Whether the extension is in the home database now; says so where people look, once per change.
bool Sampler::extension_there() {
	bool there = definitions_loaded_;
	try {
		pg::Transaction transaction(true);
		there = pg::extension_exists("pgdba");
		transaction.commit();
	} catch (const pg::PgError &) { // aborted: by the transaction. A catalog is locked: nothing new
	}
	if (!there) {
		unreadable_.clear();
		read_again_ = 0;
	}
	if (there == definitions_loaded_)
		return there;
	if (there) {
		if (!reload_definitions())
			return false;
		say_missing({});
		pg::process_state(pg::Role::kSampler, "sampling");
	} else {
		definitions_ = {};
		definitions_loaded_ = warm_ = false;
		pg::forget_plans();
		live_.clear(), before_.clear(), kept_.clear();
		verdicts_.clear();
		probes_.clear(), back_offs_.clear(), unavailable_.clear(), visits_.clear();
		writer_.forget();
		leave_copy();
	}
	return there;
}

// Since they were read. Whoever defined something and asks for a sample is answered with one that
// has it.
bool Sampler::definitions_changed() {
	changed_ = pg::watched_relation_changed() || changed_;
	return changed_;
}

bool Sampler::reload_definitions() {
	(void)pg::watched_relation_changed();
	changed_ = false;
	std::vector<std::string> known;
	for (const ProbeDefinition &probe : definitions_.probes)
		known.push_back(probe.name);
	try {
		// Views that a restore did not bring (their definitions are dumped, they are not) are made
		// here.
		pg::Transaction transaction(false);
		// Watched before they are read: a restore goes on writing while this reads.
		pg::watch_relations(definition_relations());
		if (!pg::in_recovery())
			pg::execute("SELECT pgdba.sync_views()");
		definitions_ = load_definitions();
		transaction.commit();
	} catch (
		const pg::PgError &error) { // aborted: by the transaction. Somebody holds a lock on them
		unreadable_ = "definitions could not be read: " + error.message;
		read_again_ = pg::now() + kLookForExtension;
		return false;
	}
	unreadable_.clear();
	read_again_ = 0;
	pg::forget_plans();
	unavailable_.clear();
	for (const auto &[name, why] : definitions_.broken) {
		unavailable_[name] = why;
		probes_[name].last_error = why;
	}
	if (!definitions_loaded_) { // what was known before this process: `since` of standing verdicts
		restore_ring();
		pg::Transaction transaction(true);
		if (const SamplePointer last = last_sample("verdict", kLoops[0], 0))
			verdicts_ = verdicts_from_sample(*last);
		transaction.commit();
		for (Schedule &schedule : schedules_)
			schedule.request();
	}
	for (const std::string &name : known) { // of probes that were dropped nothing is shown any more
		if (definitions_.probe(name) != nullptr)
			continue;
		live_.erase(name), before_.erase(name), kept_.erase(name);
		probes_.erase(name), back_offs_.erase(name);
		writer_.forget_probe(name);
		pg::ring_drop_stream(name);
	}
	const auto checks = static_cast<int>(definitions_.checks.size());
	pg::write_head([checks](pg::SharedHead &head) { head.checks = checks; });
	definitions_loaded_ = true;
	return true;
}

// Each round, because a visit to another database also takes in a reload.
void Sampler::apply_settings() {
	for (std::size_t i = 0; i < kLoops.size(); ++i)
		schedules_[i].set_interval(interval_of(i));
	copies_.set_interval(copy_interval());
	if (const int timeout = pg::settings().lock_timeout_ms; timeout != lock_timeout_) {
		pg::pin_settings();
		lock_timeout_ = timeout;
	}
}

Micros Sampler::next_due() const {
	const Micros now = pg::now();
	if (!definitions_loaded_)
		return now + kLookForExtension;
	Micros next = copies_.next(now);
	for (const Schedule &schedule : schedules_)
		next = std::min(next, schedule.next(now));
	return next;
}

void Sampler::run() {
	while (true) {
		if (!extension_there()) {
			say_missing(unreadable_.empty()
							? "extension pgdba is not created in database \"" + database_ + "\""
							: unreadable_);
			pg::process_state(pg::Role::kSampler, "waiting for CREATE EXTENSION");
		} else {
			if (definitions_changed() || (read_again_ != 0 && pg::now() >= read_again_))
				(void)reload_definitions();
			warm_up();
			take_requests(kLoops.size());
			for (std::size_t i = 0; i < kLoops.size(); ++i)
				if (schedules_[i].due(pg::now()))
					tick(static_cast<int>(i));
			take_requests(kLoops.size()); // of which a visit may have taken the wake-up
			if (copies_.due(pg::now()))
				keep_copy();
		}
		(void)pg::wait_latch(std::max<Micros>(0, next_due() - pg::now()));
		apply_settings();
	}
}

// Checks of one loop look at samples of others. In the first round some are not there yet, so what
// it says is not yet an answer to anybody, and a second one of the short loops follows at once.
void Sampler::warm_up() {
	if (warm_)
		return;
	const std::vector<Verdict> before = verdicts_;
	for (std::size_t i = 0; i < kLoops.size(); ++i)
		tick(static_cast<int>(i));
	// Nor does it count for since when something has been so.
	const auto again = [](const Verdict &verdict) { return loop_index(verdict.loop) < 2; };
	std::erase_if(verdicts_, again);
	std::copy_if(before.begin(), before.end(), std::back_inserter(verdicts_), again);
	schedules_[0].request();
	schedules_[1].request();
	warm_ = true;
}

void Sampler::tick(int loop) {
	const int outer = std::exchange(ticking_, loop);
	const auto requested = warm_ ? pg::snapshot_head().loops[loop].requested : 0;
	const Micros begin = pg::now();
	const Micros lateness = schedules_[loop].begin(begin);
	Tick tick{loop,  kLoops[loop],
			  begin, begin + Micros{pg::settings().loops[loop].budget_ms} * 1000,
			  {},    {},
			  0,     0,
			  {},    0};
	pg::write_head([loop, begin](pg::SharedHead &head) { head.loops[loop].last_begin = begin; });
	for (const ProbeDefinition &probe : definitions_.probes)
		if (probe.loop == tick.name && probe.scope != Scope::kDatabase &&
			!(probe.scope == Scope::kNative && is_record(probe.name)))
			run_probe(tick, probe);
	run_database_probes(tick);
	record_self(tick, lateness);
	judge(tick);
	std::set<std::string> named;
	for (const Verdict &verdict : verdicts_)
		if (verdict.severity != Severity::kOk)
			named.insert(verdict.object);
	write_rings(tick, named);
	publish(tick);
	// One that came in between did not look whether something was defined meanwhile.
	if (outer < 0 || !definitions_changed())
		pg::complete_requests(loop, requested);
	ticking_ = outer;
}

void Sampler::judge(Tick &tick) {
	JudgeContext context;
	context.definitions = &definitions_;
	context.at = pg::now();
	context.budget = Micros{pg::settings().loops[tick.loop].budget_ms} * 1000;
	context.before = &verdicts_;
	context.unavailable = unavailable_;
	for (std::size_t i = 0; i < kLoops.size(); ++i)
		context.intervals[std::string(kLoops[i])] = schedules_[i].interval();
	std::vector<Verdict> now = evaluate_checks(context, tick.name);
	carry_since(now, verdicts_);
	for (Verdict &verdict : verdicts_) // the other loops' stand, as long as their checks exist
		if (verdict.loop != tick.name)
			for (const CheckDefinition &check : definitions_.checks)
				if (check.id == verdict.check_id && check.loop == verdict.loop) {
					now.push_back(std::move(verdict));
					break;
				}
	sort_verdicts(now);
	verdicts_ = std::move(now);
	// Verdicts are a sample too: the rings, the page and the endpoint read them there.
	Sample sample = verdicts_to_sample(verdicts_, recorded_at_);
	sample.loop = kLoops[0];
	sample.server_start = pg::server_start();
	sample.interval = schedules_[0].interval();
	live_["verdict"] = std::make_shared<const Sample>(std::move(sample));
	tick.sampled.emplace_back("verdict");
}

} // namespace pgdba
