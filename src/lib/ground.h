/* ground - what a process gives to those that it starts, without being asked.
 *
 * Owns:   the bytes that tell it: identity and capabilities, limits, priorities and processors, control groups, namespaces and the root directory, labels, keyrings, what prctl(2) and
 *         personality(2) set, and which files our own roles are. Where two processes have the same bytes, and each may look at the other, what they start is the same.
 * Holds:  what cannot be compared has no bytes: of a process that is traced, or has a filter of system calls, there are none. A Landlock domain shows nowhere: that two
 *         processes have the same one shows by each being allowed to look at the other (ptrace(2)'s rule, which the kernel has for domains, too).
 *         Not told, since a role gets its own: the process group, session and terminal, the directory, signals, the environment, descriptors (helper.c). What a process of the kernel's
 *         has beside (counters of perf(1) that follow children) nobody can see.
 * Called: lib/pool.c, the role ambit-pool. */
#ifndef LIB_GROUND_H
#define LIB_GROUND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define GROUND_MAX 16384

/* How many files it may have open: the one thing that our daemon changes for itself, and so that of who asks is applied. */
uint64_t ground_files(void);
/* Of this process, as if it could have so many files open. false: it has none, or they do not fit. */
bool ground_put(struct buf *out, uint64_t files);
/* Whether who is at the other end of a connection (of one that listens: who began to) is as this process by all that the kernel tells of another, which is not what it says of itself: identity, filter, groups,
 * labels, namespaces, root; and this process may look at it. If both find so, they are in the same domain. */
bool ground_is_peers(int sock);

#endif
