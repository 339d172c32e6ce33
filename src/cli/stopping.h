/* stopping - signals with which a person stops a commit or an undo.
 *
 * Owns:   the signals, from begin to end, as events (signalfd).
 * Holds:  the first one asks the role to stop, which it does as long as nothing was changed; the answer says whether it did. A second
 *         one ends this process and leaves the role to its work.
 * Called: cli/stage.c. */
#ifndef CLI_STOPPING_H
#define CLI_STOPPING_H

#include "lib/stage.h"

struct stopping {
	int fd;     /* owned; -1: nothing can be stopped */
	int signal; /* that came; 0: none */
};

void stopping_begin(struct stopping *s);
/* To be called when fd is readable. */
void stopping_take(struct stopping *s, struct stage_talk *t);
/* What was said is out, and signals are as they were. */
void stopping_end(struct stopping *s);
/* Ends this process as the signal that came would have. Gives its status if it does not. */
int stopping_die(struct stopping *s);

#endif
