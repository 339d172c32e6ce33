/* before - whether a directory of a real tree is the one that stood there when the event started.
 *
 * Owns:   the files `before.N` of a stage, for its tree number N: what there was (scan_file.h) before the cell ran. Mostly another
 *         name of the cache's index, which is only ever replaced.
 * Holds:  a directory that took another's name is told by its number: its times say no more than that some name in it came or
 *         went. Without the file, or with a damaged one, nothing that changed since is known.
 * Called: supervisor (mask.c writes it), the walks of stage/ (they ask). */
#ifndef STAGE_BEFORE_H
#define STAGE_BEFORE_H

#include <stdbool.h>
#include <stdint.h>

#include "stage/scan.h"

#define BEFORE_NAME_MAX 24

void before_name(uint32_t tree, char ret[BEFORE_NAME_MAX]);

struct before {
	struct scan scan; /* of one tree */
	bool loaded;
};

/* The directory of this path as it was; NULL: it was not, or nobody knows. Reads the file when it is first asked. */
const struct scan_dir *before_find(struct before *b, int stage_fd, uint32_t tree, const char *path);
/* Also between two trees. */
void before_finish(struct before *b);

#endif
