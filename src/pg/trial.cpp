#include "pgdba/pg/trial.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "access/xact.h"
}

namespace pgdba::pg {

Trial::Trial() : memory_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
	call([] { BeginInternalSubTransaction(nullptr); });
}

bool Trial::roll_back() noexcept {
	if (!open_)
		return true;
	open_ = false;
	MemoryContext const memory = memory_;
	ResourceOwner const owner = owner_;
	return call_noexcept([memory, owner] {
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(memory);
		CurrentResourceOwner = owner;
	});
}

} // namespace pgdba::pg
