/* rpc - one client of JSON-RPC, and what it has with the daemon and with sessions.
 *
 * Owns:   struct rpc: the client's connection, those to the daemon and to roles of sessions, what was asked and is not answered, and the events that
 *         are followed.
 * Holds:  all of it is bounded by the numbers below, whatever client and programs do. Nothing is read for a client who does not read: not what he
 *         says, not what others tell, not a byte of output. Requests of one client hold up none but his.
 * Called: main.c; tests, with connections of their own. */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include "rpc/chunk.h"
#include "rpc/frame.h"
#include "rpc/port.h"
#include "rpc/say.h"
#include "session/pace.h"

#define RPC_PROTOCOL 1
#define RPC_CHANNELS_MAX 64       /* sessions that are open */
#define RPC_FOLLOWED_MAX 128      /* events that are followed, waited for, or read while they run */
#define RPC_REQUESTS_MAX 256      /* that are not answered */
#define RPC_ID_MAX 160            /* of a request, as JSON, with a NUL */
#define RPC_INPUT_MAX (4u << 20)  /* that programs did not take yet, of all events */
#define RPC_LIST_MAX 256          /* events in one answer */
#define RPC_PAGE_MAX (256u << 10) /* bytes of output in one answer, and 64 KB if nothing is said */
#define RPC_CHUNK (32u << 10)     /* in one note */
#define RPC_OUT_LOW (256u << 10)  /* with so much that the client has not taken, nothing more is read for him */
#define RPC_OUT_MAX (8u << 20) /* one answer more, at its longest: a page of sessions, or all that was lost with one */

struct channel {
	struct port port; /* owned */
	bool ready;       /* its first word came */
	bool watched;     /* event.list with `follow` */
	uint32_t opening; /* the request that waits for it; 0: none */
	uint32_t listing; /* the request that has its turn; 0: none */
	char session[ID_TEXT_MAX];
};

enum awaits {
	AWAIT_NONE, /* a free place */
	AWAIT_NOW,  /* is being looked at */
	AWAIT_CHANNEL,
	AWAIT_READY,
	AWAIT_SESSIONS,
	AWAIT_STATUS,
	AWAIT_NARROWED,
	AWAIT_TAKEN,
	AWAIT_FILES,
	AWAIT_RECORD,
	AWAIT_DONE,
	AWAIT_TURN, /* another list of that session is being told */
	AWAIT_EVENTS,
	AWAIT_INPUT, /* until all of it is taken */
	AWAIT_OVER,
	AWAIT_STEP, /* the end of a step of a kernel */
	AWAIT_HALTED,
};

struct request {
	enum awaits awaits;
	enum method method;
	uint32_t number;     /* by which daemon and roles know it */
	char id[RPC_ID_MAX]; /* JSON; "": nobody waits for the answer */
	char session[ID_TEXT_MAX];
	struct channel *channel; /* borrowed; NULL: it is the daemon's, or ours */
	uint64_t n;
	bool follow, wait, brings, more, end;
	uint64_t at[2];         /* EVENT_FOLLOW; EVENT_READ: the first */
	uint32_t stream, bytes; /* EVENT_READ */
	uint32_t limit, count;  /* rows: how many at most, and by now */
	struct buf kept;        /* owned: rows, or input */
	size_t kept_at;         /* of input: taken by now */
	struct session_taken taken;
	uint64_t step; /* KERNEL_RUN, KERNEL_WAIT; 0: its number did not come yet */
};

/* An event of which the role tells us. */
struct followed {
	struct channel *channel; /* borrowed; NULL: a free place */
	uint64_t n;
	uint32_t asked;       /* the number with which its files were asked for; 0: they are there */
	uint32_t asked_input; /* and its input; 0: not */
	int file[3];          /* owned: what it writes, and its result; -1 */
	int input;       /* owned; -1: held only while there is something to write, or who ends it would not end it */
	bool told;       /* the client hears of it */
	bool grew;       /* and the role waits to hear that it was taken up */
	bool stirred[2]; /* there may be more to read */
	uint64_t at[2];  /* next byte to tell */
	bool over;
	struct event_row row; /* then */
};

struct rpc {
	int client;    /* owned */
	bool said_all; /* it will say nothing more */
	bool deaf;     /* nor does it hear */
	bool met;      /* it said hello */
	bool greeted;  /* the daemon did */
	struct serve_hello daemon_is;
	struct frame in;
	bool dry;         /* no whole line is in it */
	struct pace pace; /* of lines: else a flood of them has a processor */
	struct buf out;
	size_t out_at; /* taken by now */
	struct port daemon;
	struct channel *channels[RPC_CHANNELS_MAX]; /* owned */
	struct request requests[RPC_REQUESTS_MAX];
	struct followed followed[RPC_FOLLOWED_MAX];
	uint32_t last_number;
	unsigned turn; /* whose output comes next */
	uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];
	uint8_t page[RPC_PAGE_MAX];
};

/* Takes both descriptors. NULL: no memory. */
struct rpc *rpc_new(int client, int daemon);
void rpc_free(struct rpc *r);
/* One turn; waits for something to do for so long at most, -1: for ever. False: it is over. */
bool rpc_turn(struct rpc *r, int wait_ms);

/* ---- between its files ---- */

/* request.c */
uint32_t rpc_number(struct rpc *r);
struct request *request_new(struct rpc *r, struct err *e); /* -LIMIT: NULL */
struct request *request_of(struct rpc *r, uint32_t number, enum awaits awaits);
unsigned request_count(const struct rpc *r, enum awaits awaits);
void request_free(struct request *q);
/* Answers, and frees it. */
void request_fail(struct rpc *r, struct request *q, const struct err *e);
void request_done(struct rpc *r, struct request *q); /* with an empty object */

/* asked.c: one line of the client. */
void rpc_asked(struct rpc *r, const char *line, size_t n);
void rpc_asked_too_long(struct rpc *r);

/* ask_daemon.c, ask_session.c: the method's request. A negative code: *m has it, and the caller answers and frees. */
typedef int ask_method(struct rpc *r, struct request *q, const json_t *params, struct mistake *m);
ask_method ask_hello, ask_status, ask_new, ask_open, ask_list, ask_show, ask_narrow;
/* -GONE: it is; else 0. */
int daemon_gone(const struct rpc *r, struct mistake *m);
/* halt.c */
ask_method ask_freeze, ask_thaw, ask_kill;
void rpc_halted(struct rpc *r, const struct channel *c, const struct link_halted *done);
/* step.c */
ask_method ask_step, ask_step_wait, ask_step_stop, ask_kernel_end;
/* DONE of one of them. */
void step_done(struct rpc *r, struct request *q, uint64_t value);
void step_over(struct rpc *r, const struct channel *c, const struct step_row *row);
ask_method ask_leave, ask_end, ask_run, ask_follow, ask_unfollow, ask_input, ask_signal, ask_cancel, ask_resize,
	ask_events, ask_event, ask_read;
uint64_t param_count(const json_t *params, const char *key, uint64_t otherwise);
bool param_bool(const json_t *params, const char *key, bool otherwise);
/* Sends the next list of the channel, if one waits. */
void list_next(struct rpc *r, struct channel *c);

/* channel.c */
struct channel *channel_of(struct rpc *r, const char *session);
struct channel *channel_new(struct rpc *r, int fd, const char *session); /* takes fd; NULL: no place or memory */
void channel_drop(struct rpc *r, struct channel *c, const struct err *why);
/* Tells that it is gone, and drops it. */
void channel_lost(struct rpc *r, struct channel *c, const struct err *why);
int channel_ask(struct channel *c, enum wire_number number, const struct session_event *q, struct err *e);

/* told.c: what the daemon, and the role of a session, say. False: the other side is gone, or says what it may not. */
bool rpc_told_by_daemon(struct rpc *r);
bool rpc_told_by_session(struct rpc *r, struct channel *c);

/* follow.c */
struct followed *followed_find(struct rpc *r, const struct channel *c, uint64_t n);
/* The one that there is, or a new one, of which the files were asked for. */
struct followed *followed_get(struct rpc *r, struct channel *c, uint64_t n, struct err *e);
unsigned followed_count(const struct rpc *r);
void followed_tell(struct followed *f, uint64_t out_at, uint64_t err_at);
void followed_free(struct followed *f);
/* False: not what was asked for. */
bool followed_got_files(struct rpc *r, struct channel *c, struct wire_message *m);
bool followed_failed(struct rpc *r, const struct channel *c, uint32_t number, const struct err *e);
void followed_grew(struct rpc *r, const struct channel *c, const struct session_grew *g);
void followed_over(struct rpc *r, const struct channel *c, const struct event_row *row);
void followed_lost(struct rpc *r, struct followed *f, const struct err *why);
/* Not told any more: what is over goes. */
void followed_quiet(struct rpc *r, struct followed *f);
/* Tells one chunk; false: there is nothing to tell. */
bool rpc_pump(struct rpc *r);
/* What fd has there, if it is short; else null. */
void put_brought(struct rpc *r, struct json *j, const char *key, int fd, uint64_t at, uint64_t size);
void answer_page(struct rpc *r, struct request *q, int fd);
/* input.c */
struct request *input_of(struct rpc *r, const struct channel *c, uint64_t n);
int input_ask(struct rpc *r, struct channel *c, uint64_t n, struct err *e);
void input_write(struct rpc *r, struct followed *f);
size_t input_pending(const struct rpc *r);

#endif
