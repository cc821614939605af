// Loading the library, and the main functions of its workers.
#include "pgdba/launcher/launcher.hpp"
#include "pgdba/pg/entry.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/shared.hpp"
#include "pgdba/pg/worker.hpp"
#include "pgdba/sampler/sampler.hpp"

extern "C" {
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
}

PGDBA_WORKER(pgdba_launcher_main);
PGDBA_WORKER(pgdba_sampler_main);

using namespace pgdba;

void _PG_init(void) {
	// Loaded by a session, not by the postmaster: the functions say so. During pg_upgrade: do
	// nothing at all.
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	pg::entry([] {
		pg::define_settings();
		pg::request_shared_memory();
		pg::register_static_workers();
	});
}

// An error that reaches a worker's main function ends it with exit code 1: the static launcher is
// restarted by the postmaster, the sampler by the launcher, both with a pause.
void pgdba_launcher_main(Datum) {
	pg::entry([] {
		pg::begin_worker(1);
		pg::connect_shared_catalogs(); // no database, so nothing that an owner could have set
		pg::announce_process(pg::Role::kLauncher, "starting");
		Launcher(pg::settings().database).run();
	});
}

void pgdba_sampler_main(Datum argument) {
	const std::uint32_t database = DatumGetUInt32(argument);
	pg::entry([database] {
		pg::begin_worker(0); // the launcher starts it again
		pg::connect_database(database);
		pg::pin_settings();
		pg::announce_process(pg::Role::kSampler, "starting");
		try {
			Sampler(MyBgworkerEntry->bgw_extra).run();
		} catch (const std::exception &error) {
			pg::leave_if_told(); // then it was only the cancel that came with it
			pg::process_error(pg::Role::kSampler, error.what());
			throw;
		}
	});
}
