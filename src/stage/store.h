/* store - where staged changes lie while an event runs and afterwards, until they are committed, discarded or too old.
 *
 * Owns:   the layout on disk, and what is remembered of a stage (struct stage_meta).
 * Holds:  everything lies in directories of the person's own with mode 0700, reached by descriptor and through no link; no cell
 *         can write there but through an overlay's upper layer. A stage whose lock is held is in use: the supervisor
 *         holds it while the event lives, who commits or removes holds it meanwhile. `meta` is replaced by renaming.
 * Called: supervisor (makes stages, removes empty ones), role ambit-stage (everything else).
 *
 *   <store>/e_.../meta       what the stage is; written before the cell starts and again when its state changes
 *   <store>/e_.../lock       flock
 *   <store>/e_.../0/upper    what the event changed of tree 0 (an overlay's upper layer; once committed: what was there before)
 *   <store>/e_.../0/work     the overlay's own
 *   <store>/e_.../journal    while a commit or an undo is going on (journal.h)
 *   <store>/.tree-DEV-INO    flock: shared by the events that see the tree, exclusive for a commit to it; nobody's is swept (tidy.h)
 *   <store>/.direct-e_...    flock: which trees a living event writes in place (claim.h)
 *   <store>/.mask-DEV-INO    what is remembered of a tree (mask.h)
 *   <store>/.moved           what commits and undos moved (moved.h)
 *
 * The store is $XDG_STATE_HOME/ambit/stages, or ~/.local/state/ambit/stages where there is a home. A tree on another file system has its part
 * (`0`) where renaming can reach it: in .ambit-UID beside the root of its mount, if an overlay can write there; `dir` of the meta
 * says where. */
#ifndef STAGE_STORE_H
#define STAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/flow.h"
#include "core/id.h"

#define STORE_LOCK_PREFIX ".tree-"
#define STORE_BESIDE "/.ambit-%u" /* with the user id: in a directory of the tree's own file system */
#define COMMIT_PATIENCE_MS 30000 /* an event waits so long for a commit to its tree, which takes as long as its files */
#define COMMIT_LOOK_MS 5
#define STAGE_TREES_MAX 64
#define STAGE_NAMES_MAX 256 /* protected names that were granted by name, files that were granted alone */
#define STAGE_PATH_MAX 4096 /* with its NUL */
#define STAGE_ID_MAX 32     /* of the event; as ID_TEXT_MAX */
#define STAGE_BOOT_MAX 40   /* a UUID */
#define STAGE_AGENT_MAX 64  /* with its NUL */
#define STAGE_META_MAX (4u << 20)

enum stage_state {
	STAGE_RUNNING = 1, /* the event lives, or was lost with its supervisor: the lock tells */
	STAGE_KEPT,        /* the event is over; its changes wait */
	STAGE_COMMITTED,   /* upper holds what was there before: it can be undone */
};

enum stage_why { /* of STAGE_KEPT */
		 STAGE_WHY_NONE,
		 STAGE_WHY_ASKED,  /* --stage */
		 STAGE_WHY_FAILED, /* the command did not succeed */
		 STAGE_WHY_LIMIT,
		 STAGE_WHY_KILLED,
		 STAGE_WHY_LOST,    /* the supervisor was */
		 STAGE_WHY_HELD,    /* a protected name, a conflict, something refused */
		 STAGE_WHY_BUSY,    /* other events held the tree for too long */
		 STAGE_WHY_UNDONE,  /* it was committed, and taken back */
		 STAGE_WHY_DENIED,  /* --strict, and something was denied */
		 STAGE_WHY_REFUSED, /* it could not be committed: who asked heard why */
		 STAGE_WHY_ASKS,    /* the policy wants a person to say yes to it */
		 STAGE_WHY_FROZEN,  /* nothing is committed while it is */
		 STAGE_WHY_UNUSUAL, /* it was not like what is usual (doc/PROFILES.md) */
		 STAGE_WHY_CANARY,  /* a decoy was touched (likewise) */
		 STAGE_WHY_LAST = STAGE_WHY_CANARY,
};

enum stage_disk { /* of what the event wrote (durable.h) */
		  STAGE_DISK_NOT_YET,
		  STAGE_DISK_ALL,
		  STAGE_DISK_FAILED,
		  STAGE_DISK_GOING, /* it is being removed, and may be a rest */
		  STAGE_DISK_LAST = STAGE_DISK_GOING,
};

/* What of a description that replaces another is on disk when that is done. */
enum stage_write {
	STAGE_WRITE_CACHED, /* nothing: after a crash there may be either, or a torn one */
	STAGE_WRITE_WHOLE,  /* its bytes: after a crash there is either */
	STAGE_WRITE_NOW,    /* and its name: after a crash there is this one */
};

struct stage_tree {
	char real[STAGE_PATH_MAX]; /* the tree, absolute and through no link; a directory */
	char dir[STAGE_PATH_MAX];  /* holds `upper` and `work`; absolute */
	uint64_t dev, ino;         /* of the tree when the event started */
	uint64_t part_ino;         /* of dir: another one of the name is somebody else's */
	bool whole;                /* else only the names below are the cell's (files granted alone) */
};

/* Whether what is done to a name waits for a yes. ONLY: it is no grant, but a link that leads to one, or the place of what is missing. */
enum stage_asks { STAGE_ASKS_NOT, STAGE_ASKS, STAGE_ASKS_ONLY, STAGE_ASKS_COUNT };

#define STAGE_DECLASSIFY_MAX 8

struct stage_meta {
	char event[STAGE_ID_MAX];
	uint32_t state;                 /* enum stage_state */
	uint32_t why;                   /* enum stage_why */
	uint64_t started_ns, ended_ns;  /* CLOCK_REALTIME; ended_ns 0 while it runs */
	uint64_t keep_until_ns;         /* when it may be removed; 0: not yet known */
	uint32_t commits;               /* that can be taken back */
	uint32_t undone;                /* how often it was taken back */
	uint64_t bytes;                 /* of the files that it holds, once it is settled */
	char boot[STAGE_BOOT_MAX];      /* since when the machine ran when the event started; "": unknown */
	uint32_t disk;                  /* enum stage_disk */
	char command[256];              /* what ran, for lists; cut */
	char agent[STAGE_AGENT_MAX];    /* who asked for it; "": nobody said */
	char workspace[STAGE_PATH_MAX]; /* where; "": an older program wrote this */
	char ledger[STAGE_PATH_MAX];    /* where the event is recorded; "": nowhere */
	char session[ID_TEXT_MAX];      /* the event's; "": unknown */
	char stream[ID_TEXT_MAX];       /* as the event's request has it */
	uint64_t labels;                /* what it holds has these: while the event runs, all that it may get */
	uint32_t n_declassify;          /* grants by which some of them may be taken off when it is committed */
	struct {
		char label[FLOW_LABEL_MAX];
		uint32_t uses; /* 0: no bound */
		uint8_t asks;
	} declassify[STAGE_DECLASSIFY_MAX];
	uint32_t n_trees;
	struct stage_tree trees[STAGE_TREES_MAX];
	uint32_t
		n_names; /* absolute paths that were granted for writing by name: protection leaves them alone; and those that are only asked for */
	char names[STAGE_NAMES_MAX][STAGE_PATH_MAX];
	uint8_t asks[STAGE_NAMES_MAX]; /* enum stage_asks, of each */
};

/* While it is locked: it was made for an event that is to come, and runs nothing yet. */
bool stage_waits(const struct stage_meta *m);

void stage_meta_encode(struct buf *out, const struct stage_meta *m);
int stage_meta_decode(struct rbuf *in, struct stage_meta *ret, struct err *e);

/* One stage, opened and locked. */
struct stage {
	int dir_fd;                     /* owned: <store>/e_... */
	int lock_fd;                    /* owned, locked exclusively */
	int part_fd[STAGE_TREES_MAX];   /* owned: `dir` of each tree */
	int tree_lock[STAGE_TREES_MAX]; /* owned, -1 if not held: the lock of each tree */
};

void stage_init(struct stage *s);   /* all -1 */
void stage_finish(struct stage *s); /* closes, and with that unlocks */

/* The lock of a tree, LOCK_SH or LOCK_EX of flock(2), not waiting: 0, or -errno (EWOULDBLOCK: others hold it). Whoever lets go
 * last takes the file away. */
void stage_tree_lock_name(const struct stage_tree *t, char ret[64]);
int stage_tree_lock(int store_fd, const struct stage_tree *t, int operation, int *ret_fd);
/* LOCK_SH; waits for a commit that is under way, COMMIT_PATIENCE_MS at most. */
int stage_tree_share(int store_fd, const struct stage_tree *t, int *ret_fd, struct err *e);
void stage_tree_unlock(int store_fd, const struct stage_tree *t, int *lock_fd);

/* Makes the directories of m->event with those of its trees (real and whole are given; dir, dev and ino are filled in), takes
 * the stage's lock and those of its trees, shared, and writes meta. Nothing stays behind on failure.
 * -NOT_FOUND: a tree is not there. -HOST: its file system cannot hold a stage (no overlay can write to it), or there is no place outside
 * the tree; the message says which. */
int stage_create(const char *store, struct stage_meta *m, struct stage *ret, struct err *e);
/* Replaces meta, by renaming. */
int stage_write_meta(const struct stage *s, const struct stage_meta *m, enum stage_write how, struct err *e);
/* Whether nothing of any tree was changed: cheap, for the common case. May say no where walking would find nothing. */
bool stage_is_untouched(const struct stage *s, const struct stage_meta *m);
/* Removes a stage of which nothing was changed, and its lock with it. */
int stage_remove_untouched(const char *store, struct stage *s, const struct stage_meta *m);
/* The same of what was made for an event that never came (stage_waits), whatever lies in it: nobody asked for that. */
int stage_remove_waiting(const char *store, struct stage *s, const struct stage_meta *m);
/* Takes away what was made for an event that never came, and whose supervisor is gone. false: it is none of these, or cannot be. */
bool stage_sweep_waiting(const char *store, int store_fd, const char *event);

#endif
