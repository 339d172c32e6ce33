/* pause - lets nothing pass over a connection of TCP for a while, whoever holds the socket.
 *
 * Holds:  what comes in is dropped before it is counted or acknowledged (SO_ATTACH_FILTER), so the host goes on to send it, and what goes out ends
 *         with the window that is open. A reset passes: it comes once. The relay's filter has no call to end it.
 *         -EPERM where the kernel lets no ordinary user attach a filter (as one of 6.18 did not, without CAP_NET_ADMIN).
 * Called: dial.c. */
#ifndef DIAL_PAUSE_H
#define DIAL_PAUSE_H

/* 0, or -errno. */
int pause_begin(int sock);
int pause_end(int sock);

#endif
