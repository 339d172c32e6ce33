/* work - one change of a configuration, while it is made.
 *
 * Owns:   the edits.
 * Called: change, shell. */
#ifndef SETUP_WORK_H
#define SETUP_WORK_H

#include "setup/edit.h"

struct work {
	const struct setup_ask *ask;
	const struct tree *tree;
	struct edits edits;
	struct setup_told *told;
	struct err *e;
};

/* -MALFORMED, with the place. at: NULL: the beginning. */
int work_refuse(struct work *w, const struct node *at, const char *hint, const char *what);
/* Of JSON, or in braces of TOML: a value at the end of that path; what is missing on the way is made. */
int work_put_at(struct work *w, const struct node *box, const char *const *path, pen_fn *value, const void *of);
/* A table of its own at the end of a file of TOML. */
void work_append_lines(struct work *w, const struct buf *lines);

int shell_hook(struct work *w);
void shell_sandbox(struct work *w);

#endif
