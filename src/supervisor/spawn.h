/* spawn - the first process of a cell: fresh namespaces, then the warden's executable.
 *
 * Owns:   the clone call and what happens between it and exec.
 * Holds:  the process starts in user, mount, pid, ipc and uts namespaces of its own (that of the network it has made while it
 *         builds, cell/net.c), mapped to one id, with the capabilities of those namespaces for building, no descriptor but
 *         its socket, no pending or blocked signal, and a death signal. As root it has become the unprivileged id before
 *         the namespaces exist: nothing in the cell was ever host uid 0.
 * Called: supervisor only. Linux 5.4 (CLONE_PIDFD 5.2, CLONE_INTO_CGROUP 5.7). */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn {
	int warden_exe_fd; /* borrowed: the warden's executable */
	int sock;          /* borrowed: becomes descriptor 3 */
	int cgroup_fd;     /* borrowed: of version 2, to be born in; -1: none */
	uid_t inside_uid;  /* ids that the cell sees */
	gid_t inside_gid;
	uid_t outside_uid; /* 0 is never accepted: as root an allocated id, else the caller's own */
	gid_t outside_gid;
	int beneath_pidfd; /* borrowed: a process in whose user and pid namespace those of the cell are made; -1: in this process's. Only with the caller's own ids, and in no cgroup */
	bool has_more;     /* others are to be made beneath it */
};

/* On success the caller owns *ret_pidfd and the duty to reap; *ret_inside: it was born in the cgroup. */
int spawn_warden(const struct spawn *s, pid_t *ret_pid, int *ret_pidfd, bool *ret_inside, struct err *e);

#endif
