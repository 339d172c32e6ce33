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
#include "supervisor/sibling.h"

struct identity {
	uid_t inside_uid, outside_uid;
	gid_t inside_gid, outside_gid;
	bool mapped; /* granted trees need an idmapped mount */
};

int identity_choose(struct identity *ret, struct err *e);

/* The caller's ids in place of own ones. -PROTOCOL: nobody has such. */
int identity_share(struct identity *id, const struct sibling_trees *given, struct err *e);
/* Those of spec that lie in a stage are marked. */
void identity_mark_given(const struct sibling_trees *given, const struct grant_set *grants, struct cell_spec *spec);
/* As identity_send_trees, and closes them. -NOT_FOUND: a path of spec is none of them; the warden never opens one by itself. */
int identity_send_given(struct sibling_trees *given, const struct grant_set *grants, const struct cell_spec *spec,
			int cell_sock, struct err *e);

/* Sends the trees that the warden cannot open by itself; nothing for an ordinary caller. */
int identity_send_trees(const struct identity *id, const struct cell_spec *spec, int cell_sock, struct err *e);

#endif
