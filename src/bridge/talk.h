/* talk - one connection to the server, and one request of HTTP/1.1 on it at a time.
 *
 * Owns:   struct talk: the socket, the session of TLS, what is to be sent, and how far the answer was read.
 * Holds:  nothing here waits. The answer is read by the strict readers of ambit-http (http/head.h, http/chunk.h). A connection is used again only if the answer said so and came to its end, and for a short
 *         while: one that ends while nobody asks is never asked on, since nobody could tell whether a request was heard.
 * Called: ambit-bridge. SIGPIPE must be ignored. */
#ifndef BRIDGE_TALK_H
#define BRIDGE_TALK_H

#include <openssl/ssl.h>

#include "ask/reach.h"
#include "base/buf.h"
#include "http/chunk.h"
#include "http/head.h"

#define TALK_IDLE_MS 2000 /* servers keep a connection for five seconds and more */

/* Where all of them go. */
struct talk_net {
	union reach_address to;
	socklen_t to_n;
	const char *host; /* borrowed: whom the session expects */
	SSL_CTX *context; /* borrowed; NULL: without TLS */
};

enum talk_state { TALK_CLOSED, TALK_CONNECTING, TALK_SHAKING, TALK_ASKED, TALK_BODY, TALK_IDLE };

struct talk {
	enum talk_state state;
	int fd;             /* owned; -1 */
	SSL *tls;           /* owned; NULL */
	short events;       /* that it waits for */
	bool more;          /* something may be there that poll does not see */
	struct buf out, in; /* owned: what is not sent yet; the head, and what came behind it */
	size_t sent;
	bool is_get, keeps;
	enum http_body kind;
	uint64_t left;
	struct chunked chunks;
	uint64_t idle_ms; /* IDLE: since */
};

/* What the answer is told to, each false: no more of it is wanted, and the connection is closed. The head lies there until it returns. */
struct talk_ear {
	void *arg;
	bool (*head)(void *arg, const struct http_head *h);
	bool (*data)(void *arg, const uint8_t *bytes, size_t n);
};

enum talk_result {
	TALK_GOES,
	TALK_WHOLE,  /* the answer is over */
	TALK_BROKEN, /* the connection ended before; nobody can tell how much of the request was heard */
	TALK_FAILED, /* it could not be made, or secured: nothing of the request was sent */
	TALK_LEFT,   /* the ear wanted no more */
};

void talk_init(struct talk *t);
void talk_close(struct talk *t);
/* Begins to connect. False: there is no socket. */
bool talk_open(struct talk *t, const struct talk_net *net);
/* Of one that is not closed and asks nothing. Takes the bytes of the request. */
void talk_ask(struct talk *t, struct buf *request, bool is_get);
/* Goes on as far as that is possible now. */
enum talk_result talk_turn(struct talk *t, const struct talk_net *net, const struct talk_ear *ear);

#endif
