#include "pgdba/core/wait_event.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::string_view kClasses[kWaitClasses] = {
	"CPU",     "IO",        "Lock",      "LWLock",   "Client", "IPC",
	"Timeout", "Extension", "BufferPin", "Activity", "other"};
constexpr std::string_view kStates[kWaitStates] = {"active", "idle in transaction", "idle"};

// Before 17, and since; by the first. Names of lightweight locks did not change.
constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
	{"AutoVacuumMain", "AutovacuumMain"},
	{"BaseBackupRead", "BasebackupRead"},
	{"BaseBackupSync", "BasebackupSync"},
	{"BaseBackupWrite", "BasebackupWrite"},
	{"BgWorkerShutdown", "BgworkerShutdown"},
	{"BgWorkerStartup", "BgworkerStartup"},
	{"BgWriterHibernate", "BgwriterHibernate"},
	{"BgWriterMain", "BgwriterMain"},
	{"BufFileRead", "BuffileRead"},
	{"BufFileTruncate", "BuffileTruncate"},
	{"BufFileWrite", "BuffileWrite"},
	{"BufferIO", "BufferIo"},
	{"DSMFillZeroWrite", "DsmFillZeroWrite"},
	{"GSSOpenServer", "GssOpenServer"},
	{"HashGrowBatchesAllocate", "HashGrowBatchesReallocate"},
	{"HashGrowBucketsAllocate", "HashGrowBucketsReallocate"},
	{"LibPQWalReceiverConnect", "LibpqwalreceiverConnect"},
	{"LibPQWalReceiverReceive", "LibpqwalreceiverReceive"},
	{"LockFileAddToDataDirRead", "LockFileAddtodatadirRead"},
	{"LockFileAddToDataDirSync", "LockFileAddtodatadirSync"},
	{"LockFileAddToDataDirWrite", "LockFileAddtodatadirWrite"},
	{"LockFileReCheckDataDirRead", "LockFileRecheckdatadirRead"},
	{"ProcArrayGroupUpdate", "ProcarrayGroupUpdate"},
	{"SLRUFlushSync", "SlruFlushSync"},
	{"SLRURead", "SlruRead"},
	{"SLRUSync", "SlruSync"},
	{"SLRUWrite", "SlruWrite"},
	{"SSLOpenServer", "SslOpenServer"},
	{"SysLoggerMain", "SysloggerMain"},
	{"WALBootstrapSync", "WalBootstrapSync"},
	{"WALBootstrapWrite", "WalBootstrapWrite"},
	{"WALCopyRead", "WalCopyRead"},
	{"WALCopySync", "WalCopySync"},
	{"WALCopyWrite", "WalCopyWrite"},
	{"WALInitSync", "WalInitSync"},
	{"WALInitWrite", "WalInitWrite"},
	{"WALRead", "WalRead"},
	{"WALSenderTimelineHistoryRead", "WalsenderTimelineHistoryRead"},
	{"WALSync", "WalSync"},
	{"WALSyncMethodAssign", "WalSyncMethodAssign"},
	{"WALWrite", "WalWrite"},
	{"WalSenderWaitForWAL", "WalSenderWaitForWal"},
};
static_assert(std::is_sorted(std::begin(kRenamed), std::end(kRenamed)));

} // namespace

std::string_view name_of(WaitClass wait_class) noexcept {
	return kClasses[static_cast<std::size_t>(wait_class)];
}

std::string_view name_of(WaitState state) noexcept {
	return kStates[static_cast<std::size_t>(state)];
}

WaitClass wait_class_of(std::uint32_t event) noexcept {
	if (event == kNoWait)
		return WaitClass::kCpu;
	switch (event >> 24) {
	case 0x01:
		return WaitClass::kLwLock;
	case 0x03:
		return WaitClass::kLock;
	case 0x04:
		return WaitClass::kBufferPin;
	case 0x05:
		return WaitClass::kActivity;
	case 0x06:
		return WaitClass::kClient;
	case 0x07:
		return WaitClass::kExtension;
	case 0x08:
		return WaitClass::kIpc;
	case 0x09:
		return WaitClass::kTimeout;
	case 0x0A:
		return WaitClass::kIo;
	default:
		return WaitClass::kOther;
	}
}

std::string_view folded_event(std::string_view type, std::string_view event) noexcept {
	if (type == "LWLock")
		return event;
	const auto *const found =
		std::lower_bound(std::begin(kRenamed), std::end(kRenamed), event,
						 [](const auto &each, std::string_view name) { return each.first < name; });
	return found != std::end(kRenamed) && found->first == event ? found->second : event;
}

} // namespace pgdba
