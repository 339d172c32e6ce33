/* steps - what a person's authority did, made again out of the ledger (doc/LEDGER.md, What the authority did).
 *
 * Owns:   a state for each authority of which there are entries, STEPS_REALMS at most, from its first step on.
 * Holds:  each entry is made once more out of its request and of the steps before it, whole, and compared byte for byte; a person's answer has to be signed by the key
 *         that the entry names, and to say what was done. Of entries with one number the last counts, and none of the earlier ones with that or a larger one. Behind a
 *         number that is missing nothing can be made again.
 * Called: replay.c. No file and no clock. */
#ifndef AUDIT_STEPS_H
#define AUDIT_STEPS_H

#include "ledger/entry.h"

#define STEPS_REALMS 4

enum steps_answer {
	STEPS_NOT,    /* it is no entry of an authority */
	STEPS_AGREES, /* it is what the steps before it give */
	STEPS_DIFFERS,
	STEPS_LOST,  /* a step before it is not in the ledger */
	STEPS_CROWD, /* more authorities, or more in one, than are made again */
	STEPS_NO_MEMORY,
};

struct steps;
struct steps *steps_create(void); /* NULL: no memory */
void steps_free(struct steps *s);
/* ret_why: of one that differs, in what: a word of ours, or of the entry's form. */
enum steps_answer steps_take(struct steps *s, const struct entry *entry, const char **ret_why);

#endif
