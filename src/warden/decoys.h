/* decoys - what the eye knows of a person's canaries, to tell that one was touched.
 *
 * Owns:   their paths, and which files of the cell they are.
 * Holds:  a call meets a decoy if the name that it was given, or what stands there for the cell, is one: also by a
 *         link, a second name, or another way to it. It narrows alone: what it leads to is that the cell is told of,
 *         or ends. Whoever races their own arguments, or goes through a link of /proc that leads elsewhere for each
 *         process, may not be seen (doc/PROFILES.md). The workload cannot read this memory, as any of the warden's.
 * Called: warden (main.c before the program starts, eye.c). */
#ifndef WARDEN_DECOYS_H
#define WARDEN_DECOYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "core/canary.h"
#include "core/effect.h"

struct decoys {
	uint32_t n;
	bool ends;        /* the cell, when one is touched */
	bool any_near;    /* the cell has the file of one at least, or may not look there */
	uint64_t touched; /* by their bits */
	uint64_t told;    /* likewise, to the supervisor */
	char room[2 * EFFECT_OBJECT_MAX];
	struct decoy {
		enum { DECOY_AWAY, DECOY_HIDDEN, DECOY_SHOWN } state; /* hidden: while nobody may look there */
		uint64_t size;
		dev_t device; /* as the cell has them, if it is shown */
		ino_t inode;
		size_t length;
		char path[CANARY_PATH_MAX];
	} list[CANARIES_MAX];
};

/* CELL_DECOYS' body: whether one ends the cell, how many there are, and of each how many bytes the file has, and its
 * path. They are looked up in the cell as it is now. False: it is not well-formed. */
bool decoys_take(struct decoys *d, struct rbuf *in);
/* What is done to an object by its name. FOLLOWED: also to where a link at its end leads. MOVED: it gets another name, and
 * so does what lies beneath it. */
enum decoys_way { DECOYS_NAMED, DECOYS_FOLLOWED, DECOYS_MOVED };

/* A thread named an object, absolute, that it acts on. */
void decoys_meet(struct decoys *d, uint32_t thread, const char *object, enum decoys_way way);

static inline uint64_t decoys_untold(const struct decoys *d)
{
	return d->touched & ~d->told;
}

#endif
