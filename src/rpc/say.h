/* say - what a client is told, a line each.
 *
 * Owns:   the form of answers, errors and notes: JSON-RPC 2.0.
 * Holds:  what is written is one line, whatever was put into it. Between a beginning and its end the caller puts the members of one object (result or
 *         params). Codes become numbers by the table of include/ambit/codes.h, but that what is wrong with a request is never told as wrong JSON.
 * Called: the role ambit-rpc; pure, but for the memory of the buffer. */
#ifndef RPC_SAY_H
#define RPC_SAY_H

#include "base/json.h"
#include "rpc/method.h"

#define SAY_NO_JSON (-32700)
/* What is no request at all, whatever else its code says. */
#define SAY_NO_REQUEST (-32600)
#define SAY_NO_METHOD (-32601)
#define SAY_PARAMS (-32602)

/* id: JSON; "": nobody waits for it, and nothing is to be said. */
void say_result(struct json *j, struct buf *out, const char *id);
void say_result_end(struct json *j);
/* id NULL: null. number 0: the code's. */
void say_error(struct buf *out, const char *id, const struct mistake *m, int number);
void say_note(struct json *j, struct buf *out, enum note n);
void say_note_end(struct json *j);
/* The member `error` of a note. */
void say_why(struct json *j, const struct err *e);

/* Members of the object at hand. */
struct session_row;
struct session_ready;
struct event_row;
void say_session(struct json *j, const struct session_row *r);
void say_event(struct json *j, const struct event_row *r);

#endif
