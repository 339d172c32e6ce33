/* name - a path as the file systems might read it.
 *
 * Owns:   the folding of names: case, what disappears, what trails.
 * Holds:  a part whose folded form differs from it by more than ASCII case is `odd`: on Linux's usual file systems it is
 *         another name, elsewhere (and on ext4 or f2fs with casefolding) it may be the same.
 * Called: by protected.c; pure, no heap. */
#ifndef JUDGE_NAME_H
#define JUDGE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/change.h"

#define NAME_PART_MAX 255 /* NAME_MAX: a longer one is no file's name */
#define NAME_PARTS_MAX 256

struct name_part {
	uint16_t end; /* offset into the full path just behind this part */
	uint16_t folded_at;
	uint8_t folded_len;
	bool odd;
};

/* The tree's own path and the path in it, part by part. */
struct name {
	char full[2 * CHANGE_PATH_MAX];
	char folded[2 * CHANGE_PATH_MAX];
	size_t tree_len; /* bytes of `full` that are the tree's */
	size_t n, n_tree;
	struct name_part part[NAME_PARTS_MAX];
};

/* False: longer or deeper than anything that can be looked at, or not two paths of the promised form. */
bool name_split(const char *tree, const char *path, struct name *ret);

/* Whether the folded part is of the pattern, which is lower-case; `*` stands for any bytes. */
bool name_part_is(const struct name *name, size_t part, const char *pattern, size_t n);

/* The same of one part that stands alone: its folded form, and how long that is. A name that is no file's folds to nothing. */
size_t name_fold(const char *part, char ret[NAME_PART_MAX + 1]);
bool name_folded_is(const char *folded, size_t folded_len, const char *pattern, size_t n);

#endif
