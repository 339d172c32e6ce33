/* pump - moves bytes from one socket to another, without looking at them.
 *
 * Owns:   struct pipes, a few spare pipes; struct pump, one direction of a connection.
 * Holds:  a pipe is held only while something is in it: two thousand would pass a user's soft quota (pipe(7), pipe-user-pages-soft). A pump
 *         reads no more before all that it read is written, so a side that does not read stops its own peer and nobody else.
 * Called: role ambit-net. splice(2). */
#ifndef NET_PUMP_H
#define NET_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPES_SPARE 32
#define PUMP_PUT_MAX 4096 /* PIPE_BUF: an empty pipe takes so much, however small it is */
#define PIPES_LARGE 8     /* at one time: a user has 64 MiB of pipes until all that he makes are small (pipe(7)) */

struct pipes {
	int fd[PIPES_SPARE][2]; /* owned */
	size_t n;
	uint32_t n_large; /* held by pumps */
};
void pipes_finish(struct pipes *p);

struct pump {
	int pipe[2];         /* owned while held > 0, else -1 */
	struct pipes *large; /* borrowed: it is one of their large ones; NULL */
	size_t held;         /* bytes in the pipe */
	bool ended;          /* the source has said all */
	bool passed;         /* and the sink was told so */
};

enum pump_state {
	PUMP_WAITS,  /* for one of the two */
	PUMP_MORE,   /* its turn is over, and it could go on */
	PUMP_DONE,   /* all is passed on, the end as well */
	PUMP_BROKEN, /* one of the two was reset */
};

void pump_init(struct pump *p);
void pump_finish(struct pump *p);
/* What was read of the source by other means goes before all else: at most PUMP_PUT_MAX bytes, when nothing is held. False: no pipe for it. */
bool pump_put(struct pump *p, struct pipes *pipes, const void *bytes, size_t n);
/* Moves what is held, and no more. MORE: nothing is. */
enum pump_state pump_flush(struct pump *p, struct pipes *pipes, int to);
/* Moves what can be moved, of one turn; both are not blocking. */
enum pump_state pump_run(struct pump *p, struct pipes *pipes, int from, int to);

#endif
