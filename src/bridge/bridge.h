/* bridge - a server of the Model Context Protocol that is reached by streamable HTTP, as lines on two streams.
 *
 * Owns:   struct bridge: the two streams, each request that was not answered yet with its connection, the session of the server, and connections that may be used again.
 * Holds:  each line that comes is one request to the one address that was named, and each message of the server is one line, to the byte but for its ends of lines, if it is one object of JSON by the strictest
 *         reading. Each request gets one answer: the server's, by its id and on its own stream, or one of ours that says what failed. Nothing is followed, no credential is here, and all is bounded.
 * Called: main.c; tests, with descriptors of their own. */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include <jansson.h>

#include "base/err.h"
#include "bridge/sse.h"
#include "bridge/talk.h"
#include "core/url.h"
#include "rpc/frame.h"

#define BRIDGE_REQUESTS_MAX 64 /* that are not answered */
#define BRIDGE_NOTES_MAX 16    /* that are on their way: notes, answers, the standing stream, the end */
#define BRIDGE_CALLS_MAX (BRIDGE_REQUESTS_MAX + BRIDGE_NOTES_MAX)
#define BRIDGE_IDLE_MAX 8
#define BRIDGE_BODY_MAX (4u << 20)  /* of an answer, as a line of the gate's */
#define BRIDGE_HELD_MAX (48u << 20) /* of all that is not whole yet */
#define BRIDGE_OUT_LOW (256u << 10) /* with so much that nobody took, nothing more is heard */
#define BRIDGE_OUT_MAX (64u << 20)
#define BRIDGE_DEPTH_MAX 64u /* of a message, as the gate's */
#define BRIDGE_VALUES_MAX 200000u
#define BRIDGE_STRAY_MAX 64   /* messages that belong nowhere, before the server is left */
#define BRIDGE_TOKEN_MS 1500u /* in which a token that was renewed gets to who attaches it */
#define BRIDGE_TRIES_MAX 5    /* to go on with a stream that broke off, without an event in between */
#define BRIDGE_AGAIN_MS 1000u /* before that, where the server says nothing */
#define BRIDGE_OPENS_MS 2000u /* for the standing stream: what a server asks before it stands is lost */
#define BRIDGE_SOONEST_MS 50u /* whatever it says */
#define BRIDGE_SESSION_MAX 1024
#define BRIDGE_VERSION_MAX 32
#define BRIDGE_BYE_MS 1000u /* for the end of the session */

enum call_kind {
	CALL_FREE,
	CALL_REQUEST, /* which wants an answer */
	CALL_NOTE,    /* which wants none: a note, or an answer of the client's */
	CALL_STREAM,  /* by which the server speaks unasked (2025-11-25) */
	CALL_BYE,     /* the end of the session */
};

enum call_body { BODY_NONE, BODY_JSON, BODY_EVENTS, BODY_COMPLAINT /* why it is refused */ };

struct call {
	struct bridge *of;
	enum call_kind kind;
	struct talk talk;
	json_t *id;                   /* owned; NULL: no request */
	bool modern, begins, begun;   /* 2026-07-28; it is `initialize`, or the note behind it */
	bool answered, good, resumes; /* good: by a result */
	bool own;                     /* nobody waits for it but us */
	bool waits, rebegun;          /* for a new session; and then, or before, it was asked again in one */
	uint32_t of_session;          /* the number of that in which it was asked; 0: in none */
	bool repeated;                /* it was refused for its token, and is asked once more */
	bool is_body;                 /* what is asked again is the body alone, */
	struct buf request;           /* owned: this; empty: nothing */
	uint16_t status;
	enum call_body body_kind;
	struct buf body; /* owned */
	struct sse events;
	uint64_t opens_ms; /* not 0: of the standing stream, until it stands; then what comes next waits no longer */
	uint64_t again_ms; /* not 0: then its stream is asked for once more */
	unsigned tries;
	size_t passed; /* bytes of an answer that nobody wants */
};

struct bridge {
	const struct url *url; /* borrowed, as `net` is */
	const struct talk_net *net;
	int in, out; /* owned */
	bool said_all, deaf, over;
	struct frame lines;
	struct buf bytes; /* that nobody took */
	size_t at;
	struct call calls[BRIDGE_CALLS_MAX];
	struct talk idle[BRIDGE_IDLE_MAX];
	char session[BRIDGE_SESSION_MAX], version[BRIDGE_VERSION_MAX];   /* "": none */
	char lost[BRIDGE_SESSION_MAX], lost_version[BRIDGE_VERSION_MAX]; /* of the one that was forgotten */
	uint32_t n_sessions;                                             /* that were begun */
	json_t *params;           /* owned: which arguments a tool wants in fields, too (param.c) */
	struct buf hello, inited; /* owned: by which the client began */
	json_t *hello_id;         /* owned */
	unsigned stray;
	bool welcome;    /* something was answered with what is attached */
	uint64_t bye_ms; /* not 0: then it is over, whatever the server does */
	uint8_t page[FRAME_READ];
};

/* Takes both descriptors. NULL: no memory. */
struct bridge *bridge_new(const struct url *url, const struct talk_net *net, int in, int out);
void bridge_free(struct bridge *b);
/* One turn; waits for something to do for so long at most, -1: for ever. False: it is over. */
bool bridge_turn(struct bridge *b, int wait_ms);

/* ---- between its files ---- */

/* said.c: one line of the gate's. */
void said_line(struct bridge *b, const char *line, size_t n);
/* Whether what comes next has to wait: for the begin of a session, or for room. */
bool said_must_wait(const struct bridge *b);

/* param.c: an argument of a tool that says `x-mcp-header` stands in a field, too (2026-07-28). Of the tools in a result of tools/list; and those of one call. */
void param_learn(json_t *book, const json_t *result);
void param_put(struct buf *out, const json_t *book, const json_t *params);
/* As a field may have it; what it may not have, as base64. */
void param_value(struct buf *out, const char *text);

/* ask.c: requests of HTTP. Each false: there is no connection, or no memory. */
bool ask_post(struct bridge *b, struct call *c, const json_t *said, const char *line, size_t n);
/* The standing stream, or one that broke off. */
bool ask_stream(struct bridge *b, struct call *c);
/* The same request as before, which was not heard. */
bool ask_again(struct bridge *b, struct call *c);
bool ask_bye(struct bridge *b, struct call *c);

/* heard.c: what the server says. */
extern const struct talk_ear heard_ear; /* without whose it is */
void heard_end(struct bridge *b, struct call *c, enum talk_result how);
/* Of a request: one answer of ours. Else nothing. */
void heard_nothing(struct bridge *b, struct call *c, enum ambit_code code, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* session.c: whether a request was refused since the server forgot its session; then it waits, and is closed. */
bool session_is_lost(struct call *c, const struct http_head *h);
/* Begins another, if that was not done yet; each part of that has ended; and all of it. */
void session_begin(struct bridge *b, struct call *c);
void session_answered(struct bridge *b, const struct call *c, bool good);
void session_ended(struct bridge *b, bool good);

/* bridge.c */
struct call *call_new(struct bridge *b, enum call_kind kind); /* NULL: there are as many as may be */
void call_free(struct call *c);

#endif
