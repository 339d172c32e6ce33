/* firsts - what there was before: what events named, how many principals did, and how often something of its kind is new.
 *
 * Owns:   struct firsts: a bounded set of items with their texts, so that a person can read what a profile holds to be usual.
 * Holds:  an item is known when as many principals as are asked for have had it, each counted once; so one session that repeats itself teaches no more than it did the first time. A set that is full learns nothing new: then more is new, never less.
 *         The table is keyed (SipHash): who chooses names cannot make them meet. What was not seen for longest makes room for nothing: forgetting is a person's to say (ambit profile reset).
 * Called: profile, eval; pure. Reads no clock. */
#ifndef PROFILE_FIRSTS_H
#define PROFILE_FIRSTS_H

#include "profile/deeds.h"

#define FIRSTS_MAX 6000      /* items: 1.6 MB */
#define FIRSTS_SUPPORT_MAX 3 /* principals that are told apart */
#define FIRSTS_KEY 16

struct first {
	struct deeds_item item;
	uint32_t events;                         /* that had it */
	uint32_t principals[FIRSTS_SUPPORT_MAX]; /* hashes; 0: none */
};

struct firsts {
	uint8_t key[FIRSTS_KEY];
	struct first *items; /* owned; in the order in which they came */
	size_t n, room;
	uint16_t *slots;            /* owned; two for each there is room for, by number from 1 */
	uint32_t events;            /* that were learned */
	uint32_t fresh[DEED_KINDS]; /* of them, those that had something new of that kind */
	bool full;
};

/* -AMBIT_MEMORY. */
int firsts_init(struct firsts *f, const uint8_t key[FIRSTS_KEY]);
void firsts_finish(struct firsts *f);

uint32_t firsts_principal(const struct firsts *f, const char *name); /* its hash, never 0 */
/* NULL: it was never there. */
const struct first *firsts_find(const struct firsts *f, const struct deeds_item *item);
unsigned firsts_support(const struct first *found); /* 0: NULL */
/* Counts it for that principal. -AMBIT_MEMORY; what had no room is left out, and f->full says so. */
int firsts_add(struct firsts *f, const struct deeds_item *item, uint32_t principal);
/* An event of which something of these kinds (bits, by their number) was new. */
void firsts_event(struct firsts *f, uint32_t kinds);
/* How unlikely something new of that kind is, as surprise (-ln): of the events that were learned. */
double firsts_surprise(const struct firsts *f, unsigned kind);

/* What of an event was new. */
struct firsts_fresh {
	size_t n[DEED_KINDS];
	const struct deeds_item *first[DEED_KINDS]; /* borrowed; NULL: nothing of that kind */
};

/* support: principals that make an item known. What is new of all that it named comes to, as surprise. */
double firsts_score(const struct firsts *f, const struct deeds_item *items, size_t n, unsigned support,
		    struct firsts_fresh *ret);
/* All that an event named. -AMBIT_MEMORY. */
int firsts_learn(struct firsts *f, const struct deeds_item *items, size_t n, unsigned support, uint32_t principal);
/* As it was kept. */
bool firsts_restore(struct firsts *f, const struct first *item);

#endif
