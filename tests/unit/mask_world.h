/* mask_world - a tree, a store and a mask of it, for tests.
 *
 * Owns:   a temporary directory with `tree` and `store`.
 * Holds:  failures end the test. The process is an ordinary user: world_drop.
 * Called: from tests of stage/mask.h. */
#ifndef TESTS_MASK_WORLD_H
#define TESTS_MASK_WORLD_H

#include <stdbool.h>

#include "stage/mask.h"

struct world {
	char root[64], path[80];                  /* path: of the tree */
	int root_fd, tree_fd, store_fd, cache_fd; /* owned */
	struct mask_ask ask;
};

/* Started by root, the tests go on as nobody: modes do not hold root. */
void world_drop(void);

void world_init(struct world *w);
void world_finish(struct world *w);

/* In the tree, with the directories above. A name that ends with / is a directory. */
void world_add(const struct world *w, const char *path);
void world_add_all(const struct world *w, const char *const *paths, size_t n);
void world_remove(const struct world *w, const char *path);

/* Until nothing that was changed counts as recent. */
void world_settle(void);

void world_make(struct world *w, struct mask *m);
/* All that is hidden, as "a/.env b/id_rsa vol/": what is shown empty ends with a slash. */
const char *world_hidden(const struct mask *m, char *room, size_t size);

/* Fails unless the layer on disk is what the list says, and its directories have modes, owners and times of the real ones. */
void world_check_layer(const struct world *w, const struct mask *m);
/* Fails unless the list holds just what a plain walk of the tree finds. */
void world_check_walk(const struct world *w, const struct mask *m);

#endif
