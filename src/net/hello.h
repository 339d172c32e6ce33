/* hello - the name that a TLS client asks for, read from its first bytes.
 *
 * Owns:   struct hello: what of a ClientHello was read so far. Its bytes are the caller's, who has to hold them in any case.
 * Holds:  bytes are only looked at, never changed, and may come in any pieces: the message may be split over TLS records (RFC 8446, 5.1) and over
 *         packets. No more than HELLO_MAX bytes are looked at; a hello that is longer is malformed. What a head says is told with the head's byte
 *         that says it, all else with the hello's last byte. Where the servers that people run would read a hello in two ways, or one takes
 *         what another refuses, it is malformed: what is DONE has the name here that it has there. It is the name of one hello: that of a
 *         second one, which a server may ask for (net/retry.h), is read by another reader; one that comes under encryption is nobody's to read.
 * Called: role ambit-net, on what a program in the cell sends; pure. */
#ifndef NET_HELLO_H
#define NET_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"

/* With the heads of its records. Some servers take no more of a message, and browsers' hellos have two thousand bytes. */
#define HELLO_MAX (64u << 10)

enum hello_state {
	HELLO_MORE,      /* not decided yet */
	HELLO_NOT_TLS,   /* no server takes the first byte, or the first three, for a hello; it may turn to TLS later */
	HELLO_DONE,      /* a whole ClientHello was read */
	HELLO_MALFORMED, /* some server may take it for TLS, and not all would take it; also: two names, a name that is
	                  * none (an address, a NUL, a dot at its end), two extensions of one kind, a server_name list
	                  * that is empty or of another kind */
};

struct hello {
	uint8_t state; /* enum hello_state */
	/* false before it is DONE: */
	bool has_name; /* it names a host: `name` */
	bool has_ech;  /* it has encrypted_client_hello, real or not (type 0xfe0d; RFC 9849), or a draft's of it */
	struct host_name name;
	/* the reader's own */
	uint8_t record_head[5];
	uint8_t record_have;     /* of record_head; 0 within a record */
	uint8_t message_head[4]; /* type, three bytes of length */
	uint32_t record_left;    /* of the record at hand */
	uint32_t seen;           /* bytes in all */
	uint32_t size;           /* of the handshake message, so far */
};

void hello_init(struct hello *h);
/* The n bytes that have come by now, from the first on, those that were seen before included: they are looked at again when the message is
 * whole. Gives the state, which does not change any more once it is not MORE. */
enum hello_state hello_read(struct hello *h, const uint8_t *bytes, size_t n);

#endif
