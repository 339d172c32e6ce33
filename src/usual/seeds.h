/* seeds - the seed profiles that the keeper was started with (profile/seed.h).
 *
 * Owns:   struct seeds: the texts, and those that were read of them.
 * Holds:  one is read when an event wants it; what is none is told in the list, with its place, and is as if it were not there. Of two of one key the person's counts before the machine's, and that before what Ambit brings. A file without a byte is none of that name, wherever the others lie; one that is called "all" is none of what Ambit brings.
 *         Nothing is learned by a seed. It has the word only while an event's own profiles are young, and takes nothing back that they say.
 * Called: book.c, serve.c. */
#ifndef USUAL_SEEDS_H
#define USUAL_SEEDS_H

#include <limits.h>

#include "usual/link.h"

struct seeds;

/* What there is is in that file (usual/seeds_link.h); the texts are read, and nothing of what they say. -MEMORY. */
int seeds_new(int fd, struct seeds **ret, struct err *e);
void seeds_free(struct seeds *s);

/* Where the event's own profiles have no word, and nobody is to be asked yet. s: NULL, there are none. -MEMORY. */
int seeds_look(struct seeds *s, const struct deeds *d, struct usual_found *ret, struct err *e);

/* For a person. Names are "s_" and the file's, a key has "seed" in place of an agent. */
bool seeds_is_key(const char *key);
int seeds_page(struct seeds *s, const char *after, struct usual_row *rows, size_t most, size_t *ret_n,
	       char ret_last[NAME_MAX + 1]);
int seeds_get(struct seeds *s, const char *key, struct buf *out, struct err *e);

#endif
