/* filter_table - the form of the generated programs.
 *
 * Owns:   the declaration of what gen_filter writes: one table for each architecture, in filter_table_ARCH.c.
 * Holds:  every shape of enum filter_shape has an entry.
 * Called: filter.c, and the unit test, which also looks at the architecture that it does not run on. */
#ifndef CELL_FILTER_TABLE_H
#define CELL_FILTER_TABLE_H

#include "cell/filter.h"

struct filter_table {
	const struct sock_filter *program;
	size_t len;
};

extern const struct filter_table filter_table_x86_64[FILTER_COUNT];
extern const struct filter_table filter_table_aarch64[FILTER_COUNT];

#endif
