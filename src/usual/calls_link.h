/* calls_link - what a gate asks of the keeper of profiles about its calls (doc/PROFILE-CALLS.md).
 *
 * Owns:   the bodies of USUAL_CALLS, USUAL_CALL, USUAL_CALLED, USUAL_BEGUN and USUAL_VERDICT.
 * Holds:  a connection has one run of one gate. Texts in a verdict are a client's: bounded, with any byte but NUL.
 * Called: lib, cli (ask), usual (answers); pure. */
#ifndef USUAL_CALLS_LINK_H
#define USUAL_CALLS_LINK_H

#include <stdbool.h>

#include "base/buf.h"
#include "core/grant.h"
#include "core/id.h"
#include "core/tool.h"

#define USUAL_ITEMS_KEY 16
#define USUAL_ITEMS_MAX 24200 /* CALL_BYTES_MAX of profile/call_link.h */
#define USUAL_REASONS 3
#define USUAL_BITS_MAX 1e9
#define USUAL_REASON_MAX 320

/* USUAL_CALLS: a run of a gate begins; what it had learned when its connection ends is learned then. */
struct usual_calls {
	char server[TOOL_SERVER_MAX + 1], agent[AGENT_NAME_MAX]; /* agent: "" if nobody named one */
	char event[ID_TEXT_MAX];                                 /* in which the server runs */
};
/* USUAL_BEGUN */
struct usual_begun {
	uint8_t key[USUAL_ITEMS_KEY]; /* of what items are hashed with */
	uint32_t runs;                /* that are known */
};

/* USUAL_VERDICT */
struct usual_verdict {
	bool unusual, young;
	bool asks; /* and a person is to be asked: of a young profile nobody is */
	uint32_t runs;
	double bits;
	unsigned n;
	struct usual_reason {
		double bits;
		char text[USUAL_REASON_MAX];
	} reasons[USUAL_REASONS];
};

enum usual_fate {
	USUAL_LET = 1,  /* it was let through */
	USUAL_RELEASED, /* likewise, since a person said yes */
	USUAL_WAITS,    /* a person is asked */
	USUAL_NEVER,    /* a person said no */
	USUAL_FATES
};
/* USUAL_CALLED: of the call before. */
struct usual_called {
	uint8_t fate;   /* enum usual_fate */
	bool untrusted; /* what was read before is labelled so */
	char event
		[ID_TEXT_MAX]; /* of USUAL_WAITS: by which a person can say later what it was (USUAL_SETTLE); "": they cannot */
};

/* USUAL_CALL: one that is asked for. It is no part of the run until it is said what became of it: by USUAL_CALLED, or with the next one, so that nobody is woken up for it. */
struct usual_call {
	struct usual_called before; /* fate 0: nothing is said */
	bool untrusted;             /* what was read before is labelled so */
	const uint8_t *items;       /* borrowed; as profile/call_link.h has it */
	size_t n;
};

void usual_calls_put(struct buf *out, const struct usual_calls *q);
bool usual_calls_take(struct rbuf *in, struct usual_calls *ret);
void usual_begun_put(struct buf *out, const struct usual_begun *b);
bool usual_begun_take(struct rbuf *in, struct usual_begun *ret);
void usual_call_put(struct buf *out, const struct usual_call *q);
bool usual_call_take(struct rbuf *in, struct usual_call *ret);
void usual_verdict_put(struct buf *out, const struct usual_verdict *v);
bool usual_verdict_take(struct rbuf *in, struct usual_verdict *ret);
void usual_called_put(struct buf *out, const struct usual_called *q);
bool usual_called_take(struct rbuf *in, struct usual_called *ret);

#endif
