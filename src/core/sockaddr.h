/* sockaddr - an address as system calls have it.
 *
 * Owns:   nothing.
 * Called: whoever makes, names or asks about sockets of the internet; pure. */
#ifndef CORE_SOCKADDR_H
#define CORE_SOCKADDR_H

#include <sys/socket.h>

#include "core/address.h"

/* sa: as long as its family says. False: it is of another family; *ret is as it was. */
bool sockaddr_take(const void *sa, struct address *ret);
/* Gives how long it is. */
socklen_t sockaddr_put(const struct address *a, uint16_t port, struct sockaddr_storage *ret);

#endif
