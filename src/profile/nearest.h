/* nearest - which earlier usual event one is most like, by what they named.
 *
 * Owns:   struct nearest: of the last NEAREST_MAX usual events that differ, the id, and a sketch of what it named: the NEAREST_LOW lowest of its items' keyed hashes.
 * Holds:  it explains, and judges nothing. What there is of an event with NEAREST_LOW items or fewer is exact; of more, likeness is estimated by the lowest hashes of both together (bottom-k), and an item is said to be missing only where the sketch would have it. Hashes are keyed: who has the form alone
 *         cannot try names. Bounded, and of some microseconds.
 * Called: profile, usual; pure. */
#ifndef PROFILE_NEAREST_H
#define PROFILE_NEAREST_H

#include "core/id.h"
#include "profile/unusual.h"

#define NEAREST_MAX 64
#define NEAREST_LOW 24
#define NEAREST_KEY 16

struct near {
	char event[ID_TEXT_MAX];
	uint16_t items;            /* that it named */
	uint16_t n;                /* of `low`: items, or NEAREST_LOW */
	uint32_t low[NEAREST_LOW]; /* rising, each once */
};

struct nearest {
	size_t n;
	struct near list[NEAREST_MAX]; /* the latest last */
};

/* It was usual. One that named just the same as another takes its place. Nothing where d has no event. */
void nearest_add(struct nearest *s, const uint8_t key[NEAREST_KEY], const struct deeds *d);
/* False: nothing is known, or nothing that it named. */
bool nearest_find(const struct nearest *s, const uint8_t key[NEAREST_KEY], const struct deeds *d, struct likeness *ret);
/* As it was kept, behind those before it. */
bool nearest_restore(struct nearest *s, const struct near *one);

#endif
