// The memory ring's copy in a file, where memory is all the history there is. A server that writes
// tables keeps none: what is in them is newer, and would be hidden by what a copy brings back.
#include "pgdba/sampler/sampler.hpp"

#include "pgdba/pg/error.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/rings/copy_file.hpp"

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constinit CopyFile copy; // of the process: its end has no sampler at hand

std::string about(const std::string &trouble) {
	return std::string("copy of the memory ring (") + CopyFile::kPath + "): " + trouble;
}

} // namespace

// On a standby, and where a publication would send our tables elsewhere.
bool Sampler::memory_only() {
	if (pg::in_recovery())
		return true;
	try {
		pg::Transaction transaction(true);
		std::string publication;
		published_there_ = pg::ring_is_published(&publication);
		transaction.commit();
	} catch (const pg::PgError &) { // aborted: by the transaction. A catalog is locked: nothing new
	}
	return published_there_;
}

// After a start: what was known before it. Said in the log as well, because that is where one looks
// for what a start did.
void Sampler::restore_ring() {
	if (!pg::ring_streams(false).empty() || !memory_only())
		return;
	const std::string fault = CopyFile::restore(
		[this](std::string_view probe) { return definitions_.probe(probe) != nullptr; });
	if (fault.empty())
		return;
	pg::process_error(pg::Role::kSampler, about(fault));
	pg::log(about(fault), "What stands before that was restored, the rest is ignored.");
}

void Sampler::keep_copy() {
	(void)copies_.begin(pg::now());
	if (!memory_only())
		return leave_copy();
	pg::before_leaving([] { copy.write_last(); });
	std::string trouble = copy.write();
	const Micros now = pg::now();
	pg::write_head([&](pg::SharedHead &head) {
		if (trouble.empty())
			head.copied_at = now;
		else
			++head.copy_errors;
	});
	if (trouble == copy_trouble_)
		return;
	pg::process_error(pg::Role::kSampler, trouble.empty() ? trouble : about(trouble));
	copy_trouble_ = std::move(trouble);
}

void Sampler::leave_copy() {
	pg::before_leaving(nullptr);
	copy.remove();
	pg::write_head([](pg::SharedHead &head) { head.copied_at = 0; });
}

} // namespace pgdba
