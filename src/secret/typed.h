/* typed - reading the value of a secret, or a password.
 *
 * Owns:   the person's terminal while it is asked: nothing is shown, and what it was is restored, also if who asked goes away.
 * Holds:  each key is read as it comes, since a terminal's own lines end at 4,095 bytes: erase, kill, end of file and interrupt are those of the
 *         terminal, and do here what they do there. What is read stays in the room that was given, which its owner locks and wipes.
 * Called: ambit-secret and ambit-approver, before they are confined (a terminal is set by ioctl). */
#ifndef SECRET_TYPED_H
#define SECRET_TYPED_H

#include "secret/link.h"

/* How it is called in messages. */
struct typed_words {
	const char *what;      /* "value" */
	const char *otherwise; /* what to do where there is no terminal for it */
	const char *nothing;   /* what became of it when the person said no: "nothing was set" */
};

struct typed {
	const struct typed_words *words;     /* borrowed */
	int fd;                              /* borrowed: what is read */
	int sock;                            /* borrowed: who asked; when it hangs up all is over */
	size_t n;                            /* of the bytes, after success */
	uint8_t bytes[SECRET_VALUE_MAX + 2]; /* one too many, and a newline */
	uint8_t again[SECRET_VALUE_MAX + 2];
};

/* To the end of the file; one newline at its end is left out. -LIMIT, -GONE, -SYSTEM. */
int typed_file(struct typed *t, struct err *e);
/* A line, or two which have to be the same. prompt: what is asked for, as "Value of github". -USAGE: they are not, or the person said no. */
int typed_terminal(struct typed *t, const char *prompt, bool twice, struct err *e);

#endif
