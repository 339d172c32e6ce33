/* seed - a profile that an installation brings with it, so that it is not blind while its own are young.
 *
 * Owns:   which programs have which seed (seeds.def), and what of an event is held against one.
 * Holds:  a seed was made on another machine and by other work, so it promises nothing in numbers. It tells what is more unusual than everything that it was calibrated with, and a shell that connects by itself, which never did in any of its sessions.
 *         Names of things (destinations, directories, requests) and what a machine is like (times, memory) are in none, nor is the order of calls, which says nothing of other work.
 * Called: usual, gen_seed; pure, but for memory. */
#ifndef PROFILE_SEED_H
#define PROFILE_SEED_H

#include "profile/profile.h"

#define SEED_BYTES_MAX (1u << 20) /* of its form */
#define SEED_SESSIONS_MIN 4       /* that ran a program: from then on it has habits */
#define SEED_SCORES_MIN 4         /* that it was calibrated with: of Ambit's each is the highest of a task */

/* "shell": the nth of that kind and program, from 0 on: Node's own work and servers that it runs are not alike, and what one of its seeds knows is usual. NULL: it has no more. */
const char *seed_of(const char *tool, const char *program, size_t nth);
/* The key of the one that is called so: kind SEED_TOOL, whoever runs it. */
#define SEED_TOOL "seed"
void seed_key(const char *name, char ret[PROFILE_NAME_MAX]);

/* A key that one may have: of a kind and a program, whoever runs it. */
bool seed_is_of(const char *key);
/* That a profile knows enough to be one. -MALFORMED, with how much it knows. */
int seed_check(const struct profile *p, struct err *e);

struct seed_found {
	struct unusual
		f; /* as one that is young; flagged at PROMISED_LOG: at most one that the seed was calibrated with was as unusual, or connects */
	bool above;    /* none was */
	bool connects; /* a program does that never did */
};
/* False: no memory. */
bool seed_score(const struct profile *seed, const struct deeds *d, struct seed_found *ret);

/* Takes from a profile what no seed has. */
void seed_strip(struct profile *p);

#endif
