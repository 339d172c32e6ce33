/* size - how many rows of each kind the keeper has room for.
 *
 * Called: authority/main.c. Tests have a keeper with another one. */
#ifndef AUTHORITY_SIZE_H
#define AUTHORITY_SIZE_H

#include "core/authority.h"

extern const struct authority_size keeper_size;

#endif
