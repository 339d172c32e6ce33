/* two_twin - a stream of the program, and the one of the host that it led to.
 *
 * Owns:   struct twin, and what waits in it.
 * Holds:  it is freed when both sides have closed it; until then the other side is told as soon as one has. What arrived and did not leave still counts
 *         for the sender's window: of that, as much as waits in `up` and `down` and the mask.
 * Called: http/two*.c. */
#ifndef HTTP_TWO_TWIN_H
#define HTTP_TWO_TWIN_H

#include "http/two.h"

/* Bytes on their way. */
struct two_pipe {
	struct buf bytes; /* owned; from `taken` on */
	size_t taken;
	bool ended;    /* nothing comes any more */
	bool deferred; /* the library waits to be told that something came */
	bool counts;   /* what waits is missing from its sender's window */
};

enum twin_state {
	TWIN_HEAD,   /* of a request comes */
	TWIN_GATHER, /* its body does, to be judged whole */
	TWIN_PASSES,
	TWIN_REFUSED, /* what the program still sends is dropped */
};

struct twin {
	struct twin *next, **link;    /* on two->twins */
	int32_t client_id, server_id; /* 0: none yet */
	uint8_t state;                /* enum twin_state */
	bool client_open, server_open;
	bool answered; /* the answer's head was sent */
	bool untold;   /* the request was sent, and is not counted yet */
	bool is_head;
	uint8_t reader;  /* enum refusal_reader */
	bool is_grpc;    /* what is refused is told as gRPC has it */
	bool host_cares; /* not: it has answered, and wants no more of the body */
	struct http_asked asked;
	struct two_pipe up, down;
	struct mask mask;
	struct framed framed;       /* the answer's body */
	struct two_fields *trailer; /* owned: of the answer, to be sent behind its body; NULL */
	struct brings brings;
	enum graphql_form form;
	bool gathers_form;       /* not a document */
	struct two_fields *kept; /* owned: of a request whose body is gathered; NULL */
	size_t gathered;         /* its part of two->gathered */
};

/* NULL: no memory. */
struct twin *twin_create(struct two *o, int32_t client_id);
void twin_free(struct two *o, struct twin *t);

/* Counts what was sent, once: with the status of its answer, or HTTP_NO_ANSWER. */
void twin_tell(struct twin *t, const struct one_parts *p, unsigned status);
/* What waits to go up is dropped. */
void twin_drop_up(struct two *o, struct twin *t);
/* Takes these, with a secret, in the place of what was gathered. */
void twin_replace_up(struct two *o, struct twin *t, struct buf *bytes);
/* Frees it once both sides are closed. */
void twin_settle(struct two *o, struct twin *t);
void twin_reset_client(struct two *o, struct twin *t, uint32_t code);
void twin_reset_server(struct two *o, struct twin *t, uint32_t code);

/* Whether something waits in a pipe. */
static inline size_t two_pipe_waits(const struct two_pipe *p)
{
	return p->bytes.len - p->taken;
}
/* What comes, and that it is all; whoever waited for that goes on. */
void twin_put_up(struct two *o, struct twin *t, const uint8_t *bytes, size_t n);
void twin_put_down(struct two *o, struct twin *t, const uint8_t *bytes, size_t n);
void twin_end_up(struct two *o, struct twin *t);
void twin_end_down(struct two *o, struct twin *t);
/* Where the library takes a body from. */
nghttp2_data_provider twin_up(struct twin *t);
nghttp2_data_provider twin_down(struct twin *t);

/* two_request.c */

/* The head in o->asked is whole; ended: no body follows. */
void two_take_request(struct two *o, struct twin *t, bool ended);
void two_take_body(struct two *o, struct twin *t, const uint8_t *bytes, size_t n);
void two_end_body(struct two *o, struct twin *t);
/* With what is in p->verdict. Whatever the host has of it is reset. */
void two_refuse(struct two *o, struct twin *t);
/* The host's answer to what was sent cannot be passed on: the program is told why. */
void two_fail(struct two *o, struct twin *t, const char *why);

/* two_trailer.c */

/* The block in o->answered is a whole trailer, and ends the answer. */
void two_take_trailer(struct two *o, struct twin *t);
/* What a verdict says, as gRPC has it. */
void two_put_status(struct two_fields *to, const struct verdict *v);
/* In place of one of the host's: what is in p->verdict, as gRPC has it. False: no memory. */
bool two_refuse_behind(struct two *o, struct twin *t);

/* two_answer.c */

/* Appends field i, without a secret. */
void two_put_masked(struct two_fields *to, const struct two_fields *from, uint32_t i, const struct mask_set *masks);
/* The block in o->answered is whole: a hint, the answer's head. */
void two_take_answer(struct two *o, struct twin *t, bool ended);
void two_take_answer_body(struct two *o, struct twin *t, const uint8_t *bytes, size_t n);
void two_end_answer(struct two *o, struct twin *t);
/* What masks hold goes on when the host has said nothing for MASK_PAUSE_MS, though it could: nothing of any stream waits for the program meanwhile. came: it said something
 * in this turn. */
bool two_let_go_late(struct two *o, bool came);

#endif
