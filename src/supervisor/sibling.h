/* sibling - what a sub-agent is asked for with, and what became of it.
 *
 * Owns:   struct sibling_ask and struct sibling_end with their encodings. The first goes from the program in the cell to the supervisor with
 *         what it wants, and from there to the library with what it gets.
 * Holds:  what was taken is well-formed: each grant is one, texts end, paths are normal. Whether it may be had is derive.h's to say.
 * Called: lib (both ends), supervisor; pure. */
#ifndef SUPERVISOR_SIBLING_H
#define SUPERVISOR_SIBLING_H

#include "cell/spec.h"
#include "core/grant.h"
#include "core/id.h"
#include "core/limits.h"
#include "core/outcome.h"

#define SIBLING_TREES_MAX 7        /* with three streams as many as travel with one message */
#define SIBLING_STAGED 0x80000000u /* beside a grant's number: its tree lies in the caller's stage */
#define SIBLING_INHERITS 1u        /* no grants are named: all that can be derived from the caller's */
#define SIBLING_TERMINAL 2u        /* one of its streams is a terminal */
#define SIBLING_HANDED 4u          /* it is the session's, and goes on when who asked has ended */

struct sibling_ask {
	uint32_t flags;                 /* SIBLING_* */
	char agent[AGENT_NAME_MAX];     /* "": as the grant says */
	char workdir[GRANT_OBJECT_MAX]; /* absolute and normal */
	struct limits limits;           /* 0: as the caller's */
	struct grant_set grants;
	struct rbuf program; /* program_encode; borrowed from what it was taken from */
};

/* The trees of the caller's cell that a sub-agent's is made of, by grant, and the id that they belong to. */
struct sibling_trees {
	uint32_t uid;
	uint32_t n;
	uint32_t grant[SIBLING_TREES_MAX]; /* with SIBLING_STAGED */
	int fd[SIBLING_TREES_MAX];         /* owned where they end */
};

/* Of which of the caller's grants a sub-agent's are derived, by number, and which lets there be one. */
struct sibling_from {
	uint32_t delegate, n;
	uint32_t grant[GRANTS_MAX];
};

void sibling_put_from(struct buf *out, const struct sibling_from *f);
/* n: how many the caller has. */
bool sibling_take_from(struct rbuf *in, uint32_t n, struct sibling_from *ret);

void sibling_put(struct buf *out, const struct sibling_ask *a);
/* -MALFORMED. */
int sibling_take(struct rbuf *in, struct sibling_ask *ret, struct err *e);

struct sibling_end {
	uint32_t number; /* of the supervisor's own; nothing to the cell */
	uint32_t cause;  /* enum event_cause */
	uint32_t limit;  /* enum limit, with CAUSE_LIMIT */
	uint32_t exit_status, signal;
	uint32_t denied;         /* 1: something was */
	char event[ID_TEXT_MAX]; /* "": there was none */
	struct err
		error; /* with CAUSE_REFUSED; with CAUSE_EXITED why it failed all the same: it is strict. Else its code is AMBIT_OK */
};

void sibling_refuse(struct sibling_end *end, const struct err *e);

void sibling_put_end(struct buf *out, const struct sibling_end *end);
bool sibling_take_end(struct rbuf *in, struct sibling_end *ret);

#endif
