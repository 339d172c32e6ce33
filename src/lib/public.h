/* public - between our errors and those of the public header.
 *
 * Called: lib only. */
#ifndef LIB_PUBLIC_H
#define LIB_PUBLIC_H

#include "ambit/ambit.h"
#include "base/err.h"

/* Copies *e into *ret (which may be NULL, or of an older size) and gives code. */
int public_error(struct ambit_error *ret, int code, const struct err *e);

#endif
