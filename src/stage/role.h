/* role - what the role ambit-stage is doing: one question, one stage, one answer.
 *
 * Owns:   struct role.
 * Called: the files of the role: main.c, account.c, answer.c, diff.c, find.c, paths.c, settle.c, show.c, turn.c. */
#ifndef STAGE_ROLE_H
#define STAGE_ROLE_H

#include "core/change.h"
#include "stage/ask.h"
#include "stage/mask.h"
#include "stage/shelf.h"
#include "stage/walk.h"

struct role {
	int lib;       /* owned: who asks; may be gone, which stops nothing */
	int output_fd; /* owned: for text, -1 if none */
	struct stage_ask ask;
	struct shelf shelf;
	bool taken; /* stage and meta are those of one */
	bool in_use;
	enum shelf_state state; /* DISCARD: what is there of it */
	struct stage stage;
	struct stage_meta *meta; /* owned */
	struct trees trees;      /* owned, while has_trees */
	bool has_trees;
	struct judging *judging;             /* owned */
	struct walk_calls calls;             /* of this stage */
	struct plan plan;                    /* owned: what was found */
	struct mask unseen[STAGE_TREES_MAX]; /* owned: what the event could not see of each tree */
	struct change **changes;             /* owned, each too: as found, in order */
	size_t n_changes;
	struct walk_counts counts;
	struct stage_end end;
	struct talk *talk;         /* owned: to the ledger in which the event is recorded; NULL: none (account.h) */
	bool approved;             /* a person said yes to what is asked for */
	uint64_t taken_off;        /* labels that a grant declassify took off what is committed */
	const char *told;          /* what the ledger was told that is about to be done */
	char boot[STAGE_BOOT_MAX]; /* durable_boot(), read before the rest of the files is shut out */
};

/* answer.c */
void answer_tree(struct role *role, const char *path);
void answer_changes(struct role *role); /* with their trees before them */
void answer_entry(struct role *role, const char *event, const struct stage_meta *meta, bool in_use); /* NULL: damaged */
void answer_progress(struct role *role, uint64_t done, uint64_t total);
void answer_whose(struct role *role); /* fills role->end in with the event that is taken */
/* For which event it waits, "" if that is not known; over: it does no longer. */
void answer_waiting(struct role *role, const char *event, bool over);
void answer_end(struct role *role);
void answer_failed(struct role *role, const struct err *e);

/* turn.c: the locks of what changes trees. */
#define TURN_LOOK_MS 10 /* between two looks at what is in somebody's hands */
/* All locks, or none. -EWOULDBLOCK: others had them for wait_ms; end.busy names the tree, "" if it was another commit. -ECANCELED: who asked let go. */
int turn_take(struct role *role, uint32_t wait_ms);
void turn_end(struct role *role);
bool turn_is_stopped(void *role);

/* settle.c: what becomes of a stage. Each fills role->end. */
int settle(struct role *role, struct err *e);
int commit(struct role *role, struct err *e);
/* What is kept for too long, or is too much, goes. No stage is taken any more. */
void age(struct role *role);
int discard(struct role *role, struct err *e);
int undo(struct role *role, struct err *e);
int recover_all(struct role *role, struct err *e);
/* Whatever becomes of the stage that is taken, what its event wrote is on disk after this if it can be. */
void secure(struct role *role);
/* Until when it is kept is not known of one that nobody settled: how it ended, and with which labels, its supervisor did not say, or who heard it has gone. */
bool is_settled(const struct role *role);
/* Finishes what was broken off in the stage that is taken. */
int recover_taken(struct role *role, struct err *e);
/* Whether there is something to finish in it; and a refusal to do without. */
bool is_broken_off(const struct role *role);
int refuse_broken_off(const struct role *role, struct err *e);
/* In a stage whose commit was broken off lies what the tree had before: it goes only where that is finished, or the person says so. */
int ready_to_remove(struct role *role, struct err *e);

/* paths.c: of what was found, and what a person named. Paths of --write and of what is to be shown: -NOT_FOUND with the one that names no
 * change; what is to be shown may also be there without one. */
int check_granted(const struct role *role, struct err *e);
int check_shown(const struct role *role, struct err *e);
int no_such_change(const struct role *role, const char *word, struct err *e);

/* show.c */
int list_stages(struct role *role, struct err *e);
int show_changes(struct role *role, struct err *e);
int show_diff(struct role *role, struct err *e);

/* diff.c: what was found as text, in the form that the question wants; goes: of each change, whether it is wanted. */
#define DIFF_OUTPUT_MAX (UINT64_C(32) << 20) /* as much as anybody reads, and more */
#define DIFF_TEXT_MAX (DIFF_OUTPUT_MAX + (16u << 20))
int diff_text(struct role *role, const bool *goes, struct buf *out, struct err *e);

/* find.c: finds the changes of the stage that is taken, and says of each whether it is held. */
int find_changes(struct role *role, struct err *e);
void forget_changes(struct role *role);

#endif
