// How many pages a table or a btree would fill if it were written anew, from what ANALYZE knows of
// its columns: column by column as the server lays out a row, with alignment and the bitmap of
// nulls. What the file has beyond that is bloat.
#pragma once

#include <cstdint>
#include <vector>

namespace pgdba {

struct ColumnShape {
	double null_fraction = 0; // 1: dropped, or never stored
	double width = 0;         // mean bytes where it is not null, with the header of a varlena
	int alignment = 1;        // 1, 2, 4 or 8; of a varlena that is short enough to need none: 1
	bool fixed = false;       // all its values are that wide
};

struct PageShape {
	int bytes = 8192;
	int fillfactor = 100;
};

struct TableShape {
	std::vector<ColumnShape> columns; // in the order of the row, dropped ones as well
	double rows = 0;
	PageShape page;
};

// The values of a column as ANALYZE saw them in a sample.
struct ValueShape {
	double null_fraction = 0;
	double distinct =
		0; // its estimate of how many there are; 0: unknown, all are taken for different
	std::vector<double> common; // fractions of all rows that have the most common one, the next ...
	bool more_are_common = false; // whether there was no room for more of those
};

struct BtreeShape {
	std::vector<ColumnShape> columns; // of the key, and those that it includes
	double rows = 0;
	PageShape page;
	bool merges = false;            // rows with the same key share it (deduplicate_items)
	std::vector<ValueShape> values; // of each column, where it merges
	double table_rows = 0;          // that the values are of: more than `rows` in a partial index
	double sampled_rows = 0;        // that ANALYZE looked at
	bool partial = false; // only some rows of the table are in it: other ones than the common
};

double pages_of(const TableShape &table);
double pages_of(const BtreeShape &btree);

} // namespace pgdba
