/* end - the end of a connection of which somebody else has a copy.
 *
 * Holds:  it ends for the copy, too, and nobody waits here for a peer that takes nothing more, whatever the other one made of SO_LINGER, which
 *         is the socket's and not the descriptor's.
 * Called: dial.c, arrive.c. */
#ifndef DIAL_END_H
#define DIAL_END_H

#include <stdbool.h>

/* At once: what waits to be sent or read is dropped, the peer gets a reset, and whoever writes to or reads from the copy gets an error. */
void end_dissolve(int fd);
/* broken: as above. Else what waits is still sent, and nothing is taken any more. */
void end_close(int *fd, bool broken);

#endif
