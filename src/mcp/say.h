/* say - what a client of MCP is told, a line each.
 *
 * Owns:   the form of answers, errors and notes: JSON-RPC 2.0 as the Model Context Protocol has it.
 * Holds:  what is written is one line of UTF-8, whatever was put into it. Between a beginning and its end the caller puts the members of one object.
 * Called: the role ambit-mcp; pure, but for the memory of the buffer. */
#ifndef MCP_SAY_H
#define MCP_SAY_H

#include <stdbool.h>

#include "base/json.h"
#include "rpc/parse.h"

/* Numbers of JSON-RPC, and of MCP (2026-07-28, "Error codes"). */
enum {
	SAY_NO_JSON = -32700,
	SAY_NO_REQUEST = -32600,
	SAY_NO_METHOD = -32601,
	SAY_PARAMS = -32602,
	SAY_INTERNAL = -32603,
	SAY_CAPABILITY = -32021,
	SAY_VERSION = -32022,
};

/* The revisions of the protocol: of MODERN each request says what it is. */
enum era { ERA_LEGACY /* 2025-11-25 and before */, ERA_MODERN /* 2026-07-28 */ };

/* id: JSON. */
void say_result(struct json *j, struct buf *out, const char *id);
void say_result_end(struct json *j);
/* id NULL: null. */
void say_error(struct buf *out, const char *id, const struct mistake *m, int number);
/* That it did not say that it takes tasks. */
void say_capability(struct buf *out, const char *id);
/* As clients know that there is no such resource: by data that has the uri, and nothing else. */
void say_no_resource(struct buf *out, const char *id, const char *uri, const struct mistake *m);
void say_note(struct json *j, struct buf *out, const char *method);
void say_note_end(struct json *j);
/* Text of a program's, as text: what is no UTF-8 is shown as the character that stands for it (U+FFFD), what is cut ends with a whole one. */
void say_text(struct json *j, const void *bytes, size_t n);

/* One block of content that is text. */
void say_content_text(struct json *j, const void *bytes, size_t n);
/* Name and version of this server. */
void say_implementation(struct json *j);
/* That a result is one, and no question, and whose: members of it, where the revision has them. */
void say_kind(struct json *j, enum era era);
/* How long a client may keep it, where the revision has that. */
void say_fresh(struct json *j, enum era era, unsigned ms);

#endif
