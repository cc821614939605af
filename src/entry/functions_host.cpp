// SQL functions that look at the machine. They take no lock and read nothing of the server.
#include "pgdba/host/certificates.hpp"
#include "pgdba/host/files.hpp"
#include "pgdba/host/machine.hpp"
#include "pgdba/pg/datum.hpp"
#include "pgdba/pg/entry.hpp"

extern "C" {
#include "utils/guc.h"
}

PGDBA_FUNCTION(pgdba_host_filesystem)
PGDBA_FUNCTION(pgdba_host_folder)
PGDBA_FUNCTION(pgdba_host_machine)
PGDBA_FUNCTION(pgdba_host_processes)
PGDBA_FUNCTION(pgdba_host_certificates)

using namespace pgdba;

// A path relative to the data directory, which is where the server's processes are at home.
Datum pgdba_host_filesystem(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		Sample row;
		row.set_columns(plain_columns({{"device", Type::kText},
									   {"size_bytes", Type::kInt8},
									   {"free_bytes", Type::kInt8},
									   {"available_bytes", Type::kInt8},
									   {"files", Type::kInt8},
									   {"files_free", Type::kInt8},
									   {"read_only", Type::kBool}}));
		const auto found =
			PG_ARGISNULL(0) ? std::nullopt : filesystem_of(pg::text_argument(fcinfo, 0));
		if (found) {
			row.add_row();
			row.set_text(0, 0, found->device);
			row.set_int(0, 1, found->size);
			row.set_int(0, 2, found->free);
			row.set_int(0, 3, found->available);
			if (found->files > 0) {
				row.set_int(0, 4, found->files);
				row.set_int(0, 5, found->files_free);
			}
			row.set_bool(0, 6, found->read_only);
		}
		return pg::return_sample(fcinfo, row);
	});
}

Datum pgdba_host_folder(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		Sample row;
		row.set_columns(plain_columns({{"mode", Type::kText},
									   {"own", Type::kBool},
									   {"files", Type::kInt8},
									   {"rotational", Type::kBool}}));
		const auto found = PG_ARGISNULL(0) ? std::nullopt : folder_of(pg::text_argument(fcinfo, 0));
		if (found) {
			row.add_row();
			row.set_text(0, 0, found->mode);
			row.set_bool(0, 1, found->own);
			row.set_int(0, 2, found->files);
			if (found->rotational)
				row.set_bool(0, 3, *found->rotational);
		}
		return pg::return_sample(fcinfo, row);
	});
}

Datum pgdba_host_machine(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] { return pg::return_sample(fcinfo, machine_sample()); });
}

Datum pgdba_host_processes(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] { return pg::return_sample(fcinfo, process_sample(PostmasterPid)); });
}

Datum pgdba_host_certificates(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		const auto setting = [](const char *name) -> std::string {
			const char *const value =
				pg::call([name] { return GetConfigOption(name, true, false); });
			return value == nullptr ? "" : value;
		};
		std::vector<std::pair<std::string, std::string>> files;
		if (setting("ssl") == "on")
			for (const auto &[kind, name] :
				 {std::pair("server", "ssl_cert_file"), std::pair("authority", "ssl_ca_file")})
				if (const std::string file = setting(name); !file.empty())
					files.emplace_back(kind, file);
		return pg::return_sample(fcinfo, certificate_sample(files));
	});
}
