#include "pgdba/pg/wait_sessions.hpp"

#include "pgdba/pg/encoding.hpp"
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/wait_memory.hpp"

extern "C" {
#include "storage/proc.h"
}

namespace pgdba::pg {

namespace {

constexpr Micros kJustIdle = kMicrosPerSecond;
// A process that is stopped while it changes its status would keep us for ever.
constexpr int kMostTries = 1000;

bool waits_for_work(WaitClass kind) noexcept {
	return kind == WaitClass::kActivity || kind == WaitClass::kClient ||
		   kind == WaitClass::kTimeout || kind == WaitClass::kExtension;
}

// Only sessions say what they do. Other processes that say nothing are active unless they wait for
// work or for their time; a walsender says that it is active all the time.
std::optional<WaitState> state_of(BackendType type, BackendState said, Micros said_at,
								  WaitClass kind, bool in_group, Micros now) noexcept {
	if (compat::is_io_worker(type))
		return std::nullopt;
	const bool is_session = type == B_BACKEND;
	if (!is_session && (type == B_WAL_SENDER || said == STATE_UNDEFINED))
		return waits_for_work(kind) ? std::nullopt : std::optional(WaitState::kActive);
	if (!is_session && !in_group && (kind == WaitClass::kActivity || kind == WaitClass::kExtension))
		return std::nullopt;
	switch (said) {
	case STATE_RUNNING:
	case STATE_FASTPATH:
		return WaitState::kActive;
	case STATE_IDLEINTRANSACTION:
	case STATE_IDLEINTRANSACTION_ABORTED:
		return WaitState::kInTransaction;
	case STATE_IDLE:
		return is_session && now - said_at < kJustIdle ? std::optional(WaitState::kIdle)
													   : std::nullopt;
	case STATE_DISABLED: // track_activities is off
		return kind == WaitClass::kClient ? std::nullopt : std::optional(WaitState::kActive);
	default:
		return std::nullopt;
	}
}

// Idle for long: most sessions, most of the time. A value that is just being changed is seen at the
// next tick.
bool rests(const volatile PgBackendStatus &status, Micros now) noexcept {
	return status.st_state == STATE_IDLE && now - status.st_state_start_timestamp >= kJustIdle;
}

} // namespace

WaitReader::WaitReader() : sights_(wait_slots()), numbers_(wait_slots(), -1) {}

// Its PGPROC keeps its number as long as the process lives.
int WaitReader::process_number(std::size_t place, int pid) noexcept {
	if (const int number = compat::process_number_at(static_cast<int>(place)); number >= 0)
		return number;
	const auto has = [pid](int number) {
		return *const_cast<volatile int *>(&ProcGlobal->allProcs[number].pid) == pid;
	};
	int &known = numbers_[place];
	if (known >= 0 && has(known))
		return known;
	for (int number = 0; number < static_cast<int>(ProcGlobal->allProcCount); ++number)
		if (has(number))
			return known = number;
	return known = -1;
}

std::span<const WaitSight> WaitReader::read(Micros now) noexcept {
	const volatile PgBackendStatus *const first = compat::first_backend_status();
	std::size_t count = 0;
	for (std::size_t place = 0; place < numbers_.size(); ++place) {
		const volatile PgBackendStatus &status = first[place];
		const int pid = status.st_procpid;
		if (pid <= 0 || rests(status, now))
			continue;
		const int number = process_number(place, pid);
		if (number < 0)
			continue;
		const volatile PGPROC &process = ProcGlobal->allProcs[number];
		WaitSight &sight = sights_[count];
		std::optional<WaitState> state;
		for (int tries = 0; tries < kMostTries; ++tries) {
			int before = 0, after = 0;
			pgstat_begin_read_activity(&status, before);
			const auto type = status.st_backendType;
			const std::uint32_t event = process.wait_event_info;
			const volatile PGPROC *const leader = process.lockGroupLeader;
			const bool in_group = leader != nullptr && leader != &process;
			state = state_of(type, status.st_state, status.st_state_start_timestamp,
							 wait_class_of(event), in_group, now);
			if (state) {
				sight.who.pid = status.st_procpid;
				sight.who.backend_start = status.st_proc_start_timestamp;
				sight.who.database = status.st_databaseid;
				sight.who.role = status.st_userid;
				sight.who.backend_type = static_cast<std::uint32_t>(type);
				sight.who.slot = static_cast<std::uint32_t>(place);
				sight.who.leader_pid = in_group ? leader->pid : 0;
				sight.xact_start = status.st_xact_start_timestamp;
				sight.query_id = static_cast<std::int64_t>(status.st_query_id);
				sight.event =
					event == kNoWait && *state != WaitState::kActive ? kClientRead : event;
				sight.state = *state;
				sight.blocked = wait_class_of(event) == WaitClass::kLock;
				std::memcpy(sight.who.application_name, status.st_appname, WaitSession::kNameBytes);
			}
			pgstat_end_read_activity(&status, after);
			if (pgstat_read_activity_complete(before, after))
				break;
			state.reset();
		}
		if (!state || sight.who.pid != pid || is_own_process(pid))
			continue;
		char *const name = sight.who.application_name;
		const std::size_t length = strnlen(name, WaitSession::kNameBytes - 1);
		std::memset(name + length, 0, WaitSession::kNameBytes - length);
		++count;
	}
	return {sights_.data(), count};
}

std::pair<std::string, std::string> wait_event_name(std::uint32_t event) {
	if (event == kNoWait)
		return {"CPU", "CPU"};
	const char *const kind = call([event] { return pgstat_get_wait_event_type(event); });
	const char *const name = call([event] { return pgstat_get_wait_event(event); });
	const std::string type = valid_utf8(kind != nullptr ? kind : "other");
	return {type, std::string(folded_event(type, valid_utf8(name != nullptr ? name : "other")))};
}

std::string backend_type_name(std::uint32_t type) {
	return call([type] { return GetBackendTypeDesc(static_cast<BackendType>(type)); });
}

std::string role_name(std::uint32_t oid) {
	char *const name = call([oid] { return GetUserNameFromId(oid, true); });
	return name != nullptr ? to_utf8(name) : std::string();
}

} // namespace pgdba::pg
