#include "pgdba/server/connections.hpp"

#include <algorithm>
#include <chrono>

#include <sys/socket.h>

#include "pgdba/core/wall.hpp"

namespace pgdba::server {

namespace {

constexpr Micros kIdleLimit = Connections::kIdleSeconds * kMicrosPerSecond;
constexpr Micros kBusyLimit = 30 * kMicrosPerSecond;
// A client sends its request right after connecting: on a crowded server an idle one has had its
// chance after this.
constexpr Micros kGrace = kMicrosPerSecond / 10;

Micros limit(const Connections::Slot &slot) noexcept {
	return slot.busy ? kBusyLimit : kIdleLimit;
}

} // namespace

Micros steady_now() noexcept {
	return std::chrono::duration_cast<std::chrono::microseconds>(
			   std::chrono::steady_clock::now().time_since_epoch())
		.count();
}

Connections::Slot *Connections::open(int fd, Micros now) noexcept {
	const auto slot =
		std::find_if(slots_.begin(), slots_.end(), [](const Slot &s) { return s.fd < 0; });
	if (slot == slots_.end())
		return nullptr;
	*slot = {fd, false, false, now};
	++count_;
	return &*slot;
}

void Connections::close(Slot *slot) noexcept {
	busy_ -= slot->busy;
	--count_;
	*slot = {};
}

void Connections::begin(Slot *slot, Micros now) noexcept {
	busy_ += !slot->busy;
	slot->busy = true;
	slot->since = now;
}

void Connections::finish(Slot *slot, Micros now) noexcept {
	busy_ -= slot->busy;
	slot->busy = false;
	slot->since = now;
}

void Connections::end(Slot &slot) noexcept {
	shutdown(slot.fd, SHUT_RDWR);
	slot.ended = true;
}

void Connections::end_overdue(Micros now) noexcept {
	for (Slot &slot : slots_)
		if (slot.fd >= 0 && !slot.ended && now - slot.since >= limit(slot))
			end(slot);
}

void Connections::make_room(Micros now) noexcept {
	Slot *oldest = nullptr;
	for (Slot &slot : slots_)
		if (slot.fd >= 0 && !slot.busy && !slot.ended &&
			(oldest == nullptr || slot.since < oldest->since))
			oldest = &slot;
	if (oldest != nullptr && now - oldest->since >= kGrace)
		end(*oldest);
}

Micros Connections::next_deadline(bool waiting) const noexcept {
	Micros next = 0;
	for (const Slot &slot : slots_)
		if (slot.fd >= 0 && !slot.ended) {
			const Micros due = slot.since + (waiting && !slot.busy ? kGrace : limit(slot));
			next = next == 0 ? due : std::min(next, due);
		}
	return next;
}

} // namespace pgdba::server
