/* web - clients of the Model Context Protocol that come by HTTP, and the servers that answer them, each a process that speaks in lines.
 *
 * Owns:   struct web: the connections, the streams to the servers, which request waits for which answer, and what was told by streams and may be asked for again.
 * Holds:  all is bounded by the numbers below, whatever clients and servers do, and in time: who says half a request, or takes nothing, is left. A server speaks with one principal alone, whose session nobody else
 *         finds. What a server hears is one line of JSON for each message that was taken, with an id of ours, so that an answer is the one to that request. Nothing of a head is passed on.
 * Called: main.c; tests, with descriptors of their own. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "http/chunk.h"
#include "rpc/member.h"
#include "rpc/port.h"
#include "web/jwt.h"
#include "web/link.h"
#include "web/wanted.h"

#define WEB_CONNS_MAX 64
#define WEB_CONNS_EACH 24            /* with a request at hand, or a part of one, of one principal among several */
#define WEB_SERVERS_EACH 4           /* likewise */
#define WEB_ASKED_MAX 32             /* requests to one server that are not answered */
#define WEB_ID_MAX 160               /* of a request or a progress token, as JSON, with a NUL */
#define WEB_BODY_MAX (4u << 20)      /* a line of the server's (rpc/frame.h) */
#define WEB_BODIES_MAX (32u << 20)   /* of all requests that are not whole, */
#define WEB_BODIES_EACH (16u << 20)  /* and of those of one principal among several */
#define WEB_LINE_MAX (16u << 20)     /* of a server */
#define WEB_TO_SERVER_MAX (8u << 20) /* that it did not take */
#define WEB_OUT_LOW (256u << 10)     /* with so much that a client has not taken, its server is not read */
#define WEB_KEPT_MAX 128             /* events that may be asked for again, of one session, */
#define WEB_KEPT_BYTES (2u << 20)    /* and their bytes */
#define WEB_READ (64u << 10)

#define WEB_HEAD_MS 10000u    /* a head comes within that, */
#define WEB_BODY_MS 30000u    /* and what follows it; */
#define WEB_IDLE_MS 60000u    /* a connection that is kept says something; */
#define WEB_STALL_MS 20000u   /* what is told is taken, in part */
#define WEB_END_MS 2000u      /* who was told to go goes */
#define WEB_STREAM_MS 1000u   /* what is not answered by then is answered by a stream */
#define WEB_BEAT_MS 15000u    /* a stream where nothing is told says that it is there */
#define WEB_GONE_MS 2000u     /* a session that nobody listens to any more makes room for another after that, */
#define WEB_SPARE_MS 60000u   /* and one that was not used for that; */
#define WEB_LEAVE_MS 3600000u /* it ends then in any case */

#define MCP_MODERN "2026-07-28"
#define MCP_RESUMES "2025-11-25" /* from here on a client knows events without data */
#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_LOG "io.modelcontextprotocol/logLevel"
#define META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

struct who {
	uint8_t id[SHA256_BYTES]; /* zeroes: whoever connects */
	uint64_t until_s;         /* 0: for ever */
};

struct conn;

/* A request that its server has. */
struct asked {
	bool used;
	bool initializes, logs;
	uint64_t own;           /* the id by which the server knows it */
	char id[WEB_ID_MAX];    /* as the client wrote it */
	char token[WEB_ID_MAX]; /* of its progress; "": none */
	struct conn *conn;      /* borrowed: who waits for it; NULL: nobody is there */
	uint32_t stream;        /* that was begun for it; 0: none */
	uint64_t since_ms;
};

/* An event of a stream. Stream 0 is that of what no request is about (GET). */
struct kept {
	uint32_t stream;
	uint64_t number;
	bool told;
	struct buf line; /* owned */
};

struct server {
	enum server_state { SERVER_NONE, SERVER_OPENING, SERVER_OPEN } state;
	bool modern;
	uint32_t number; /* by which the command line knows it */
	int fd;          /* owned; -1: it is not there yet */
	struct who who;
	char id[33];      /* Mcp-Session-Id; "": modern */
	char version[24]; /* that was agreed upon; "": not yet */
	struct buf in, out;
	size_t looked, out_at;
	struct asked asked[WEB_ASKED_MAX];
	bool was_heard;                 /* somebody listened */
	struct conn *listens;           /* borrowed: who hears what no request is about */
	struct kept kept[WEB_KEPT_MAX]; /* the oldest first */
	size_t n_kept, kept_bytes;
	uint32_t last_stream;
	uint64_t last_event, last_own, used_ms;
};

enum conn_state {
	CONN_HEAD, /* of the next request */
	CONN_BODY,
	CONN_WAITS,   /* for an answer */
	CONN_STREAMS, /* events are told as they come */
	CONN_ENDS,    /* nothing is heard any more, and nothing told but what waits */
};

struct conn {
	int fd; /* owned; -1: a free place */
	enum conn_state state;
	bool closes;              /* after this answer */
	bool said_all;            /* nothing more is told */
	bool used;                /* it had one */
	struct wanted want;       /* of the request at hand */
	struct who who;           /* of its principal */
	struct buf in, body, out; /* body: of chunks */
	size_t out_at;
	struct chunked chunks;
	struct server *server; /* borrowed: WAITS, STREAMS */
	struct server *from;   /* borrowed: whose words it has not taken yet; NULL: there are none */
	struct asked *asked;   /* borrowed: likewise; NULL: it listens */
	uint64_t since_ms, moved_ms;
	uint64_t stalled_ms; /* since then it takes nothing of what it is told; 0: it does */
};

struct web {
	struct port owner; /* owned: the command line */
	struct web_begin rules;
	struct keys keys;
	bool broken; /* the command line said what it may not */
	uint64_t now_ms;
	uint32_t last_server;
	struct conn conns[WEB_CONNS_MAX];
	struct server servers[WEB_SERVERS_MAX];
	uint8_t page[WEB_READ];
};

/* Takes owner. NULL: no memory. */
struct web *web_new(int owner, const struct web_begin *rules);
void web_free(struct web *w);
/* One turn; waits for something to do for so long at most, -1: for ever. False: the command line is gone. */
bool web_turn(struct web *w, int wait_ms);

/* ---- between its files ---- */

/* conn.c: a connection, and where its requests begin and end. */
void conn_new(struct web *w, int fd); /* takes it */
void conn_free(struct web *w, struct conn *c);
short conn_wants(const struct conn *c); /* of poll(2) */
void conn_turn(struct web *w, struct conn *c, short events);
void conn_tick(struct web *w, struct conn *c); /* whatever time brings */

/* who.c: whose request it is. */
bool who_is(const struct web *w, const struct http_head *h, struct who *ret, struct no *no);
bool who_is_same(const struct who *a, const struct who *b);

/* answer.c: what a connection is told. id: JSON; NULL: null. */
void answer_no(const struct web *w, struct conn *c, const struct no *no, const char *id);
void answer_json(const struct web *w, struct conn *c, unsigned status, const char *session, const struct buf *body);
void answer_nothing(const struct web *w, struct conn *c, unsigned status);
void answer_options(const struct web *w, struct conn *c);
void answer_metadata(const struct web *w, struct conn *c);
void stream_begin(const struct web *w, struct conn *c, const char *session);
/* number 0: it cannot be asked for again. */
void stream_event(struct conn *c, uint32_t stream, uint64_t number, const void *line, size_t n);
void stream_beat(struct conn *c);
void stream_end(struct conn *c);

/* request.c: a request that is whole. */
void request_take(struct web *w, struct conn *c, struct buf *body);

/* session.c: servers, and their sessions. */
struct server *session_new(struct web *w, const struct who *who, bool modern, struct no *no);
struct server *session_find(struct web *w, const struct who *who, const char *id); /* NULL: there is none */
struct server *session_modern(struct web *w, const struct who *who);
void session_end(struct web *w, struct server *s, const char *why);
void session_opened(struct web *w, uint32_t number, int fd); /* takes it; -1: it could not be */
bool session_reads(const struct web *w, const struct server *s);
void session_turn(struct web *w, struct server *s, short events);
void session_tick(struct web *w, struct server *s);

/* route.c: which message is whose. */
struct asked *asked_new(struct server *s);
struct asked *asked_of_id(struct server *s, const char *id, struct asked *after);
struct asked *asked_of_own(struct server *s, uint64_t own);
/* Nobody waits for it any longer. */
void asked_free(struct asked *a);
void route_line(struct web *w, struct server *s, const char *line, size_t n);
/* Its server says nothing more of it: nor is who waited told anything. */
void route_cancelled(struct web *w, struct asked *a);
/* Who waited is told by an error; the connection goes on. */
void route_lost(struct web *w, struct server *s, struct asked *a, const char *why);
/* A stream in place of an answer. */
void route_stream(struct web *w, struct server *s, struct asked *a);
/* What came behind that event, and from here on what comes. */
bool route_resume(struct web *w, struct server *s, struct conn *c, const char *event, struct no *no);
void route_listen(struct web *w, struct server *s, struct conn *c);

/* A line with other values in some places. */
struct cut {
	struct member at;
	const char *with;
};
void cuts_put(struct buf *out, const char *line, size_t n, struct cut *cuts, size_t n_cuts);

#endif
