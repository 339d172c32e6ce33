/* walk - what lies in a tree, in order.
 *
 * Owns:   the way through it: a directory before what is in it, names bytewise.
 * Holds:  no symbolic link is followed but in the path that was given; what is in a directory called .git is left out, unless the walk begins there. Memory is
 *         bounded: WALK_ROOM for names, and a descriptor for each level. A tree that others change meanwhile gives what was there when it was looked at.
 * Called: list, search. */
#ifndef FILES_WALK_H
#define FILES_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"

#define WALK_ROOM ((size_t)16 << 20) /* half of what is left of it is for the names of the next directory */
#define WALK_DEPTH_MAX 64            /* deeper than any tree that somebody works in */

struct walk_entry {
	int dir_fd;
	const char *name;     /* in that directory */
	const char *path;     /* such that it can be asked for */
	const char *relative; /* to where the walk began */
	const struct stat *st;
};

/* False: that is enough. */
typedef bool walk_fn(void *user, const struct walk_entry *entry);

struct walk {
	walk_fn *fn;
	void *user;
	unsigned depth;
	uint64_t unread; /* directories, and entries, that could not be looked at */
	uint64_t deeper; /* directories that lie too deep */
	struct buf path; /* of what is being looked at */
	size_t prefix;   /* bytes of it that are where the walk began */
	size_t held;     /* bytes of names */
};

/* Takes dir_fd, the directory that path names, and calls w->fn for each entry; w is cleared but for fn, user and depth. 0 or -ENOMEM. */
int walk_take(struct walk *w, int dir_fd, const char *path);

#endif
