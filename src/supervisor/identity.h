/* identity - who a cell is on the host.
 *
 * Owns:   the choice of ids, and as root the trees that make granted files the cell's own by an idmapped mount.
 * Holds:  an ordinary caller's cells are the caller; root's cells are an unprivileged id that nothing else on the host has
 *         while the supervisor lives, and see granted trees as if their owner's files were theirs. Never host uid 0.
 * Called: supervisor. Idmapped mounts: Linux 5.12. */
#ifndef SUPERVISOR_IDENTITY_H
#define SUPERVISOR_IDENTITY_H

#include <sys/types.h>

#include "cell/spec.h"

struct identity {
	uid_t inside_uid, outside_uid;
	gid_t inside_gid, outside_gid;
	bool mapped; /* granted trees need an idmapped mount */
};

int identity_choose(struct identity *ret, struct err *e);

/* Sends the trees that the warden cannot open by itself; nothing for an ordinary caller. */
int identity_send_trees(const struct identity *id, const struct cell_spec *spec, int cell_sock, struct err *e);

#endif
