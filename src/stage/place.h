/* place - where on which file system the changes of a tree can lie.
 *
 * Owns:   the choice between the store and a directory of the tree's own file system.
 * Holds:  what lies on the tree's file system is moved by a commit, what lies elsewhere is copied. The place is never inside the
 *         tree, belongs to the caller (or to root, who runs for another), and is nobody else's to
 *         read. Links are followed only in the store's own path, which is the person's word.
 * Called: store. statx's mount ids: Linux 5.8. */
#ifndef STAGE_PLACE_H
#define STAGE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Opens the store, which is made where it is missing, with its parents. Owned, or a negative code. */
int place_open_store(const char *store, int *ret_fd, struct err *e);

/* A directory of the person's own for what need not be found again, where the store cannot be had; its path. -1: there is none. */
int place_open_spare(char *ret_path, size_t size);

/* The number of the mount that shows path, from dir_fd ("": itself); 0: unknown. */
uint64_t place_mount_of(int dir_fd, const char *path);

/* A directory in which `event` has a part for the tree: made, opened, and its path. store_fd and event_fd are those of the
 * store; index is the number of the tree. */
struct place_ask {
	const char *store, *event;
	const char *tree; /* absolute, without links */
	int store_fd, event_fd, tree_fd;
	uint32_t index;
	bool apart; /* not on the tree's own file system, which cannot hold it */
};
int place_make_part(const struct place_ask *ask, char *ret_path, size_t size, int *ret_fd, struct err *e);

/* The directory for what is remembered of a tree (masks): the store, or one of the person's outside of a tree that holds the
 * store. Only store, tree, store_fd and tree_fd are asked for. */
int place_open_cache(const struct place_ask *ask, char *ret_path, size_t size, int *ret_fd, struct err *e);

/* Opens path as a directory, through no link. -1 with errno. */
int place_open(const char *path);

#endif
