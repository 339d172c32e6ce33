/* exchange - one request to an issuer, through the cell's own network.
 *
 * Owns:   the connection, and what was read of it.
 * Holds:  the connection is made and the authorities are read before the role is locked down, and so before a foreign byte is. Nothing is followed, nothing
 *         is asked twice, and of a body 64 KiB are read at most.
 * Called: ambit-ask. */
#ifndef ASK_EXCHANGE_H
#define ASK_EXCHANGE_H

#include "ask/issuer.h"
#include "ask/link.h"
#include "witness/channel.h"

#define EXCHANGE_BODY_MAX (64u << 10)

struct exchange {
	int fd; /* owned; -1 */
	struct witness_url url;
	struct buf authorities; /* owned */
	struct buf in;          /* owned: what came */
};

/* host: a name, which the cell's /etc/hosts has, or an address without brackets. ANSWERED: it is connected; else why not. */
enum ask_outcome exchange_open(struct exchange *x, const char *host, const char *port);
void exchange_close(struct exchange *x);
struct ask_question {
	enum issuer which;
	const char *path;   /* borrowed, as `client` is */
	const char *client; /* of OAUTH: who asks, encoded for a form; NULL: that stands elsewhere, or nowhere */
};
/* Fills *ret in any case. */
void exchange_run(struct exchange *x, const struct ask_question *q, struct ask_answer *ret);

#endif
