/* one - HTTP/1 between a program and a host: request after request, each read, judged and written anew.
 *
 * Owns:   struct one: where the request and the answer at hand are.
 * Holds:  the next request is not looked at before the answer to the last is over, so an answer is never taken for another's. What passes is written by us: no line of a head
 *         that was read is sent as it came. Bodies pass as they come, in pieces; nothing of one is kept, but of a document of GraphQL and of a form with a secret, which are judged whole, and of an answer what a mask holds (http/mask.h).
 *         What cannot be followed ends both sides.
 * Called: http/session.c. */
#ifndef HTTP_ONE_H
#define HTTP_ONE_H

#include "http/brings.h"
#include "http/chunk.h"
#include "http/framed.h"
#include "http/graphql.h"
#include "http/judge.h"
#include "http/mask.h"
#include "http/stream.h"

enum one_state {
	ONE_HEAD,     /* of a request is read */
	ONE_GATHER,   /* its body is, whole */
	ONE_EXCHANGE, /* it is sent, and its answer comes */
	ONE_RAW,      /* both agreed on another protocol */
	ONE_LAST,     /* what waits is written, and nothing is read but to be dropped */
	ONE_DONE,
};

/* A body, as it is taken apart. */
struct body {
	uint8_t kind; /* enum http_body */
	bool done;
	uint64_t left; /* of LENGTH */
	struct chunked chunked;
};

struct one {
	uint8_t state; /* enum one_state */
	bool old;      /* the program speaks 1.0 */
	bool closes;   /* the connection ends with this exchange */
	bool is_head;  /* the request was HEAD: no body follows its answer */
	bool wants_upgrade;
	bool answered; /* the answer's head was sent */
	bool begun;    /* a request was sent: a host that goes after one may have had enough, as hosts have */
	bool untold;   /* the request was sent, and is not counted yet */
	bool chunks_down;
	bool cut;       /* in LAST: the host said no end, so the program is told none */
	uint8_t reader; /* enum refusal_reader: of an answer that says no */
	struct http_asked asked;
	struct body up, down;
	struct mask mask;
	struct framed framed; /* the answer's body, and what comes after a change of protocol */
	uint64_t flows_ms;    /* since then the host says nothing, and nothing waits for the program */
	struct brings brings; /* of the request's body */
	enum graphql_form form;
	bool gathers_form; /* not a document */
	uint64_t dropped;  /* in LAST */
	struct buf head;   /* owned: of a request whose body is gathered */
	struct buf
		gathered; /* owned: a document that was judged, or a form with a secret, of which `sent` bytes were passed on */
	size_t sent;
};

struct one_parts {
	struct judge *judge;
	const struct mask_set *masks; /* borrowed; NULL: no secret */
	const struct http_host *host;
	struct stream *client, *server;
	struct verdict *verdict; /* room */
	const char *broken;      /* why there is no server: each request is refused with it; NULL: there is one */
	/* An exchange has its answer; HTTP_NO_ANSWER: what was sent got none. */
	void (*count)(void *arg, const struct http_host *host, const struct http_asked *asked, unsigned status);
	void *arg;
	uint64_t now_ms; /* of this turn */
};

/* memory: of a head with a secret in it; NULL: there is none. */
void one_init(struct one *o, const struct memory *memory);
void one_finish(struct one *o);
/* What was sent and has no answer is counted as that; once. */
void one_tell(struct one *o, const struct one_parts *p);
/* When it has something to do though nothing came: UINT64_MAX, never. */
uint64_t one_wakes(const struct one *o);
/* One turn; the caller fills and flushes the streams. True: something happened. */
bool one_step(struct one *o, struct one_parts *p);

#endif
