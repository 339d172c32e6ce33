/* own - which addresses are the host's own.
 *
 * Holds:  a public address that this machine has leads to itself, past what keeps others out: it is no more public than its loopback. The kernel
 *         is asked by its table of routes (rtnetlink(7), RTM_GETROUTE), each time anew.
 * Called: dial.c; own_open before the role is confined, which lets it make no such socket. sendmsg(2), recvmsg(2). */
#ifndef DIAL_OWN_H
#define DIAL_OWN_H

#include <stdbool.h>

#include "core/address.h"

/* A descriptor for it, the caller's; -errno. */
int own_open(void);
/* What cannot be told is taken to be the host's. */
bool own_has(int netlink, const struct address *a);

#endif
