/* role - starting one of our roles, with a connection to it.
 *
 * Owns:   the cell of a role that others' bytes reach: an empty root, no network, one task.
 * Holds:  the role has the other end of the connection, and nothing else: as descriptor 0 in a cell, as 3 on the host.
 * Called: lib, serve. */
#ifndef LIB_ROLE_H
#define LIB_ROLE_H

#include <stdint.h>

#include "ambit/ambit.h"
#include "base/err.h"

struct role_bounds {
	uint64_t files, memory_bytes;
};

/* name: the executable; the word behind its last `-` is what its user is called. The caller owns both. What an ordinary cell needs, and no less: else
 * -HOST, with what is missing. */
int role_start_in_cell(const char *name, const struct role_bounds *bounds, struct ambit_event **ret, int *ret_fd,
		       struct err *e);
/* With that environment. The caller owns both. */
int role_start_on_host(const char *name, char *const *envp, int *ret_pidfd, int *ret_fd, struct err *e);

/* Both ends of a connection for our messages; the caller owns them. -SYSTEM. */
int role_pair(int *ret_ours, int *ret_theirs, struct err *e);

#endif
