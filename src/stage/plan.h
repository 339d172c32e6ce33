/* plan - everything in which a stage differs from the real trees, as found, and which of it is to be committed.
 *
 * Owns:   its entries with their paths, in one pool.
 * Holds:  entries are sorted by tree and path, a directory before what is in it, and each entry knows its directory's. There is one
 *         for every directory of `upper` and for every change, listed or not; nothing is left out, however long the list.
 * Called: from stage/ only. */
#ifndef STAGE_PLAN_H
#define STAGE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/change.h"
#include "stage/sys.h"

#define PLAN_NONE UINT32_MAX /* no entry */

enum plan_act {
	ACT_NONE, /* a directory that stays */
	ACT_IN,   /* new */
	ACT_OUT,  /* deleted */
	ACT_SWAP, /* replaced */
	ACT_DROP, /* a whiteout in a new directory, which means nothing */
};

enum plan_flag {
	PLAN_WHITEOUT = 1, /* ACT_OUT by a whiteout, and not for being left out of an opaque directory */
	PLAN_STRIP = 2,    /* has attributes of the overlay */
	PLAN_ORIGIN = 4,
	PLAN_OPAQUE = 8,
	PLAN_XATTR = 16, /* a directory that stays, with other attributes */
	PLAN_QUIET = 32, /* not changed, but has the same inode as one that is */
};

struct plan_entry {
	const char *path;     /* in the pool */
	uint8_t act;          /* enum plan_act */
	uint8_t kind;         /* enum change_kind, or 0: not listed */
	uint8_t type;         /* enum change_type */
	uint8_t held, judged; /* enum change_held: what the engine says, and what judge_name said */
	uint8_t later, judge;
	uint16_t tree;
	uint16_t flags;
	bool chosen;              /* is to be committed */
	uint32_t parent;          /* the entry of its directory; PLAN_NONE for the tree itself */
	uint32_t pair;            /* of a renamed file: its old name's entry, and the other way round */
	uint32_t link;            /* the first name of the same file */
	struct ident old, new;    /* in the real tree and in upper; ino 0: nothing there */
	const char *reason;       /* of held; constant, below CHANGE_REASON_MAX */
	const char *judge_reason; /* in the pool, or NULL */
};

struct plan {
	struct plan_entry *entries; /* owned */
	size_t n, room;
	struct pool_block *pool; /* owned */
};

void plan_finish(struct plan *p);
struct plan_entry *plan_add(struct plan *p); /* zeroed but for its indexes; NULL: no memory */
char *plan_keep(struct plan *p, const char *text);
/* "dir/name", or just name; NULL: no memory. The caller knows that it is not too long. */
char *plan_join(struct plan *p, const char *dir, const char *name);

/* When everything was added: sorts, finds directories' entries, links, and renamed files. 0 or -ENOMEM. */
int plan_settle(struct plan *p);

/* Holds it back, unless it is already for that or for a graver cause: refused before hidden before in conflict. The reason is constant. */
void plan_hold(struct plan_entry *x, enum change_held held, const char *reason);
/* Whether x is somewhere in the directory. What is follows it without a gap. */
bool plan_is_beneath(const struct plan_entry *dir, const struct plan_entry *x);
/* What holds it back in the end, its pair's reasons included. */
uint8_t plan_held(const struct plan *p, const struct plan_entry *x);
/* The change it is listed as, with the plan's own texts; kind is not 0. */
void plan_change(const struct plan *p, const struct plan_entry *x, struct change *ret);

#endif
