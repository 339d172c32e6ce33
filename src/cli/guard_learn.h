/* guard_learn - the grants `tool` that would have sufficed for what a client called.
 *
 * Owns:   struct guard_learn: of each tool the arguments that it was called with, as far as a condition needs them.
 * Holds:  calls that failed teach nothing, and are counted. Bounded: what has no room is told in a comment. What is written allows each call that was taken, unless a comment says that it does not; it is read by nobody but as the text of a policy.
 * Called: guard.c; pure but for the heap. */
#ifndef CLI_GUARD_LEARN_H
#define CLI_GUARD_LEARN_H

#include "guard/link.h"

#define LEARN_TOOLS_MAX 128
#define LEARN_VALUES_MAX 6 /* more different ones are no set */

struct learned_argument {
	char *path;                              /* owned */
	unsigned kinds;                          /* bits of enum where_kind that were seen */
	bool many, odd;                          /* more values than those; one that no text of a policy says */
	bool climbs;                             /* one has a part `..` */
	size_t n_values, chars;                  /* the longest */
	char *values[LEARN_VALUES_MAX], *prefix; /* owned; prefix: that all texts have */
	char min[WHERE_NUMBER_MAX + 1], max[WHERE_NUMBER_MAX + 1];
};

#define LEARN_WAITING_MAX 128 /* of one gate, on their way at once (guard/guard.h) */
struct guard_learn {
	size_t n, dropped; /* calls of tools that had no room */
	uint64_t failed;   /* calls that were none for the server: nothing is learned of them */
	struct learned_call {
		uint32_t number; /* 0: a free place */
		char name[GUARD_NAME_MAX];
		struct buf arguments; /* owned */
	} waiting[LEARN_WAITING_MAX]; /* for their ends */
	struct learned_tool {
		char name[GUARD_NAME_MAX];
		uint64_t calls;
		bool open; /* it had more arguments than there are conditions */
		size_t n_arguments;
		struct learned_argument arguments[WHERE_CONDITIONS_MAX];
	} tools[LEARN_TOOLS_MAX];
};

struct guard_learn *guard_learn_new(void); /* NULL: no memory */
void guard_learn_free(struct guard_learn *l);
/* One that is let through, and is learned when it has ended well: what a server refuses is nothing that would have to be granted, and an agent that was led astray tries such things. False: no memory, or more wait than can. */
bool guard_learn_ask(struct guard_learn *l, uint32_t number, const char *name, const struct where_arguments *arguments);
/* How it ended. False: no memory. */
bool guard_learn_over(struct guard_learn *l, uint32_t number, bool good);
/* Appends `grants:` and what stands there. */
void guard_learn_write(const struct guard_learn *l, const char *server, struct buf *out);

#endif
