/* ask - what the library asks of the role ambit-stage, and what it answers.
 *
 * Owns:   struct stage_ask, struct stage_entry, struct stage_end and their encodings. Changes are core/change.h's.
 * Holds:  decoded is checked, for meaning too: the other side may be another program than ours.
 * Called: lib, role ambit-stage; pure. */
#ifndef STAGE_ASK_H
#define STAGE_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/id.h"
#include "core/outcome.h"
#include "stage/store.h"

#define STAGE_SELECTED_MAX 256

enum stage_op {
	STAGE_OP_SETTLE = 1, /* an event of this library has just ended */
	STAGE_OP_LIST,
	STAGE_OP_CHANGES, /* what a stage holds, as data */
	STAGE_OP_DIFF,    /* the same as text, to the descriptor that travels along */
	STAGE_OP_COMMIT,
	STAGE_OP_DISCARD,
	STAGE_OP_UNDO,
	STAGE_OP_RECOVER,
	STAGE_OP_COUNT,
};

enum stage_flag {
	STAGE_FLAG_COMMIT = 1,   /* SETTLE: the event succeeded; commit */
	STAGE_FLAG_DISCARD = 2,  /* SETTLE: do not keep it */
	STAGE_FLAG_DIGESTS = 4,  /* of new contents */
	STAGE_FLAG_COLOUR = 8,   /* DIFF */
	STAGE_FLAG_STAT = 16,    /* DIFF: a table of names */
	STAGE_FLAG_NAMES = 32,   /* DIFF: names only */
	STAGE_FLAG_ALL = 64,     /* DISCARD: every stage that is not in use */
	STAGE_FLAG_FORCE = 128,  /* DISCARD: also if a commit of it was broken off and cannot be finished */
	STAGE_FLAG_BINARY = 256, /* DIFF: a patch to be applied, with all contents */
	STAGE_FLAG_KEPT = 512,   /* LIST: only what waits to be decided about */
	STAGE_FLAG_USUAL =
		1024, /* COMMIT, DISCARD: not what is held as unusual, or that nobody has judged yet: it runs, or was lost, or nobody heard its end */
	STAGE_FLAG_UNTOUCHED = 2048, /* COMMIT, DISCARD: not what touched a canary and was ended */
};
#define STAGE_FLAGS 4095u

enum stage_conflict { STAGE_CONFLICT_FAIL, STAGE_CONFLICT_THEIRS, STAGE_CONFLICT_OURS, STAGE_CONFLICT_COUNT };

struct stage_ask {
	uint32_t op;    /* enum stage_op */
	uint32_t flags; /* STAGE_FLAG_* */
	uint32_t conflict;
	uint32_t why;         /* SETTLE: enum stage_why of what is kept; 0: as the supervisor saw it end */
	uint32_t wait_ms;     /* for other events that hold the tree */
	uint32_t width;       /* of a terminal, columns; 0: unknown */
	uint64_t keep_ns;     /* how long what is kept, and what can be undone, stays */
	uint64_t space_bytes; /* of all that is kept together; 0: no bound */
	char store[STAGE_PATH_MAX];
	char home[STAGE_PATH_MAX]; /* the person's, where links may lead into a tree; empty: unknown */
	char event
		[STAGE_ID_MAX]; /* an id or the beginning of one; "last"; empty: of none. LIST: a whole id, or of all */
	char here
		[STAGE_PATH_MAX]; /* the current directory, which "last" is about; of LIST one that is asked about; empty: every tree */
	uint32_t n_selected;
	char *selected[STAGE_SELECTED_MAX]; /* owned: absolute paths, or patterns of them; none: all. RECOVER: of
						trees that matter */
	uint32_t n_granted;
	char *granted[STAGE_SELECTED_MAX]; /* owned: absolute paths of protected names that are to be committed too */
};

void stage_ask_finish(struct stage_ask *a);
void stage_ask_encode(struct buf *out, const struct stage_ask *a);
int stage_ask_decode(struct rbuf *in, struct stage_ask *ret, struct err *e);

/* A stage, for a list. */
struct stage_entry {
	char event[STAGE_ID_MAX];
	char command[256];
	char tree[STAGE_PATH_MAX]; /* the first of its trees */
	uint32_t n_trees;
	uint32_t state, why;
	uint32_t commits; /* that can be taken back; of one that is kept: parts of it */
	bool in_use, damaged;
	bool incomplete; /* some of what the event wrote may be missing */
	uint64_t started_ns, ended_ns, keep_until_ns;
	uint64_t bytes; /* on disk */
};

void stage_entry_encode(struct buf *out, const struct stage_entry *s);
void stage_entry_decode(struct rbuf *in, struct stage_entry *ret);

/* "e_... (make, in /home/ann/shop)": an event as a person knows it; escaped, and what is long is cut. */
#define STAGE_LABEL_MAX 224
void stage_label(char ret[STAGE_LABEL_MAX], const char *event, const char *command, const char *tree, uint32_t n_trees);

/* The last word: what became of it. */
struct stage_end {
	char event[STAGE_ID_MAX];
	enum event_workspace workspace;
	uint32_t why;     /* enum stage_why, of what is kept */
	uint64_t changes; /* that there were; COMMITTED: that were committed */
	uint64_t held;    /* of them, held back */
	uint64_t untold;  /* of them, beyond what is listed */
	uint64_t left;    /* COMMIT: that were not, and stay in the stage */
	uint64_t dropped; /* of those left, that gave way to the real tree's (--on-conflict theirs) */
	uint32_t commits; /* of it, that can be taken back */
	bool lost;        /* DISCARD: a part of it was committed, which cannot be taken back any more */
	uint64_t keep_until_ns;
	uint32_t caches;      /* LIST: of how many trees something is remembered (mask.h) */
	uint64_t cache_bytes; /* LIST: of them, on disk */
	char approval
		[ID_TEXT_MAX];     /* with STAGE_WHY_ASKS: the question that waits for a person; "": they are refused */
	uint32_t asked_why;        /* likewise: enum authority_why */
	char busy[STAGE_PATH_MAX]; /* with STAGE_WHY_BUSY: the tree */
	char command[256];         /* of the event, as in an entry */
	char tree[STAGE_PATH_MAX];
	uint32_t n_trees;
};

#define STAGE_END_MAX (2 * STAGE_PATH_MAX + 560)

void stage_end_encode(struct buf *out, const struct stage_end *s);
void stage_end_decode(struct rbuf *in, struct stage_end *ret);

#endif
