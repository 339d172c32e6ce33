/* serve - whose cells are watched: one connection for each.
 *
 * Owns:   the connections of supervisors, and what each has watched.
 * Holds:  who connects is of the same user (SO_PEERCRED). A cell is named by a descriptor of its pid namespace, which only who may look into it can open; it is not this process's own, and, unless this is root, its
 *         user namespace is the caller's. What is watched ends with the connection, or with the next that is watched by it. It reads messages without a body, and nothing that a cell wrote.
 * Called: the role ambit-ebpf. */
#ifndef EBPF_SERVE_H
#define EBPF_SERVE_H

#include <sys/types.h>

#include "ebpf/programs.h"

/* This process, as it was before it lost the means to ask. */
struct serve_self {
	uint64_t pid_ns;
	uid_t uid;
};

/* Until nobody has been there for a while. -SYSTEM. */
int serve_run(int listen_fd, struct programs *p, const struct serve_self *self, struct err *e);

#endif
