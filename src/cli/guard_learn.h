/* guard_learn - the grants `tool` that would have sufficed for what a client called.
 *
 * Owns:   struct guard_learn: of each tool the arguments that it was called with, as far as a condition needs them.
 * Holds:  bounded: what has no room is told in a comment. What is written allows each call that was taken, unless a comment says that it does not; it is read by nobody but as the text of a policy.
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

struct guard_learn {
	size_t n, dropped; /* calls of tools that had no room */
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
/* False: no memory. */
bool guard_learn_take(struct guard_learn *l, const char *name, const struct where_arguments *arguments);
/* Appends `grants:` and what stands there. */
void guard_learn_write(const struct guard_learn *l, const char *server, struct buf *out);

#endif
