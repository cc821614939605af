// The reader: connects to one database, asks what it was told to ask, sends the answers, exits. It
// leaves quietly (exit code 0, nothing in the log) as soon as it is told to, or when between two
// statements somebody wants the database for himself.
#include "pgdba/pg/reader.hpp"

#include "pgdba/core/codec.hpp"
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/reader_link.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"

extern "C" {
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/dsm.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "tcop/tcopprot.h"
}

#include <csignal>

namespace pgdba::pg {

namespace {

using link::Message;

constexpr std::size_t kMostBytes = 64 << 20; // of an answer

constinit volatile sig_atomic_t told_to_leave = 0;

// SIGTERM cancels the statement instead of ending the process: the end by `die` is a FATAL line in
// the log, and the sampler sends readers away whenever somebody drops a database.
extern "C" void pgdba_reader_sigterm(int signal) {
	told_to_leave = 1;
	StatementCancelHandler(signal);
}

// What the sampler left in the segment, and the way back.
struct Desk {
	const link::Errand *errand = nullptr;
	shm_mq_handle *answers = nullptr;
};

// RETURNS: no errand when the sampler has gone meanwhile.
Desk take_desk(std::uint32_t handle) {
	return call([handle] {
		Desk desk;
		MemoryContextSwitchTo(TopMemoryContext);
		dsm_segment *const segment = dsm_attach(handle);
		if (segment == nullptr)
			return desk;
		auto *const base = static_cast<char *>(dsm_segment_address(segment));
		const auto *const errand = reinterpret_cast<const link::Errand *>(base);
		if (errand->magic != link::kMagic)
			return desk;
		auto *const queue = reinterpret_cast<shm_mq *>(base + errand->queue_offset);
		shm_mq_set_sender(queue, MyProc);
		desk.answers = shm_mq_attach(queue, segment, nullptr);
		desk.errand = errand;
		return desk;
	});
}

// Waits for room in the queue. RETURNS: false when the sampler no longer listens.
bool send(const Desk &desk, Message kind, std::string_view head, std::string_view body) {
	const shm_mq_iovec parts[] = {{reinterpret_cast<const char *>(&kind), sizeof kind},
								  {head.data(), head.size()},
								  {body.data(), body.size()}};
	auto *const list = const_cast<shm_mq_iovec *>(parts); // only read; the signature has no const
	shm_mq_handle *const answers = desk.answers;
	return call(
		[answers, list] { return shm_mq_sendv(answers, list, 3, false, true) == SHM_MQ_SUCCESS; });
}

bool somebody_wants(std::uint32_t database) {
	link::DatabaseLock lock(database);
	return !lock.acquire();
}

// RETURNS: false when there is nobody to answer.
bool answer(const Desk &desk, const ReaderRequest &request) {
	std::string error;
	try {
		const QueryResult result = run_sandboxed(
			request.query, {request.budget, request.max_rows, kMostBytes, false, request.readings});
		const link::RowsHead head{result.wall, result.cpu};
		return send(desk, Message::kRows, {reinterpret_cast<const char *>(&head), sizeof head},
					encode_keyframe(result.rows));
	} catch (const PgError &failure) { // the sandbox has aborted what failed
		if (told_to_leave != 0)
			throw;
		error = failure.state() + ": " + failure.message;
	}
	return send(desk, Message::kError, {}, valid_utf8(error));
}

void serve(const Desk &desk) {
	const link::Errand &errand = *desk.errand;
	connect_database(errand.database);
	announce_process(Role::kReader, "in database " + valid_utf8(errand.name));
	pin_settings();
	if (!send(desk, Message::kConnected, {}, {}))
		return;
	const char *const base = reinterpret_cast<const char *>(&errand);
	for (const ReaderRequest &request :
		 link::unpack({base + errand.requests_offset, errand.requests_bytes}))
		if (told_to_leave != 0 || somebody_wants(errand.database) || !answer(desk, request))
			return;
}

} // namespace

void run_reader(std::uint32_t segment) {
	call([] {
		pqsignal(SIGHUP, SignalHandlerForConfigReload);
		pqsignal(SIGTERM, pgdba_reader_sigterm);
		BackgroundWorkerUnblockSignals();
	});
	const Desk desk = take_desk(segment);
	if (desk.errand == nullptr || told_to_leave != 0)
		return;
	try {
		serve(desk);
	} catch (
		const PgError &) { // the process ends either way: what failed is aborted on its way out
		if (told_to_leave == 0)
			throw;
	}
}

} // namespace pgdba::pg
