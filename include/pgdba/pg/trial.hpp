// A subtransaction that is rolled back in any case: whatever was done in it is gone after it, and
// an error in it is harmless. REQUIRES: a transaction.
#pragma once

#include "pgdba/pg/prelude.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace pgdba::pg {

class Trial {
public:
	Trial();
	~Trial() { (void)roll_back(); }
	Trial(const Trial &) = delete;
	Trial &operator=(const Trial &) = delete;

	// Before its time; then once only. RETURNS whether it went well: if not, nothing but the end of
	// the transaction helps.
	bool roll_back() noexcept;

private:
	MemoryContext memory_;
	ResourceOwner owner_;
	bool open_ = true;
};

} // namespace pgdba::pg
