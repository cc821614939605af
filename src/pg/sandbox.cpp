#include "sandbox.hpp"

#include "pgdba/pg/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
}

namespace pgdba::pg {

Sandbox::Sandbox(Micros budget)
	: owns_transaction_(!call([] { return IsTransactionState(); })),
	  armed_(owns_transaction_ && budget > 0) {
	const int milliseconds = static_cast<int>(std::max<Micros>(1, budget / 1000));
	if (owns_transaction_)
		call([] {
			SetCurrentStatementStartTimestamp();
			StartTransactionCommand();
		});
	try {
		// The timer runs before the snapshot is taken: taking one can wait.
		if (armed_)
			call([milliseconds] { enable_timeout_after(STATEMENT_TIMEOUT, milliseconds); });
		begin_restricted();
	} catch (...) {
		leave();
		throw;
	}
}

void Sandbox::begin_restricted() {
	trial_.emplace();
	const Oid role = call([] { return get_role_oid("pgdba_sampler", true); });
	if (!OidIsValid(role))
		throw PgError(sqlstate("42704"), "role \"pgdba_sampler\" does not exist", {},
					  "Probes and checks run as this role; CREATE EXTENSION pgdba makes it.");
	call([role] {
		Oid user = InvalidOid;
		int context = 0;
		XactReadOnly = true; // goes back when the subtransaction ends
		GetUserIdAndSecContext(&user, &context);
		SetUserIdAndSecContext(role, context | SECURITY_RESTRICTED_OPERATION |
										 SECURITY_LOCAL_USERID_CHANGE);
		// A caller's search_path must not decide which operator a check means.
		(void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
								GUC_ACTION_LOCAL, true, 0, false);
		PushActiveSnapshot(GetTransactionSnapshot());
		(void)SPI_connect();
	});
}

// Also after an error: the abort puts back user, settings, SPI, snapshots and portals.
void Sandbox::leave() noexcept {
	if (armed_)
		call_noexcept([] { disable_timeout(STATEMENT_TIMEOUT, false); });
	const bool sound = !trial_ || trial_->roll_back();
	if (!owns_transaction_)
		return;
	if (!sound || !call_noexcept([] { CommitTransactionCommand(); }))
		call_noexcept([] { AbortCurrentTransaction(); });
	call_noexcept([] {
		LockReleaseAll(USER_LOCKMETHOD, true);
		pgstat_report_stat(true);
		pgstat_report_activity(STATE_IDLE, nullptr);
	});
}

} // namespace pgdba::pg
