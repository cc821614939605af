// The sampler's side of a visit: sends a reader, listens to it, and calls it back when somebody
// wants the database.
//
// From the moment the database is found fit for a visit until the reader is connected, the sampler
// holds the lock that a connection takes; so the database cannot vanish under the reader's feet,
// which would be a FATAL line in the log. At each look it is let go for an instant: whoever waits
// for it gets it, and then the reader is called back.
#include "pgdba/core/codec.hpp"
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/reader_link.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_database.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/syscache.h"
}

namespace pgdba::pg {

namespace {

using link::Message;

constexpr Micros kLook = 20'000; // longest time between two looks around
// While it connects, a reader cannot be told how long to wait for a lock.
constexpr Micros kConnecting = 2 * kMicrosPerSecond;
// A reader that does not leave in this time is left to itself.
constexpr Micros kFarewell = kMicrosPerSecond;
// datconnlimit of a database whose DROP was interrupted
constexpr std::int32_t kInvalidDatabase = -2;

// A segment with the errand in it and our end of the queue. Both end with this object.
class Channel {
public:
	Channel() = default;
	Channel(const Channel &) = delete;
	Channel &operator=(const Channel &) = delete;
	~Channel() {
		call_noexcept([this] {
			if (segment_ != nullptr)
				dsm_detach(segment_); // closes the queue: the reader stops sending
		});
		call_noexcept([this] {
			if (memory_ != nullptr)
				MemoryContextDelete(memory_);
		});
	}

	// RETURNS: false when the server has no place for one more segment.
	bool open(std::uint32_t database, std::string_view name, std::string_view requests) {
		const std::size_t queue_offset = MAXALIGN(sizeof(link::Errand) + requests.size());
		call([this] {
			memory_ = AllocSetContextCreate(TopMemoryContext, "pgdba visit", ALLOCSET_SMALL_SIZES);
		});
		call([this, queue_offset] {
			segment_ = dsm_create(queue_offset + link::kQueueBytes, DSM_CREATE_NULL_IF_MAXSEGMENTS);
			if (segment_ != nullptr)
				dsm_pin_mapping(segment_);
		});
		if (segment_ == nullptr)
			return false;
		// Reads a field of the descriptor: cannot fail.
		auto *const base = static_cast<char *>(dsm_segment_address(segment_));
		link::Errand errand{link::kMagic,    database,     sizeof errand,
							requests.size(), queue_offset, {}};
		name.copy(errand.name, sizeof errand.name - 1);
		std::memcpy(base, &errand, sizeof errand);
		std::memcpy(base + sizeof errand, requests.data(), requests.size());
		call([this, base, queue_offset] {
			shm_mq *const queue = shm_mq_create(base + queue_offset, link::kQueueBytes);
			shm_mq_set_receiver(queue, MyProc);
			MemoryContext const before = MemoryContextSwitchTo(memory_);
			queue_ = shm_mq_attach(queue, segment_, nullptr);
			MemoryContextSwitchTo(before);
		});
		return true;
	}

	std::uint32_t handle() const noexcept { return dsm_segment_handle(segment_); } // reads a field

	enum class Heard { kMessage, kNothing, kClosed };
	// `message` is valid until the next call.
	Heard listen(std::string_view *message) {
		Size length = 0;
		void *data = nullptr;
		const shm_mq_result result = call([this, &length, &data] {
			MemoryContext const before = MemoryContextSwitchTo(memory_);
			const shm_mq_result r = shm_mq_receive(queue_, &length, &data, true);
			MemoryContextSwitchTo(before);
			return r;
		});
		if (result == SHM_MQ_SUCCESS) {
			*message = {static_cast<const char *>(data), length};
			return Heard::kMessage;
		}
		return result == SHM_MQ_WOULD_BLOCK ? Heard::kNothing : Heard::kClosed;
	}

private:
	MemoryContext memory_ = nullptr;
	dsm_segment *segment_ = nullptr;
	shm_mq_handle *queue_ = nullptr;
};

// REQUIRES: the lock is held, so that the answer holds until it is let go. Never tried: what
// refuses connections (each try is a FATAL line in the log), and templates (somebody may be about
// to copy them).
bool fit_for_visit(std::uint32_t database) {
	Transaction transaction(true);
	const bool fit = call([database] {
		HeapTuple const tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
		if (!HeapTupleIsValid(tuple))
			return false;
		const auto *const row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
		const bool open =
			row->datallowconn && !row->datistemplate && row->datconnlimit != kInvalidDatabase;
		ReleaseSysCache(tuple);
		return open;
	});
	transaction.commit();
	return fit;
}

void count_skipped_visit() {
	write_head([](SharedHead &head) { ++head.skipped_visits; });
}

using Work = void (*)();
constinit Work meanwhile = nullptr;

class Visit {
public:
	Visit(std::uint32_t database, std::vector<ReaderResult> &results, Micros deadline)
		: database_(database), lock_(database), results_(results), deadline_(deadline) {}
	Visit(const Visit &) = delete;
	Visit &operator=(const Visit &) = delete;
	// A reader is still there only after an error.
	~Visit() {
		if (auto *const handle = static_cast<BackgroundWorkerHandle *>(reader_.handle))
			call_noexcept([handle] { TerminateBackgroundWorker(handle); });
	}

	// Takes the lock that listen() lets go.
	bool may_begin() {
		return lock_.acquire() && fit_for_visit(database_) && link::can_connect(database_);
	}

	bool send_reader(std::string_view name, std::string_view requests) {
		return channel_.open(database_, name, requests) &&
			   start_child("pgdba reader", "pgdba_reader_main", channel_.handle(), {}, &reader_);
	}

	void listen() {
		while (answered_ < results_.size()) {
			// Asked before the queue is: what it sent last is still heard.
			const bool stopped = child_state(reader_) == ChildState::kStopped;
			std::string_view message;
			const Channel::Heard heard = channel_.listen(&message);
			if (heard == Channel::Heard::kMessage) {
				take(message);
				continue;
			}
			if (stopped || heard == Channel::Heard::kClosed)
				break;
			if (somebody_wants() || now() >= deadline_ ||
				(!connected_ && now() - begun_ >= kConnecting)) {
				stop_child(reader_);
				break;
			}
			(void)wait_latch(kLook);
			// Never while the lock is held: a transaction that is aborted takes those of the
			// session with it.
			if (connected_ && meanwhile != nullptr)
				meanwhile();
		}
		see_off();
	}

private:
	// Lets go for an instant, so that whoever waits gets the lock; held on only until the reader is
	// connected.
	bool somebody_wants() {
		lock_.release();
		const bool wanted = !lock_.acquire();
		if (connected_)
			lock_.release();
		return wanted;
	}

	void take(std::string_view message) {
		if (message.empty())
			return;
		const auto kind = static_cast<Message>(message.front());
		message.remove_prefix(1);
		if (kind == Message::kConnected) {
			connected_ = true;
			lock_.release();
			return;
		}
		ReaderResult &result = results_[answered_++];
		result.asked = true;
		result.error.clear();
		link::RowsHead head;
		if (kind == Message::kError) {
			result.error = message;
		} else if (message.size() < sizeof head) {
			result.error = "the reader sent an answer that is cut short";
		} else {
			std::memcpy(&head, message.data(), sizeof head);
			decode(message.substr(sizeof head), result);
			result.wall = head.wall;
			result.cpu = head.cpu;
		}
	}

	static void decode(std::string_view keyframe, ReaderResult &result) {
		try {
			result.rows = decode_keyframe(keyframe);
		} catch (const CorruptSample &corrupt) {
			result.error = corrupt.what();
		}
	}

	// Until it is gone, so that there is never more than one.
	void see_off() {
		lock_.release();
		const Micros patience = now() + kFarewell;
		while (child_state(reader_) != ChildState::kStopped && now() < patience) {
			if (now() >= deadline_)
				stop_child(reader_);
			(void)wait_latch(kLook);
		}
		forget_child(reader_);
	}

	std::uint32_t database_;
	Micros begun_ = now();
	link::DatabaseLock lock_;
	Channel channel_;
	std::vector<ReaderResult> &results_;
	Micros deadline_;
	Child reader_;
	std::size_t answered_ = 0;
	bool connected_ = false;
};

} // namespace

void while_visiting(void (*work)()) {
	meanwhile = work;
}

std::vector<ReaderResult> visit_database(std::uint32_t oid, std::string_view name,
										 const std::vector<ReaderRequest> &requests,
										 Micros deadline) {
	std::vector<ReaderResult> results(requests.size());
	for (ReaderResult &result : results)
		result.error = "database was not visited, or not to the end";
	if (requests.empty())
		return results;
	Visit visit(oid, results, deadline);
	if (visit.may_begin()) {
		if (visit.send_reader(name, link::pack(requests)))
			visit.listen();
		else
			count_skipped_visit();
	}
	return results;
}

} // namespace pgdba::pg
