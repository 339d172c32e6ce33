/* novelty - what was there before: items with how many sessions had them, and how often each place had something new.
 *
 * Owns:   one table of counters, of a bounded size, for all profiles of one agent; and the key of their hashes.
 * Holds:  it learns only what is given to it, of released runs; whether one was is the caller's to know. One principal (a session, a person) makes an item no better known than
 *         once, teaches one profile NOVELTY_LESSONS_MAX runs and of one run NOVELTY_MARKS_MAX items. A table that is full learns nothing new: then more is new, never less.
 * Called: profile/verdict.c, profile/events_eval.c, the gate; pure, but for its memory. Reads no clock: `when` is the caller's, in any unit.
 *
 * A run belongs to *scopes*, the narrowest first: this task, this agent. It is looked up in the narrowest; the wider ones say what is usual while that is young, and how
 * often something new is usual. Nothing is pooled over tools: a place has its tool in it.
 *
 * How unlikely something new is, in bits, -log2 of: of the runs that had this place, once it was known, the share that had something new there (counted before each was learned). With few of them
 * the share of the next wider scope counts as NOVELTY_WEIGHT runs more, and what is there for all kinds (novelty.c) stands behind the widest. So a place that
 * is always different (a subject, a date) says little by itself, and one that is always the same says much, whatever it is called. */
#ifndef PROFILE_NOVELTY_H
#define PROFILE_NOVELTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "profile/call.h"

#define NOVELTY_SCOPES_MAX 3
#define NOVELTY_SUPPORT_MAX 3 /* principals that are told apart */
#define NOVELTY_WIDER_MIN 2   /* profiles that make an item known in a wider scope */
#define NOVELTY_LESSONS_MAX 20
#define NOVELTY_MARKS_MAX 256
#define NOVELTY_ROWS (1u << 16)     /* of a profile: 3 MB */
#define NOVELTY_ROWS_MAX (1u << 20) /* of many, for an evaluation */
#define NOVELTY_YOUNG 5             /* runs: fewer are a young profile */

struct scopes {
	size_t n;
	uint64_t hash[NOVELTY_SCOPES_MAX]; /* call_hash of their names, the narrowest first */
};

/* A run, or what there is of it. */
struct doings {
	const struct mark *marks; /* each item once */
	size_t n_marks;
	const uint64_t *steps; /* the tools, in order */
	size_t n_steps;
};

struct novelty;

/* rows: at most as many counters, of which a full table has three quarters; a power of two up to NOVELTY_ROWS_MAX. */
int novelty_create(const uint8_t key[CALL_KEY_SIZE], uint32_t rows, struct novelty **ret, struct err *e);
void novelty_destroy(struct novelty *n);
void novelty_forget(struct novelty *n); /* all of it */

/* A released run. principal: hash of who it is. -LIMIT: that one has taught this profile enough; nothing is learned. */
int novelty_learn(struct novelty *n, const struct scopes *s, uint64_t principal, uint32_t when, const struct doings *d);

/* Runs of the narrowest scope. */
uint32_t novelty_runs(const struct novelty *n, const struct scopes *s);
bool novelty_is_full(const struct novelty *n);

struct surprise {
	double bits;          /* 0: not new */
	bool is_new;          /* for the narrowest scope */
	bool known_wider;     /* it was in another profile of a wider scope */
	uint32_t runs;        /* of the profile */
	uint32_t fresh, seen; /* of how many runs with that place how many had something new there */
};
/* support: of how many principals an item must be to be known, 1 to NOVELTY_SUPPORT_MAX. */
struct surprise novelty_surprise(const struct novelty *n, const struct scopes *s, unsigned support,
				 const struct mark *m);

/* ---- for the stored form (profile/call_form.h) ---- */

struct novelty_row {
	uint64_t tag;   /* a hash of what is counted, under the key; 0: free */
	uint32_t n;     /* ITEM, SCOPE, PUPIL: runs. PLACE: runs since it was known. STEP: times. CONTEXT: times */
	uint32_t fresh; /* PLACE: of those, runs with something new. CONTEXT: different steps */
	uint32_t first, last;                     /* ITEM: when */
	uint32_t principals[NOVELTY_SUPPORT_MAX]; /* ITEM: 0: none */
};
/* Each that there is, from *at 0 on; false: there are no more. */
bool novelty_next(const struct novelty *n, uint32_t *at, struct novelty_row *ret);
/* One of another table of the same key. -CONFLICT: it is there; -LIMIT: there is no room; -MALFORMED. */
int novelty_add(struct novelty *n, const struct novelty_row *row);

/* What a run learned of the order of tools; for profile/order.c. A pair of what was seen after what. */
void novelty_step(struct novelty *n, uint64_t scope, uint64_t before, uint64_t step);
struct follow {
	uint32_t times, all, different; /* this step after that context; any; how many different ones */
};
struct follow novelty_follow(const struct novelty *n, uint64_t scope, uint64_t before, uint64_t step);

#endif
