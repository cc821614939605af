// The server's headers, in the one order that works: the C++ library first, because postgres.h
// makes macros of names in it (printf, strerror). Included by src/pg,
// include/pgdba/pg/{guard,entry}.hpp and src/entry only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

extern "C" {
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/elog.h"
#include "utils/memutils.h"
}

#include "pgdba/pg/compat.hpp"
