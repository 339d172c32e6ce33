/* stage - asking the role ambit-stage, which holds, commits and shows what events changed.
 *
 * Owns:   struct stage_talk: one question and its answer as it arrives.
 * Holds:  the role is a helper as any other: nobody's child, held by a pidfd. A commit that has begun goes on to its end though
 *         the asker is gone.
 * Called: lib (an event's end), cli. */
#ifndef LIB_STAGE_H
#define LIB_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "core/grant.h"
#include "lib/stage_answer.h"

#define STAGE_WAIT_MS 10000 /* for other events that hold the tree */

struct stage_talk;

/* output_fd: borrowed, with STAGE_OP_DIFF, else -1. */
int stage_talk_start(const struct stage_ask *ask, int output_fd, struct stage_talk **ret, struct err *e);
int stage_talk_fd(const struct stage_talk *t);
/* Takes what has come, never blocks. 1: it is over, with the answer; 0: not yet; or the error that the role told. */
int stage_talk_step(struct stage_talk *t, struct err *e);
/* Until it is over; as step. */
int stage_talk_wait(struct stage_talk *t, struct err *e);
/* A commit or an undo that has not begun is not begun; the answer says which it was. */
void stage_talk_stop(struct stage_talk *t);
struct stage_answer *stage_talk_answer(struct stage_talk *t);
/* Whoever began something that cannot be broken off lets it end by itself. */
void stage_talk_free(struct stage_talk *t);

/* Finishes commits that were broken off, if there are any: before a program sees a tree that is half of each. Waits for it. With
 * grants: only those of trees that a program with these grants would see; NULL: all. */
int stage_recover_first(const char *store, const struct grant_set *grants, struct err *e);

/* Where this person's stages are, how long they stay and how much they may take: from the environment (XDG_STATE_HOME, HOME,
 * AMBIT_KEEP, AMBIT_KEEP_SPACE). -USAGE for a value that is none; -HOST without a place. */
int stage_store_path(char *ret, size_t size); /* the first of it alone; 0 or -HOST */
int stage_ask_init(struct stage_ask *ask, enum stage_op op, struct err *e);

#endif
