/* dial - a connection to a host that the person named.
 *
 * Owns:   looking up the name and connecting, each address in its turn, as the person.
 * Holds:  nothing is read from the connection, and nothing written: what is to be said is for a role without authority.
 * Called: cli/witness.c. */
#ifndef CLI_DIAL_H
#define CLI_DIAL_H

#include "witness/list.h"

/* *ret_fd does not block. -HOST: there is no such name; -SYSTEM: it cannot be reached. */
int dial(const struct witness_url *url, int *ret_fd, struct err *e);

#endif
