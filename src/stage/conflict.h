/* conflict - whether what a change takes from the real tree is what the event saw there.
 *
 * Owns:   the rules about times and identities (walk.h lists them), and the baseline while it is used.
 * Holds:  what the event could not see (hidden names, mounts) is found in all of a directory that would go, also where something else
 *         holds the change back already: a conflict may be overruled, those may not.
 * Called: from walk.c and again.c only. */
#ifndef STAGE_CONFLICT_H
#define STAGE_CONFLICT_H

#include "stage/journal.h"
#include "stage/moved.h"
#include "stage/plan.h"
#include "stage/walk.h"

#define CONFLICT_CHANGED "it changed in the real tree since the event saw it"
#define CONFLICT_OTHER "it is not the directory that was there when the event started"
#define CONFLICT_IN_OTHER "its directory is not the one that was there when the event started"
#define CONFLICT_MOUNTED "something is mounted there"

struct conflicts {
	const struct walk_calls *calls;
	struct deed rows; /* owned: the baseline, sorted */
	uint16_t tree;
	int64_t t0_ns;     /* of the tree: when its upper was made */
	uint64_t ended_ns; /* of the event; 0: nobody knows */
	struct late *late; /* owned: read when it is asked for */
};

/* A file system's clock ticks every few milliseconds: what has the very time of `upper` came before the program, which had yet to
 * be started. */
int64_t conflicts_t0(const struct stage_meta *m, const struct look *upper);
int conflicts_load(const struct stage *s, const struct stage_meta *m, struct conflicts *ret, struct err *e);
void conflicts_finish(struct conflicts *c);
/* Whether the directory of the real tree that is at path now may be another one than stood there when the event started. One that was made
 * since, where nothing was, counts as the same: all in it is new. */
bool conflicts_is_other(const struct conflicts *c, const char *path, const struct ident *real);
/* Before another tree. */
void conflicts_next(const struct conflicts *c);
/* Holds x back if it has to be: `name` in dir_fd, which looks like `real`, is replaced or removed (`loses`) or changed. 0 or -errno. */
int conflicts_check(const struct conflicts *c, struct plan_entry *x, int dir_fd, const char *name,
		    const struct look *real, int64_t since_ns, bool loses);

#endif
