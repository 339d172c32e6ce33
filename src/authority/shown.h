/* shown - what a person is shown with a question, kept beside it.
 *
 * Owns:   the directory `asks`: a file for each question that came with one, named by its reference.
 * Holds:  what is opened is what was kept: its SHA-256 is the question's digest, which the caller has looked at. It is on disk before the question is. Of questions that
 *         are gone no file stays longer than until shown_sweep.
 * Called: serve.c. Results are 0 or -errno. */
#ifndef AUTHORITY_SHOWN_H
#define AUTHORITY_SHOWN_H

#include "core/authority.h"

#define SHOWN_MAX 1024 /* questions: as many as there are rows */

struct shown {
	int dir_fd; /* owned */
	unsigned n;
	authority_ref asks[SHOWN_MAX]; /* that have a file */
};

/* Files whose question does not live are removed. */
int shown_open(struct shown *s, int dir_fd, const struct authority *a);
void shown_close(struct shown *s);
int shown_keep(struct shown *s, authority_ref ask, const void *bytes, size_t n);
/* For reading; the caller owns it. -ENOENT: the question came without. */
int shown_read(const struct shown *s, authority_ref ask);
void shown_sweep(struct shown *s, const struct authority *a);

#endif
