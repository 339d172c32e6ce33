/* session_describe - what a session and a run are, from the options of the public header.
 *
 * Called: session_handle.c, the command line. */
#ifndef LIB_SESSION_DESCRIBE_H
#define LIB_SESSION_DESCRIBE_H

#include "ambit/ambit.h"
#include "base/buf.h"
#include "session/link.h"

/* policy: an empty buffer, which *ret borrows from; the caller finishes both, also on failure. -USAGE, -LIMIT, -MEMORY. */
int session_describe(const struct ambit_policy *p, const struct ambit_session_options *o, struct buf *policy,
		     struct description *ret, struct err *e);

/* *ret borrows from o: it is only to be written out. -USAGE, -LIMIT, -MALFORMED. */
int session_describe_run(const struct ambit_run_options *o, struct run *ret, struct err *e);

/* Options of whatever header, into `own`, which is of ours; what lies beyond theirs is zero. least: how much they must be. what: their struct's name. -USAGE. */
int session_options_take(void *own, size_t own_size, size_t least, const void *given, const char *what, struct err *e);

#endif
