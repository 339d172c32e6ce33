/* unseen - what a cell could not see of a tree, kept with its stage until that is settled.
 *
 * Owns:   the files `unseen.N` of a stage, for its tree number N: the list of a mask (mask_list.h), as it was when the event started.
 * Holds:  a list that is damaged or gone hides everything: nothing is committed over what the cell may not have seen.
 * Called: supervisor (writes it), role ambit-stage (reads it). */
#ifndef STAGE_UNSEEN_H
#define STAGE_UNSEEN_H

#include "base/err.h"
#include "stage/mask.h"

int unseen_write(int stage_fd, uint32_t tree, const struct mask *m, struct err *e);

/* The same of a tree that is only read: absolute paths in the file `unseen.read`, each with its NUL, as there are no trees in the description that
 * they could belong to. */
int unseen_add_elsewhere(int stage_fd, const char *tree, const struct mask_list *l, struct err *e);
/* Appends them. -LIMIT: there are more than ret takes. */
int unseen_read_elsewhere(int stage_fd, struct buf *ret);

/* 0 and an empty mask if there is no such file: then all was seen. -MALFORMED, -MEMORY. */
int unseen_read(int stage_fd, uint32_t tree, struct mask *ret, struct err *e);

#endif
