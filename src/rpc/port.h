/* port - a connection to the daemon or to a session's role, which never holds up who writes to it.
 *
 * Owns:   struct port: the socket, and what it did not take yet.
 * Holds:  what is sent goes in order, and never in part; what the other side does not take is kept up to PORT_QUEUE_MAX, and more is refused.
 *         No descriptor is ever sent.
 * Called: the role ambit-rpc. SIGPIPE must be ignored. */
#ifndef RPC_PORT_H
#define RPC_PORT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "session/link.h"
#include "wire/wire.h"

#define PORT_QUEUE_MAX (DESCRIPTION_BYTES_MAX + RUN_BYTES_MAX) /* one run that waits, and the next */

struct port {
	int fd;           /* owned; -1: the other side is gone */
	struct buf queue; /* owned: u16 number, u32 length, body, for each message */
};

void port_init(struct port *p, int fd); /* takes fd, and makes it not block */
void port_finish(struct port *p);
bool port_waits(const struct port *p); /* for the other side to take what is queued */
/* -LIMIT: too much waits. -GONE. On failure nothing was sent. */
int port_send(struct port *p, enum wire_number number, const struct buf *body, struct err *e);
/* Of a text that is too long for one message, in parts, and then the message that it belongs to: all, or nothing. */
int port_send_parts(struct port *p, enum wire_number part, const struct buf *text, enum wire_number number,
		    const struct buf *body, struct err *e);
/* Sends what waits, as far as it is taken. False: the other side is gone. */
bool port_flush(struct port *p);

#endif
