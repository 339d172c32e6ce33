/* contest - whole commands, run in turns, and how long each took from spawn to reaped.
 *
 * Owns:   struct contestant: a command and its figures.
 * Holds:  every round runs each contestant once, starting with another one each time. One that does not run here, or does not
 *         end well, is left out aloud. Whoever runs a contest is the reaper of what its commands leave.
 * Called: by the programs of bench/ that start commands. */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include <stddef.h>

#include "series.h"

#define CONTEST_ARGS_MAX 256

struct contestant {
	const char *name;
	char *argv[CONTEST_ARGS_MAX]; /* owned, each too */
	size_t n;
	/* until reaped; until nothing of it is left; of processors, of all that it left */
	struct series wall_us, gone_us, cpu_us;
};

/* 0 or -1: no memory. */
int contestant_init(struct contestant *c, const char *name, size_t rounds);
/* Arguments over the maximum are not kept. */
void contestant_add(struct contestant *c, const char *argument);
void contestant_add_all(struct contestant *c, const char *const *arguments); /* up to NULL */

/* 0, or -1: it cannot be the reaper. */
int contest_run(struct contestant *all, size_t n, size_t rounds);
/* One line for each that ran; `bare` is what the others are compared with. */
void contest_tell(const char *title, const struct contestant *all, size_t n, const struct contestant *bare);

#endif
