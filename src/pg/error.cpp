// PgError without the server's headers: the packing of SQLSTATE is the only thing of the server it
// knows.
#include "pgdba/pg/error.hpp"

namespace pgdba::pg {

std::string PgError::state() const {
	std::string code(5, '0');
	for (int i = 0; i < 5; ++i)
		code[i] = static_cast<char>('0' + ((sqlstate >> (6 * i)) & 0x3F));
	return code;
}

} // namespace pgdba::pg
