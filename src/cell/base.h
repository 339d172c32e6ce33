/* base - what a program needs to run at all.
 *
 * Owns:   the table of what every cell of a kind shows without a grant.
 * Holds:  nothing in it can be written but devices and the cell's own /tmp, home and /dev/shm; nothing in it tells who the
 *         caller is or what else is on the host.
 * Called: supervisor (fills the spec; classifies effects). base_add reads links of the host's root directory. */
#ifndef CELL_BASE_H
#define CELL_BASE_H

#include <stdbool.h>

#include "cell/spec.h"

/* Adds the base that spec->base names. */
int base_add(struct cell_spec *spec, struct err *e);

/* Whether a base of this kind shows the host's `path` with these rights. */
bool base_shows(enum cell_base base, const char *path, unsigned rights);

/* Whether the base of this cell allows `rights` on `path` (absolute and normal). `private`: the path is of the cell's own
 * (/tmp, home, /dev/shm, /proc, what the skeleton makes), whatever the host has under that name. */
bool base_allows(const struct cell_spec *spec, const char *path, unsigned rights);
bool base_is_private(const struct cell_spec *spec, const char *path);

/* Whether /var/tmp is a link to /tmp: unless something beneath it is granted or home. Then it is a directory above that, in which nothing
 * can be made. */
bool base_links_var_tmp(const struct cell_spec *spec);

#endif
