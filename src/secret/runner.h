/* runner - the process that starts the commands which give secrets.
 *
 * Owns:   one process, forked before ambit-secret reads a file, and before it is confined, which alone may execute something; each command's group.
 * Holds:  it gets the words of a command and never sees a secret: what the command writes goes by a pipe to ambit-secret. A command has the person's
 *         environment, their home directory, and their terminal, if there is one, as its standard input; after RUNNER_PATIENCE_MS, or when
 *         ambit-secret goes, it is ended with all of its group.
 * Called: ambit-secret: start before it was confined, run after. */
#ifndef SECRET_RUNNER_H
#define SECRET_RUNNER_H

#include "secret/typed.h"

#define RUNNER_PATIENCE_MS 30000

struct runner {
	int sock; /* owned; -1: none */
};

/* terminal_fd: -1 if there is none; it is the runner's own then, too. */
int runner_start(struct runner *r, int terminal_fd, struct err *e);
void runner_finish(struct runner *r);

/* What the command wrote, without a newline at its end, into t->bytes. words: as words_split gave them. -DENIED: it failed, with what it said;
 * -LIMIT: too slow, or too much; -GONE: t->sock hung up. */
int runner_run(const struct runner *r, const char *words, size_t n, struct typed *t, struct err *e);

#endif
