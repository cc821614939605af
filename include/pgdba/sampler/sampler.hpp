// The sampler: one process, one thread, four loops. A tick of a loop is
//   probes -> live samples -> checks -> verdicts -> rings -> requests answered
// and each step survives the failure of its parts: an error is a row of probe_run, a metric and a
// verdict.
#pragma once

#include "pgdba/core/schedule.hpp"
#include "pgdba/core/verdict.hpp"
#include "pgdba/pg/databases.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/reader.hpp"
#include "pgdba/rings/window.hpp"
#include "pgdba/rings/writer.hpp"
#include "pgdba/sampler/definitions.hpp"
#include "pgdba/sampler/judge.hpp"
#include "pgdba/sampler/records.hpp"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pgdba {

class Sampler {
public:
	explicit Sampler(std::string database);
	[[noreturn]] void run(); // REQUIRES: connected, settings pinned

private:
	struct Tick {
		int loop;
		std::string_view name;
		Micros begin, deadline;
		std::vector<std::string> late_probes; // skipped because the budget was used up
		std::vector<std::string> failed;      // of this tick
		std::int64_t rows = 0, bytes = 0;
		std::vector<std::string> sampled; // probes that have a new live sample
		std::int64_t errors = 0; // runs that failed; a probe that only rests is no new error
	};

	struct Cost {
		Micros wall = 0, cpu = 0;
	};
	struct DatabaseRun;
	enum class Within { kVisit, kTick }; // of a longer tick

	bool extension_there();
	bool definitions_changed();
	bool reload_definitions(); // RETURNS false when they cannot be read now: what is known stays
	void apply_settings();
	Micros next_due() const;
	void warm_up();
	void take_requests(std::size_t loops);
	void tick(int loop);
	void run_urgent(Within within);
	void run_probe(Tick &tick, const ProbeDefinition &probe);
	bool may_run(Tick &tick, const ProbeDefinition &probe);
	std::optional<Sample> run_here(Tick &tick, const ProbeDefinition &probe);
	void run_failed(Tick &tick, const ProbeDefinition &probe, std::string why);
	void accept(Tick &tick, const ProbeDefinition &probe, Sample sample);
	Sample native_sample(const Tick &tick, const ProbeDefinition &probe);
	Sample take_sample(Tick &tick, const ProbeDefinition &probe, Cost *cost);
	void run_database_probes(Tick &tick);
	void visit_home(Tick &tick, std::vector<DatabaseRun> &runs);
	void visit(const Tick &tick, const pg::VisitableDatabase &database,
			   std::vector<DatabaseRun> &runs);
	std::vector<pg::ReaderResult> ask(const Tick &tick, const pg::VisitableDatabase &database,
									  const std::vector<DatabaseRun> &runs);
	static pg::QueryLimits limits_of(const Tick &tick, const ProbeDefinition &probe);
	void account(const ProbeDefinition &probe, Micros wall, Micros cpu);
	static Sample with_meaning(const ProbeDefinition &probe, const Sample &rows,
							   const std::string *database);
	void record_self(Tick &tick, Micros lateness);
	void judge(Tick &tick);
	void write_rings(Tick &tick, const std::set<std::string> &named);
	bool nothing_new(const ProbeDefinition &probe, const Sample &sample) const;
	void keep(Tick &tick, const std::string &probe, const std::set<std::string> &named);
	void say_unwritten();
	void publish(const Tick &tick);
	bool memory_only();
	void restore_ring();
	void keep_copy();
	void leave_copy();

	std::string database_;
	Definitions definitions_;
	bool definitions_loaded_ = false;
	bool warm_ = false;      // every loop has run
	bool changed_ = false;   // what is defined
	std::string unreadable_; // why the definitions could not be read the last time
	Micros read_again_ = 0;  // when that is tried again; 0: no need
	std::array<Schedule, kLoops.size()> schedules_;
	LoopRecords loops_;
	ProbeRecords probes_;
	std::map<std::string, BackOff, std::less<>> back_offs_;
	std::map<std::string, std::string> unavailable_;
	LiveSamples live_, before_,
		kept_; // newest full samples, those before them, and what the rings kept
	std::vector<Verdict> verdicts_;
	std::set<std::string> without_room_; // probes whose last sample the memory ring did not take
	VisitRecords visits_;
	std::uint32_t last_visited_ = 0; // where the next round of visits begins
	int ticking_ = -1;               // loop whose tick is under way, the innermost one
	Micros recorded_at_ = 0;         // of the newest samples about the sampler itself
	RingWriter writer_;
	Schedule copies_;              // when the memory ring's copy is brought up to date
	bool published_there_ = false; // whether a publication covers our tables, as last seen
	std::string copy_trouble_;     // why the copy could not be written the last time
	int lock_timeout_ = 0;         // as pinned
	std::array<std::string, kLoops.size()>
		unwritten_; // why the last samples of each loop did not reach its tables
};

} // namespace pgdba
