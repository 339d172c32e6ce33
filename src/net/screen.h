/* screen - what of a client's first words is passed on, and when.
 *
 * Owns:   struct screen: the judgement of one connection to a host that was granted by name.
 * Holds:  nothing of a hello is passed on before it is judged. What is no TLS passes, and nothing after it is looked at. A hello passes if it is
 *         well-formed, asks for that name or for none, and hides none. Until the server has answered it no other handshake
 *         record passes, since a server may ask for a second hello, which is judged alike and must have the name of the first. All
 *         else that is TLS (data that comes early, alerts) passes between the two.
 * Called: net/gate.c; pure, allocates nothing. */
#ifndef NET_SCREEN_H
#define NET_SCREEN_H

#include "net/hello.h"
#include "net/link.h"
#include "net/retry.h"

enum screen_state {
	SCREEN_FIRST,   /* the first hello is read */
	SCREEN_ANSWER,  /* and passed; the server has not answered */
	SCREEN_SECOND,  /* it asks for another one, which is read */
	SCREEN_OPEN,    /* everything passes */
	SCREEN_REFUSED, /* nothing: `reason` */
};

struct screen {
	uint8_t state;                   /* enum screen_state */
	uint8_t reason;                  /* enum link_reason; REFUSED alone */
	bool may_hide;                   /* with ECH */
	const struct host_name *granted; /* borrowed */
	uint32_t record_left;            /* of a record that passes between hellos */
	struct hello hello;              /* the one that is read; in REFUSED what it said */
	struct retry retry;
	bool has_first;
	struct host_name first; /* what the first asked for */
};

/* The one name that may be asked for; NULL: it is connected to by its address, and there is nothing to hold against a hello: OPEN. */
void screen_init(struct screen *s, const struct host_name *granted, bool may_hide);
/* What the client said and was not passed on: n bytes by now, those that were seen before included. Gives how many of them pass, from the first
 * on; they are not shown again. */
size_t screen_client(struct screen *s, const uint8_t *bytes, size_t n);
/* The client will say no more, and left of what it said were not passed on. */
void screen_client_ended(struct screen *s, size_t left);
/* In state ANSWER: the next bytes of the server, all of which pass. Then what is held is to be shown again. */
void screen_host(struct screen *s, const uint8_t *bytes, size_t n);
/* It will say no more: who cannot answer agrees on nothing with a client. */
void screen_host_ended(struct screen *s);

#endif
