// What a session does or waits for, told from the number that the server keeps for it, and names
// that are the same whatever the server's version.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgdba {

enum class WaitClass : std::uint8_t {
	kCpu,
	kIo,
	kLock,
	kLwLock,
	kClient,
	kIpc,
	kTimeout,
	kExtension,
	kBufferPin,
	kActivity,
	kOther
};
constexpr int kWaitClasses = 11;
std::string_view name_of(WaitClass wait_class) noexcept;
// By the server's number (PGPROC.wait_event_info), whose first byte is the kind; 0 is no wait.
WaitClass wait_class_of(std::uint32_t event) noexcept;
constexpr std::uint32_t kNoWait = 0;
constexpr std::uint32_t kClientRead = 0x06000000; // the first of its kind, in every version

enum class WaitState : std::uint8_t { kActive, kInTransaction, kIdle };
constexpr int kWaitStates = 3;
std::string_view name_of(WaitState state) noexcept;

// An event as PostgreSQL 17 and later name it: 17 made one spelling of many. Others as they are.
std::string_view folded_event(std::string_view type, std::string_view event) noexcept;

} // namespace pgdba
