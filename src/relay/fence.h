/* fence - the end of what a terminal has to say.
 *
 * Owns:   the last question (DSR 5) and the recognition of its answer.
 * Holds:  terminals answer in order, and the filter lets no program ask this question: after the answer nothing comes
 *         that a program has caused. What is read until then is thrown away. Ends without an answer after
 *         FENCE_WAIT_MS; the command line's flush of the input is all there is then.
 * Called: by ambit-relay at its end, and only if the program made the terminal speak. */
#ifndef RELAY_FENCE_H
#define RELAY_FENCE_H

#include <stdbool.h>
#include <stddef.h>

#define FENCE_QUESTION "\033[5n"
/* A terminal behind a slow line answers in some hundred milliseconds; who has a terminal that never does waits so long
 * at the end of each full-screen program. */
#define FENCE_WAIT_MS 1000

struct fence {
	size_t matched; /* bytes of the answer seen so far */
};

/* True once the answer was among the bytes. */
bool fence_seen(struct fence *f, const void *bytes, size_t n);
/* Reads and forgets until the answer, the end of the terminal, or the end of patience. The question was written. */
void fence_wait(int terminal_in);

#endif
