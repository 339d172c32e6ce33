/* retry - whether a TLS server asks for a second hello.
 *
 * Owns:   struct retry: how much of the server's first message was read.
 * Holds:  a HelloRetryRequest is a ServerHello of one certain random (RFC 8446, 4.1.3), and the first handshake message that a server sends; of alerts
 *         there may be one before it. Nothing else that a server says at first leads to a second hello that can be read.
 * Called: role ambit-net, on what a host sends; pure. */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stddef.h>
#include <stdint.h>

enum retry_state {
	RETRY_MORE, /* not decided yet */
	RETRY_YES,  /* it asks for a second hello */
	RETRY_NO,
};

struct retry {
	uint8_t state; /* enum retry_state */
	/* the reader's own */
	uint8_t record_head[5];
	uint8_t record_have;  /* of record_head; 0 within a record */
	uint8_t message_have; /* of the message, as far as it is read */
	uint32_t record_left; /* of the record at hand */
};

void retry_init(struct retry *r);
/* The next n bytes, in order. Gives the state, which does not change any more once it is not MORE. */
enum retry_state retry_read(struct retry *r, const uint8_t *bytes, size_t n);

#endif
