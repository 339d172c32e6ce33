/* speaker - the cell of a role ambit-rpc, which speaks for one client.
 *
 * Owns:   struct speaker: the event that the cell is; after a hand-over (handover.h) the two descriptors by which it lives.
 * Holds:  it ends when the connection to its supervisor does. Its end is waited for by nobody who uses speaker_end and speaker_is_gone.
 * Called: clients.c, handover.c. */
#ifndef SERVE_SPEAKER_H
#define SERVE_SPEAKER_H

#include <stdbool.h>

#include "lib/event.h"

struct speaker {
	struct ambit_event *ev; /* owned, NULL */
	int sock, pidfd;        /* owned, with no event: of its supervisor; -1 */
	uint64_t told_ms;       /* to end, by clock_ms; 0: not yet */
};

void speaker_init(struct speaker *s);
bool speaker_is_there(const struct speaker *s);
/* *ret_fd, owned: the connection to the role. Negative: it cannot be made. */
int speaker_start(struct speaker *s, int *ret_fd);
/* true: it has ended. */
bool speaker_step(struct speaker *s);
/* Readable when there is something to step, or it is gone. */
int speaker_fd(const struct speaker *s);
void speaker_end(struct speaker *s);
bool speaker_is_gone(struct speaker *s);
/* Of one that was told, and does not go: its supervisor is killed, and the cell with it. Its end still shows by speaker_is_gone. */
void speaker_abandon(struct speaker *s);
/* Of one that is gone. */
void speaker_finish(struct speaker *s);
/* Ends it, and waits for that; until then (clock_ms) at the latest, when it is abandoned. */
void speaker_finish_by(struct speaker *s, uint64_t until_ms);
/* From here on it is the two descriptors. */
void speaker_hand_on(struct speaker *s);

#endif
