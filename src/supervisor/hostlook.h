/* hostlook - looks at what stands under a name on the host, and asks nobody for it.
 *
 * Owns:   which directories were seen to be no automounter's.
 * Holds:  the names come from a workload. In an automounter's directory a look at a new name is a request to a program
 *         outside, which may ask the network for it: there only what is mounted already is looked at. Links are never
 *         followed on the way. Of other file systems with a server (NFS, FUSE) the server sees the names.
 * Called: supervisor (classify), after the cell is dead. */
#ifndef SUPERVISOR_HOSTLOOK_H
#define SUPERVISOR_HOSTLOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/effect.h"

struct hostlook {
	char plain[EFFECT_OBJECT_MAX]; /* this directory and all above it may be looked into; "" if none is known */
};

/* Whether path (absolute, normal) leads through no link to where it says, whether something is there or not; a link at its
 * end counts only with follow_last. One call where the others need one for each part: it looks no further than the root's own
 * file system and what the kernel knows of it without asking, since a directory may be an automounter's itself; false means only
 * that it does not know. */
bool hostlook_is_plain(const char *path, bool follow_last);
/* Whether something is there. What cannot be looked at (not allowed, beneath a link, an automounter's) counts as there. */
bool hostlook_is_there(struct hostlook *h, const char *path);
/* Whether the person may do what mode says (of access(2)) with what stands there. True where it cannot be told. */
bool hostlook_may(struct hostlook *h, const char *path, int mode);
/* The text of the link at path, whose directories are no links: its length, or 0 if none can be seen. */
size_t hostlook_link(struct hostlook *h, const char *path, char *ret, size_t size);

#endif
