// Where probes and checks run: a read-only subtransaction that is always aborted, as pgdba_sampler
// in a security-restricted context, with SPI connected. The abort takes back settings,
// notifications and large objects; session advisory locks, which survive it, are released by the
// worker. The enclosing transaction of a worker has nothing left in it and is committed, because
// aborting it would count in xact_rollback of the home database.
#pragma once

#include "pgdba/core/sample.hpp"
#include "pgdba/pg/trial.hpp"

namespace pgdba::pg {

// Begins in the constructor, is aborted in the destructor. Everything that a query did is gone
// after it.
class Sandbox {
public:
	// Without a transaction (in a worker) one is begun, and the statement timer is armed with the
	// budget; 0 means none.
	explicit Sandbox(Micros budget);
	~Sandbox() { leave(); }
	Sandbox(const Sandbox &) = delete;
	Sandbox &operator=(const Sandbox &) = delete;

	// A session has its own transaction, and its own timer.
	bool in_worker() const noexcept { return owns_transaction_; }

private:
	void begin_restricted();
	void leave() noexcept;

	const bool owns_transaction_, armed_;
	std::optional<Trial> trial_;
};

} // namespace pgdba::pg
