/* stop - whether who asked for a commit or an undo wants it no more.
 *
 * Holds:  it is asked for as long as nothing of a real tree was changed, and never after: what has begun goes on.
 * Called: from stage/ only. */
#ifndef STAGE_STOP_H
#define STAGE_STOP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

typedef bool stop_fn(void *user);

/* 0, or -GONE if fn (which may be NULL) says so. */
static inline int stop_check(stop_fn *fn, void *user, struct err *e)
{
	if (fn == NULL || !fn(user))
		return 0;
	return err_set(e, AMBIT_GONE, "the changes are kept as they were", "stopped before anything was changed");
}

#endif
