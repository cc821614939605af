// The version of the extension, as the control file says it. No server header.
#pragma once

namespace pgdba::pg {

const char *version() noexcept; // "0.1"

} // namespace pgdba::pg
