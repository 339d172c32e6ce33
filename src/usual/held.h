/* held - what events did that wait for a person's word, and whose those were that a person refused.
 *
 * Owns:   the files h_EVENT (profile/deeds.h), t_EVENT, the same of one that is done and throttled, and n_EVENT, the first part of the same.
 * Holds:  there are HELD_MAX of each at most: the oldest goes for a new one. Its changes wait as before: only what it would teach is lost, and that it counts.
 * Called: book.c. */
#ifndef USUAL_HELD_H
#define USUAL_HELD_H

#include "profile/deeds.h"

#define HELD_MAX 256 /* some 1.4 MB each at most */

int held_keep(int dir_fd, const char *event, const struct deeds *d, struct err *e);
int held_slowed(int dir_fd, const char *event, const struct deeds *d, struct err *e);
/* How many other events of who did that are held, or were refused. */
int held_others(int dir_fd, const char *event, const char *principal, uint32_t *ret, struct err *e);
/* -NOT_FOUND: nothing is held of it. *ret is the caller's to finish. */
int held_read(int dir_fd, const char *event, struct deeds *ret, struct err *e);
/* Nobody waits for a word on it any more. -NOT_FOUND. */
int held_release(int dir_fd, const char *event, struct err *e);
/* Likewise, and whose it was is remembered; whatever it says. */
int held_refuse(int dir_fd, const char *event, struct err *e);

#endif
