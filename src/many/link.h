/* link - what the command line and the role ambit-many tell each other.
 *
 * Owns:   the bodies of the messages MANY_* (wire/messages.def).
 * Holds:  all are bounded, and what was put is taken again. Servers are known by their numbers, in the order in which they were told.
 * Called: many, cli; pure. */
#ifndef MANY_LINK_H
#define MANY_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define MANY_SERVERS_MAX 16
#define MANY_SERVER_MAX 33 /* of a name of a server, with its NUL: small letters, digits, dashes (policy/policy.h) */
#define MANY_TOOL_MAX 129  /* of a tool, likewise */
#define MANY_LIKES_MAX 256 /* that a person approved */

/* MANY_SERVER, with what it hears and what it says: one after the other, before MANY_BEGIN. */
void many_server_put(struct buf *out, const char *name);
bool many_server_take(struct rbuf *in, char ret[MANY_SERVER_MAX]);

/* MANY_LIKED, before MANY_BEGIN: a person knows that the two look alike. MANY_ALIKE: a tool is left out, since it looks like the other; or it has no name that can stand behind a prefix, and other is the same. */
struct many_like {
	uint32_t server, other;
	char tool[MANY_TOOL_MAX], other_tool[MANY_TOOL_MAX];
};
void many_like_put(struct buf *out, const struct many_like *l);
bool many_like_take(struct rbuf *in, struct many_like *ret);

/* MANY_BEGIN, with what the client says and hears: how long is waited for one server where the others have answered. */
struct many_begin {
	uint32_t begin_ms, list_ms;
	uint32_t fresh; /* 1: there is one server, and each call has another of it */
};
void many_begin_put(struct buf *out, const struct many_begin *b);
bool many_begin_take(struct rbuf *in, struct many_begin *ret);

/* FRESH_WANT: a server for a call. FRESH_GIVEN has what it hears and what it says. FRESH_OVER: it has answered, well or not (good), and is to be ended. */
struct many_call {
	uint32_t number, good;
};
void many_call_put(struct buf *out, const struct many_call *c);
bool many_call_take(struct rbuf *in, struct many_call *ret);

/* FRESH_DONE: it has ended, and what it changed is there, if it was good; or why not, or why there is none. */
struct many_done {
	uint32_t number;
	struct err why; /* OK: it is */
};
void many_done_put(struct buf *out, const struct many_done *d);
bool many_done_take(struct rbuf *in, struct many_done *ret);

#endif
