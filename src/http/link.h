/* link - what the supervisor and the dialer tell a role ambit-http, and what it tells the supervisor.
 *
 * Owns:   the bodies of HTTP_TERMS and HTTP_USED. HTTP_PAIR's is net/link.h's link_ask.
 * Holds:  what was taken is in range; the terms are in their normal form.
 * Called: supervisor, ambit-http. */
#ifndef HTTP_LINK_H
#define HTTP_LINK_H

#include "core/qualifiers.h"
#include "core/terms.h"
#include "net/link.h"

/* The grant that a role serves. */
struct http_orders {
	struct qualifiers budget; /* uses and rate are of requests; all other is the dialer's, and none here */
	bool learns;              /* what is sent is told by its kind, and not only by its rule */
	struct link_listener to;  /* flags: none */
	char terms[TERMS_TEXT_MAX];
};
void http_put_orders(struct buf *out, const struct http_orders *o);
bool http_take_orders(struct rbuf *in, struct http_orders *ret);

/* What was asked for, so often: the word of who reads what programs send. */
#define HTTP_ROWS_MAX 96
#define HTTP_ROW_PATH_MAX 200 /* a longer one is cut off */
struct http_row {
	struct host_name name;  /* "": by address, */
	struct address address; /* or, family 0, at the one host of the grant */
	char method[TERMS_METHOD_MAX];
	char path
		[HTTP_ROW_PATH_MAX]; /* the pattern of the rule; if it was refused, what was asked for. Printable, without a blank */
	uint16_t status;
	uint8_t refused; /* 1: it was not sent */
	uint32_t count;
};
struct http_used {
	uint32_t n, more; /* more: requests that had no row */
	struct http_row rows[HTTP_ROWS_MAX];
};
#define HTTP_USED_BYTES_MAX                                                                                            \
	(8 + HTTP_ROWS_MAX * (4 + HOST_NAME_MAX_LEN + 17 + 4 + TERMS_METHOD_MAX + 4 + HTTP_ROW_PATH_MAX + 7))
void http_put_used(struct buf *out, const struct http_used *u);
bool http_take_used(struct rbuf *in, struct http_used *ret);

#endif
