/* mould - the interpreter of which a session's events of Python are copies, while they come one soon after another.
 *
 * Owns:   struct mould: one template (lib/template.h), and how much it is wanted.
 * Holds:  there is none for who comes seldom: it takes memory that an interpreter of one's own would not. It is made anew after MOULD_COPIES, since what a copy cannot renew (the seed of hashes, where
 *         things lie in memory) is the same in all of one template; and when events came that it is not for (another limit or grant, for a minute). Whether it is for an event is for the library to see.
 * Called: keep.c. */
#ifndef SESSION_MOULD_H
#define SESSION_MOULD_H

#include <stdbool.h>
#include <stdint.h>

#include "session/job.h"

#define MOULD_COPIES 100

struct mould {
	struct template *t; /* held, NULL */
	uint64_t asked_ms;  /* when the last event of its kind ended, by clock_boot_ms; 0: there was none */
	uint64_t used_ms;   /* when that was a copy, or this was made */
	uint64_t again_ms;  /* not before: none could be made */
	bool wanted;
};

void mould_finish(struct mould *m);
/* An event of its kind ended; NULL: it never began. */
void mould_note(struct mould *m, const struct ambit_event *ev);
/* Begins to make one, if it is wanted and there is none. */
void mould_make(struct mould *m, const struct job_terms *t);
/* Looks after it. */
void mould_step(struct mould *m);
/* Borrowed; NULL: there is none. */
struct template *mould_template(const struct mould *m);
/* poll(2)'s: -1 if there is none; and its timeout. */
int mould_fd(const struct mould *m);
int mould_timeout(const struct mould *m, int timeout);

#endif
