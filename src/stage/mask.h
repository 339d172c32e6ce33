/* mask - hides names of a granted tree from a cell: the layer that lies over the real tree, and what it hides.
 *
 * Owns:   the layout of a cache directory (below), and struct mask.
 * Holds:  a mask is never changed once it is whole: events that see the same are given the same one, others another. While
 *         any copy of lock_fd is open it stays. What is hidden gives ENOENT in the cell, whatever the cell does; the real
 *         tree is only read. Names that are made outside after this call are not hidden, nor are other names (hard links,
 *         objects of git) of the same bytes.
 * Called: supervisor, before the cell starts, as the person; role ambit-stage to sweep. Takes a scan of the tree: 40 us for each
 *         directory the first time, 2 us later.
 *
 *   <cache>/tree       the path of the tree; a cache of which the path leads to another tree, or to none, is a leftover
 *   <cache>/index      what the last scan found (scan_file.h); only on file systems whose ctime the kernel keeps
 *   <cache>/home       the same of a person's home, as far as programs obey what lies there
 *   <cache>/lock       flock, exclusive while anything here is made or removed
 *   <cache>/m7/        a mask; flock, shared, by each event that uses it
 *   <cache>/m7/list    what it was made of (mask_list.h), and in which boot; written last: a mask without it is none
 *   <cache>/m7/tree/   the layer */
#ifndef STAGE_MASK_H
#define STAGE_MASK_H

#include "stage/mask_list.h"

#define MASK_HOME_DIRECTORIES 2048u /* that programs obey, and that are looked at in a home: those at its top first */
#define MASK_SPARE 4                /* masks that nobody uses and that stay: grants take turns */

struct mask_ask {
	int tree_fd; /* the tree, a directory; O_PATH will do */
	const char
		*path; /* its path, absolute and normal: rows of hidden.def may ask for the name of what holds a name */
	int cache_fd;  /* of this tree alone: mask_cache_open; for mask_scan -1 will do */
	int store_fd;  /* holds the caches and stages: shown empty if it lies in the tree; -1 if there is none */
	bool is_home;  /* mask_scan: as scan_ask.is_home */
	/* What a grant names: shown with all beneath. If the tree's own name is one that is hidden, it was named. */
	struct exempt exempt;
	struct scan_limits limits; /* zeroes: SCAN_*_MAX */
	bool apart;                /* mask_make: a layer also where nothing is hidden but a pipe (FIFO) is shown */
	bool list_only;    /* no layer is made, nor a lock held: the caller hides what is listed by other means */
	struct scan *scan; /* takes what was found, for the caller to finish; NULL: nobody asks. Empty on failure */
	/* mask_make: what was found, as a file of this name too, for who asks later what there was; NULL: nobody will. */
	int keep_fd;
	const char *keep;
};

struct mask {
	char dir[24];          /* the layer, relative to the cache: "m7/tree"; empty if nothing is hidden */
	int lock_fd;           /* owned; -1 if nothing is hidden. To be open as long as a cell uses the layer */
	struct mask_list list; /* what is hidden, sorted by path */
	char name[256];        /* of the tree */
	uint32_t n_directories, n_listed; /* of the tree, and how many of them were read this time */
	bool is_new;                      /* no mask there was could be used */
};

#define MASK_CACHE_PREFIX ".mask-"
#define MASK_CACHE_NAME MASK_CACHE_PREFIX "%llx-%llx" /* device and inode of the tree */

/* Opens the cache of a tree, beneath a directory of the person's own, and makes it if it is missing. path is the tree's, for the
 * record. While any copy of *ret_fd is open the cache stays. */
int mask_cache_open(int store_fd, int tree_fd, const char *path, int *ret_fd, struct err *e);

/* Removes what is called so in the store, if it is a cache that is in nobody's use and whose tree is gone. Whether it is gone. */
bool mask_cache_sweep(int store_fd, const char *name);

void mask_init(struct mask *m);
void mask_finish(struct mask *m);

/* -LIMIT: the tree is too large to look through. -SYSTEM: it cannot be read. -HOST: the cache's file system cannot hold a mask.
 * Never goes on with less than everything hidden that has to be. */
int mask_make(const struct mask_ask *ask, struct mask *ret, struct err *e);

/* What there is in the tree as it is now, for whoever asks for its links: from the cache's index as far as that holds, which is written
 * again. ret is initialised by the call. -LIMIT, -SYSTEM. */
int mask_scan(const struct mask_ask *ask, struct scan *ret, struct err *e);

/* Whether the cell cannot see what is at this path of the tree: it was hidden, or something above it was. A commit must not put
 * anything there. */
bool mask_hides(const struct mask *m, const char *path);
/* Whether the directory is hidden or holds something that is: a commit must not remove or move it. */
bool mask_hides_beneath(const struct mask *m, const char *directory);
/* Why, for the person; NULL for a directory that is only on the way. */
const char *mask_why(const struct mask *m, struct mask_entry entry);

/* Removes the masks that nobody uses; the index stays. */
int mask_sweep(int cache_fd, struct err *e);

#endif
