/* whose - which user has the other end of a connection on this machine.
 *
 * Owns:   nothing.
 * Holds:  by the kernel's word, of a connection that was whole when it was asked: of one that its process has closed the kernel no longer knows whose it was, and says root's.
 * Called: web.c, login_browser.c. Linux with inet_diag (each distribution has it). */
#ifndef CLI_WHOSE_H
#define CLI_WHOSE_H

#include <stdbool.h>

/* Whether the other end of this connection of TCP is a process of our own user's. */
bool whose_is_ours(int sock);

#endif
