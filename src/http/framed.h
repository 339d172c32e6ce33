/* framed - where a message ends, of protocols that say before each how long it is: WebSocket and gRPC.
 *
 * Holds:  what a mask holds back (http/mask.h) goes on at the end of a message, since a program waits for all of it. Bytes may come in any pieces. It depends on nothing but what the host says; what has
 *         another flag than gRPC knows is no message of it, and then there is none any more.
 * Called: role ambit-http; pure. RFC 6455 (5.2); gRPC over HTTP/2, Length-Prefixed-Message, which gRPC-Web and Connect have, too. */
#ifndef HTTP_FRAMED_H
#define HTTP_FRAMED_H

#include "http/head.h"

#define FRAMED_HEAD_MAX 14 /* of WebSocket: two bytes, a length of eight, and a mask */

enum framed_kind { FRAMED_NOT, FRAMED_WEBSOCKET, FRAMED_GRPC };

struct framed {
	uint8_t kind;   /* enum framed_kind */
	uint8_t n_head; /* of the message's head, that came */
	uint8_t head[FRAMED_HEAD_MAX];
	uint64_t left; /* of what is behind it */
};

/* What a body is of which the host says that it is of this type; NULL: it says none. */
enum framed_kind framed_of_type(const struct http_text *content_type);
/* f: zeroes but for its kind. True: a message ends with the last of these bytes. */
bool framed_run(struct framed *f, const uint8_t *bytes, size_t n);

#endif
