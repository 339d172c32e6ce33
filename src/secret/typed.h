/* typed - reading the value of a secret.
 *
 * Owns:   the person's terminal while it is asked: nothing is shown, and what it was is restored, also if who asked goes away.
 * Holds:  each key is read as it comes, since a terminal's own lines end at 4,095 bytes: erase, kill, end of file and interrupt are those of the
 *         terminal, and do here what they do there. What is read stays in the room that was given, which its owner locks and wipes.
 * Called: ambit-secret, before it is confined (a terminal is set by ioctl). */
#ifndef SECRET_TYPED_H
#define SECRET_TYPED_H

#include "secret/link.h"

struct typed {
	int fd;                              /* borrowed: what is read */
	int sock;                            /* borrowed: who asked; when it hangs up all is over */
	size_t n;                            /* of the bytes, after success */
	uint8_t bytes[SECRET_VALUE_MAX + 2]; /* one too many, and a newline */
	uint8_t again[SECRET_VALUE_MAX + 2];
};

/* To the end of the file; one newline at its end is left out. -LIMIT, -GONE, -SYSTEM. */
int typed_file(struct typed *t, struct err *e);
/* Two lines, which have to be the same. -USAGE: they are not, or the person said no. */
int typed_terminal(struct typed *t, const char *name, struct err *e);

#endif
