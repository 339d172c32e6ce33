/* journal - a list of operations, in memory and on disk: what is being done, what was done, and what the real tree was left with.
 *
 * Owns:   struct deed, its form on disk (little-endian, versioned, with length and checksum).
 * Holds:  a file that is torn is recognised, and is as good as none. A deed says of every object which inode it is, so that
 *         each operation can tell whether it was done already, in both directions: going through `moves` backwards, each turned
 *         round, undoes it.
 * Called: from stage/ only.
 *
 *   <stage>/journal      the deed that is going on; removed when it is finished
 *   <stage>/committed.N  commit number N, from 0, as it was done: what undoing needs
 *   <stage>/baseline     what the engine itself left in the real tree, by which later walks know it (rows only)
 *   <dir>/undo.N/S       object number S of commit N, where `upper` is not the place for it */
#ifndef STAGE_JOURNAL_H
#define STAGE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "stage/store.h"
#include "stage/sys.h"

#define JOURNAL_MAX ((size_t)1 << 30) /* bytes: four million operations */

enum op_kind {
	/* first the stage is made ready */
	OP_STRIP = 1, /* take the overlay's attributes from upper/path; turned round: put `origin` back */
	OP_DROP,      /* remove a whiteout that would go along in a new directory; turned round: nothing */
	OP_COVER,     /* make upper/path a whiteout; turned round: nothing */
	/* then objects move between the real tree and the stage; turned round, IN is OUT */
	OP_IN,   /* a goes in, where nothing was */
	OP_OUT,  /* b goes out */
	OP_SWAP, /* a goes in, b goes out */
	/* and the stage is left fit for another commit */
	OP_STOW,     /* the old object from upper/path to its slot */
	OP_UNOPAQUE, /* upper/path is no longer all there is */
	/* not moves: */
	OP_DIR,   /* mode, times and attributes of a directory: b before, a afterwards */
	OP_ROW,   /* of a baseline: a is at path */
	OP_LEAVE, /* of an undo, a move: the old object from upper/path to its slot, since the real one stays */
};

enum op_flag {
	OP_WHITEOUT = 1, /* upper/path is a whiteout while b is in the real tree */
	OP_SLOT = 2,     /* the stage's side is the slot, not upper/path */
	OP_FAR = 4, /* the slot is in the real tree, for a stage that renaming cannot reach; a copy is in the stage */
	OP_ORIGIN = 8,      /* upper/path had the attribute `origin` */
	OP_WEAK = 16,       /* b is compared without its time of change: other operations touch it too */
	OP_STAGED = 32,     /* OP_DIR: the directory itself goes in; not in the real tree before */
	OP_NO_UPPER = 64,   /* OP_DIR: leave upper/path alone, it is in use */
	OP_XATTR = 128,     /* OP_DIR: the attributes differ; the old ones are on the slot */
	OP_KEEP_TIME = 256, /* OP_DIR: somebody else changed the directory since */
	OP_WHOLE = 512,     /* a is a directory that went in with all in it; `hash` says what that was */
	/* of an undo, where somebody else changed what the commit left: */
	OP_LEFT = 1024,   /* nothing is done: what is there stays */
	OP_FORCED = 2048, /* a is what is there now, ino 0 for nothing */
	/* of a commit: */
	OP_OVERRULED = 4096, /* the event did not see b, and the person said to go on all the same */
};

struct op {
	uint8_t kind; /* enum op_kind */
	uint16_t flags;
	uint16_t tree;
	uint32_t batch, slot;
	struct ident a, b; /* of the stage's side and of the real side, before; of what was done, where they are now */
	uint64_t hash;
	const char *path; /* the deed's, or whoever built it */
};

enum deed_way { DEED_COMMIT = 1, DEED_UNDO };

struct op_list {
	struct op *ops; /* owned */
	size_t n, room;
};

struct deed {
	uint8_t way;    /* enum deed_way */
	uint8_t left;   /* changes stay in the stage: it can be committed again */
	bool turned;    /* it could not be carried out, and is being turned back: so it goes on, whoever finds it */
	uint32_t batch; /* of a commit: its number; of an undo: how many commits it takes back */
	char event[STAGE_ID_MAX];
	struct op_list dirs;  /* by path; opened before the moves, closed from the last to the first */
	struct op_list moves; /* in order */
	uint8_t *bytes;       /* owned, NULL if built here: the file, in which the paths are */
};

/* All of it but nlink, in IDENT_BYTES. */
#define IDENT_BYTES 52
void ident_put(struct buf *out, const struct ident *i);
void ident_get(struct rbuf *in, struct ident *ret);

void deed_finish(struct deed *d);
/* NULL: no memory. */
struct op *op_add(struct op_list *l, const struct op *op);

/* Writes the file anew, and not over another one; `sync` makes it and its name durable. */
int deed_write(int dir_fd, const char *name, const struct deed *d, bool sync, struct err *e);
/* The same in two steps, where other things must be durable before it counts: first all but its magic, without which it is as good
 * as none; then that, durably. synced: all of its file system was synced between the two. */
int deed_prepare(int dir_fd, const char *name, const struct deed *d, struct err *e);
int deed_seal(int dir_fd, const char *name, bool synced, struct err *e);
/* Says, durably, that it is being turned back. 0 or -errno. */
int deed_turn(int dir_fd, const char *name);
/* The same, in place of what had the name. */
int deed_replace(int dir_fd, const char *name, const struct deed *d, bool sync, struct err *e);
/* 1 with a deed, 0 if there is none or it is torn. -HOST: it is whole, but of another version. */
int deed_read(int dir_fd, const char *name, struct deed *ret, struct err *e);

/* How many commits there are; the next one has this number. */
uint32_t deed_count(int dir_fd);
void deed_name(uint32_t batch, char room[24]); /* "committed.N" */
/* Says of the last of them that it left nothing in the stage. 0 also if there is none. */
int deed_close(int dir_fd, struct err *e);
/* Whether the last of them left nothing in the stage. */
bool deed_is_last(int dir_fd);

#endif
