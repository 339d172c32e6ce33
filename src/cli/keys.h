/* keys - what is typed, where the terminal is not ours alone.
 *
 * Owns:   the terminal's description of our own, and the pipe to the relay.
 * Holds:  it reads only while this job is in front and the terminal gives whole lines. In `ambit run -- x | less` less takes
 *         the terminal for single keys, and then they are less's; behind, `ambit run -- x > log &` must not be stopped by
 *         what is typed to the shell. Never blocks.
 * Called: session. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include <stdbool.h>

#include "base/err.h"

struct keys {
	int terminal; /* owned, -1 if there are none */
	int to;       /* owned: the relay's standard input */
	bool ours;    /* as far as known: look again after KEYS_AGAIN_MS, no change of it is told */
};

#define KEYS_NONE                                                                                                      \
	{                                                                                                              \
		.terminal = -1, .to = -1                                                                               \
	}
#define KEYS_AGAIN_MS 100

/* Takes terminal, also on failure; *ret_from: where the relay reads, owned by the caller. */
int keys_open(struct keys *k, int terminal, int *ret_from, struct err *e);
void keys_close(struct keys *k);
/* What to poll for input: the terminal, or -1 for now. */
int keys_fd(struct keys *k);
/* There is input: passes it on. The end of input (Ctrl-D) becomes the character that says so on the cell's terminal. */
void keys_read(struct keys *k);

#endif
