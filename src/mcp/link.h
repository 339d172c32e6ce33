/* link - what the command line and the role ambit-mcp tell each other.
 *
 * Owns:   the bodies of the messages MCP_* (wire/messages.def).
 * Holds:  all are of one size. The role names events by their number in its session alone: who takes it over asks nothing of others.
 * Called: mcp, cli; pure. */
#ifndef MCP_LINK_H
#define MCP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/id.h"

/* MCP_BEGIN, with two descriptors: what the client says, and what it hears. */
#define MCP_KEY_BYTES 32
struct mcp_begin {
	uint32_t tools;             /* TOOL_BIT(...) */
	uint32_t flags;             /* MCP_REACHES, ... */
	uint8_t key[MCP_KEY_BYTES]; /* of what the client carries for us (requestState) */
	char files[256];            /* the program ambit-files, as the cell has it */
};
enum { MCP_REACHES = 1 /* something of a network is granted */, MCP_FLAGS = 1 };
void mcp_begin_put(struct buf *out, const struct mcp_begin *b);
bool mcp_begin_take(struct rbuf *in, struct mcp_begin *ret);

/* MCP_OPEN: the client wants the session, which is made only now: a client may start a server for one question, and kill it. MCP_SESSION answers, with two descriptors: a
 * channel of which READY was taken, and what `session` tells of it, as one object of JSON that is ours; or MCP_FAILED, with an error, why there is none. */
struct mcp_session {
	char session[ID_TEXT_MAX];
	uint64_t latest; /* number of its last event; 0: none, unless it was gone on with */
};
void mcp_session_put(struct buf *out, const struct mcp_session *s);
bool mcp_session_take(struct rbuf *in, struct mcp_session *ret);

/* MCP_ASK: what is to be done with the changes of one event of the session; MCP_TOLD answers it, with a file of what was said of it. */
enum mcp_deed { MCP_DIFF = 1, MCP_COMMIT, MCP_DISCARD, MCP_DEED_COUNT };
struct mcp_ask {
	uint32_t request, deed;
	uint64_t n;
};
void mcp_ask_put(struct buf *out, const struct mcp_ask *a);
bool mcp_ask_take(struct rbuf *in, struct mcp_ask *ret);

struct mcp_told {
	uint32_t request;
	uint32_t status; /* as `ambit diff|commit|discard` exits */
};
void mcp_told_put(struct buf *out, const struct mcp_told *t);
bool mcp_told_take(struct rbuf *in, struct mcp_told *ret);

/* MCP_LEFT: the client has gone, and so does the role. Without it a role that is gone was ended by something else. */

#endif
