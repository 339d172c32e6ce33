/* nearby - a directory that is kept open from one name to the next, since many lie in one.
 *
 * Owns:   its descriptor, O_PATH.
 * Holds:  it is the directory that had the path when it was opened. Where somebody else may move it meanwhile, that is good for
 *         looking only.
 * Called: from stage/ only. */
#ifndef STAGE_NEARBY_H
#define STAGE_NEARBY_H

#include "core/change.h"

struct nearby {
	int fd; /* owned, -1 if none */
	int root;
	char path[CHANGE_PATH_MAX];
};

#define NEARBY_NONE                                                                                                    \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}
void nearby_finish(struct nearby *n);
#define auto_nearby __attribute__((cleanup(nearby_finish))) struct nearby

/* The directory of the path beneath root, or -errno. It is n's. */
int nearby_open(struct nearby *n, int root, const char *path);
/* The one that holds the path, and where the last part of the path begins. */
int nearby_parent(struct nearby *n, int root, const char *path, const char **ret_name);

#endif
