// Included last by every file that must not see the server's headers: crossing the wall is a
// compile error.
#pragma once
#ifdef POSTGRES_H
#error "server headers belong in src/pg, include/pgdba/pg and src/entry only"
#endif
