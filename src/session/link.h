/* link - what a client, the daemon and the role of a session tell each other.
 *
 * Owns:   the bodies of the messages SERVE_*, SESSION_*, HALT_* and ROLE_STATE (wire/messages.def), and what a session and a run are described by, which travels in
 *         parts.
 * Holds:  all but an error, an event's row and those descriptions are of one size; what was decoded is checked, for meaning too: who speaks for a client may have been
 *         taken over by what it read. A request carries a number of the client's choice, and each gets one answer with that number, in the order of the
 *         requests; what is told beside answers has none.
 * Called: serve, session, rpc, lib/daemon.c; pure. */
#ifndef SESSION_LINK_H
#define SESSION_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/id.h"
#include "core/kind.h"
#include "core/labels.h"
#include "core/outcome.h"

/* Of everything below; who has another is told so, and nothing else is understood. */
#define SESSION_REVISION 8

#define SESSION_COMMAND_MAX 256 /* what runs, for a list: cut, with its NUL */
#define SESSION_KEY_MAX 128     /* of an idempotency key, without its NUL */
#define SESSION_AGENT_MAX 64
#define SESSION_PLACE_MAX 4096

/* ---- the daemon and the role of a session ---- */

/* ROLE_STATE: what of a session is counted, since its process began. */
struct role_state {
	uint64_t running, taken, ended, failed, interrupted, denials;
};
void role_state_put(struct buf *out, const struct role_state *s);
void role_state_take(struct rbuf *in, struct role_state *ret);

/* ---- client and daemon ---- */

/* SERVE_HELLO: the daemon's first word. */
struct serve_hello {
	uint32_t revision;
	uint32_t pid;
	uint64_t dev, ino; /* of its directory of sessions */
	char version[32];
};
void serve_hello_put(struct buf *out, const struct serve_hello *h);
bool serve_hello_take(struct rbuf *in, struct serve_hello *ret);

/* SERVE_OPEN: a session that is there; SERVE_CHANNEL, with a descriptor, answers it and SERVE_NEW: a connection to the session's role. SERVE_NARROW: from
 * here on this connection, and whatever comes of it, has that session alone: there is no way back. */
struct serve_name {
	uint32_t request;
	char session[ID_TEXT_MAX];
};
void serve_name_put(struct buf *out, const struct serve_name *n);
bool serve_name_take(struct rbuf *in, struct serve_name *ret);

/* SERVE_LIST: sessions behind that one, in the order of their ids; "" is before the first. SERVE_ROW for each, then SERVE_DONE with how many: at most
 * SERVE_PAGE, and as many mean that there may be more. */
#define SERVE_PAGE 64
bool serve_list_take(struct rbuf *in, struct serve_name *ret); /* as serve_name, and "" is one */

enum session_state {
	SESSION_IDLE = 1,
	SESSION_BUSY /* events run */,
	SESSION_ENDED,
	SESSION_BROKEN /* cannot be read */,
	SESSION_STATE_COUNT
};

struct session_row {
	uint32_t request;
	uint32_t state;   /* enum session_state */
	uint64_t made_ms; /* since 1970 */
	uint64_t events;  /* numbers that were given */
	uint32_t running; /* events that run now */
	char session[ID_TEXT_MAX];
	char agent[SESSION_AGENT_MAX];
	char workspace[SESSION_PLACE_MAX];
};
void session_row_put(struct buf *out, const struct session_row *r);
bool session_row_take(struct rbuf *in, struct session_row *ret);

/* SERVE_DONE, SESSION_DONE: an answer that is a number; SERVE_STATUS, SESSION_RUN: a request without anything, value 0; SESSION_CLOSE: 0, or 1: not now, but when this connection is gone, however it goes; SERVE_NEW: 0, or link_key of the
 * description's key: the same key gives the same session, if it is described by the same bytes, and else is a conflict. */
struct link_number {
	uint32_t request;
	uint64_t value;
};
uint64_t link_key(const char *key);
void link_number_put(struct buf *out, const struct link_number *n);
bool link_number_take(struct rbuf *in, struct link_number *ret);

/* SERVE_TOLD answers SERVE_STATUS. Counts since the daemon began, but for what is there now. */
struct serve_status {
	uint32_t request;
	uint32_t pid;
	uint64_t started_ms; /* since 1970 */
	uint64_t clients, clients_now, sessions_now /* with a role of their own */, running_now;
	uint64_t sessions_made, events_taken, events_ended, events_failed, events_interrupted, denials,
		refused /* requests */;
};
void serve_status_put(struct buf *out, const struct serve_status *s);
bool serve_status_take(struct rbuf *in, struct serve_status *ret);

/* SERVE_FAILED, SESSION_FAILED: a request that was not done. */
void link_failed_put(struct buf *out, uint32_t request, const struct err *e);
/* Gives the error's negative code, or -PROTOCOL. */
int link_failed_take(struct rbuf *in, uint32_t *ret_request, struct err *ret);

/* ---- what stands still ---- */

/* To freeze, thaw or kill. SERVE_HALT: everything; SESSION_HALT: the session, or event n of it; HALT_ASK, to the role ambit-freeze: `what`. SERVE_HALTED, SESSION_HALTED and HALT_DONE
 * answer when that is true; on one connection these are done one after the other, in the order of the requests. */
#define HALT_ALL "all"
#define HALT_REASON_MAX 201 /* with its NUL */
enum halt_deed { HALT_FREEZE = 1, HALT_THAW, HALT_KILL, HALT_DEED_COUNT };
struct link_halt {
	uint32_t request;
	uint32_t deed;          /* enum halt_deed */
	uint32_t keep;          /* 1: what is killed stays frozen */
	uint64_t n;             /* 0: all of the session */
	char what[ID_TEXT_MAX]; /* HALT_ALL, or an id; of clients "" */
	char reason[HALT_REASON_MAX];
};
void link_halt_put(struct buf *out, const struct link_halt *h);
bool link_halt_take(struct rbuf *in, struct link_halt *ret);

struct link_halted {
	uint32_t request;
	uint32_t before;            /* 1: it was frozen already */
	uint32_t events, cancelled; /* that ran; that waited, and never begin */
};
void link_halted_put(struct buf *out, const struct link_halted *h);
bool link_halted_take(struct rbuf *in, struct link_halted *ret);

/* ---- client and session ---- */

/* SESSION_READY: the role's first word on a channel. */
struct session_ready {
	uint64_t next;   /* the number that the next event gets; the first is 1 */
	uint64_t oldest; /* the first whose result is kept */
	struct session_row row;
};
void session_ready_put(struct buf *out, const struct session_ready *r);
bool session_ready_take(struct rbuf *in, struct session_ready *ret);

/* SESSION_RUN has a request (link_number, value 0) and a struct run, in parts before it. SESSION_TAKEN answers: the event is written down, and nothing
 * but the death of the machine loses it. */
struct session_taken {
	uint32_t request;
	uint32_t replayed; /* 1: the key was there, with the same words; nothing was begun */
	uint64_t n;
	char event[ID_TEXT_MAX];
};
void session_taken_put(struct buf *out, const struct session_taken *t);
bool session_taken_take(struct rbuf *in, struct session_taken *ret);

/* SESSION_FOLLOW, SESSION_RECORD, SESSION_INPUT_END, SESSION_CANCEL, SESSION_SIGNAL, SESSION_RESIZE: of one event.
 * FOLLOW is answered by SESSION_FILES with descriptors to read from: standard output, error, and with input (a: 1) one to write to, or (a: 2) its result to read from. Then SESSION_GREW whenever
 * there is more, each time once until SESSION_SEEN says that it was taken up, and SESSION_OVER (an event_row) at last. RECORD (a: 0 of its record, 1 of its result) is answered by SESSION_FILES with
 * one descriptor; the others by SESSION_DONE. */
struct session_event {
	uint32_t request;
	uint32_t a, b; /* SIGNAL: its number; RESIZE: rows and columns; of steps see below; else 0 */
	uint64_t n;
};
void session_event_put(struct buf *out, const struct session_event *v);
bool session_event_take(struct rbuf *in, struct session_event *ret);

/* SESSION_GREW: how long both are by now. */
struct session_grew {
	uint64_t n, out, err;
};
void session_grew_put(struct buf *out, const struct session_grew *g);
bool session_grew_take(struct rbuf *in, struct session_grew *ret);

enum event_state {
	EVENT_TAKEN = 1 /* and not begun */,
	EVENT_RUNS,
	EVENT_OVER,
	EVENT_INTERRUPTED /* the daemon, or its machine, died */,
	EVENT_STATE_COUNT
};
enum {
	EVENT_BACKGROUND = 1,
	EVENT_INPUT = 2,
	EVENT_TERMINAL = 4,
	EVENT_PRUNED = 8 /* its output and record are not kept any more */,
	EVENT_STOPPED = 16 /* while it runs: its program was stopped, and nobody of the session had it continue */,
	EVENT_KIND_SHIFT = 5, /* two bits: enum event_kind */
	EVENT_SHOWS = 128,    /* of code: its value is printed */
	EVENT_KERNEL = 256, /* of code: it takes steps, which share its memory; argv is a language and a name, or "" */
	EVENT_FROZEN = 512, /* while it runs: somebody froze it */
	EVENT_UNUSUAL = 1024, /* over: it was not like what is usual */
	EVENT_HELD = 2048,    /* likewise, or that could not be told: its changes wait for a person */
	EVENT_FLAGS = 4095
};
static inline enum event_kind event_kind_of(uint32_t flags)
{
	return (enum event_kind)(flags >> EVENT_KIND_SHIFT & 3);
}
_Static_assert(KIND_COUNT == 4, "a kind has two bits of an event's flags");

/* SESSION_STEP has a source, in parts before it, and is answered by SESSION_DONE with the step's number in its kernel, from 1 on: it is written down. SESSION_STEPPED tells that it is
 * over, once, to whoever asked for it or by SESSION_STEP_WAIT (session_event, a: the step; answered by SESSION_DONE). SESSION_STEP_STOP (the same; a 0: the one of the SESSION_STEP of this channel that had the request b) breaks it off, and no other:
 * one that waits never runs, and one that runs is interrupted, with its kernel if it does not heed that. SESSION_STEPS_END (a session_event, answered by SESSION_DONE): the kernel takes no more steps, and ends behind those that it has. */
#define STEPS_WAITING_MAX 16           /* of a kernel, the one that runs among them */
#define STEPS_WAITING_BYTES (4u << 20) /* of the sources of those */
#define STEPS_MAX 1000000              /* of a kernel, ever */
#define STEP_SHOWS 1                   /* its value is printed */
struct session_step {
	uint32_t request, flags;
	uint64_t n, timeout_ms; /* 0: none of its own */
};
void session_step_put(struct buf *out, const struct session_step *s);
bool session_step_take(struct rbuf *in, struct session_step *ret);

enum step_state {
	STEP_TAKEN = 1,
	STEP_RUNS,
	STEP_OK,
	STEP_ERROR /* by its own word, as the two around it: an exception that nobody caught */,
	STEP_EXIT /* it asked for the kernel's end */,
	STEP_ENDED /* the kernel ended with it */,
	STEP_NEVER /* it did not run */,
	STEP_STATE_COUNT
};
enum {
	STEP_STOPPED = 1 /* somebody wanted that */,
	STEP_TIMED_OUT = 2,
	STEP_LOST = 4 /* there was no room for its result */,
	STEP_FLAGS = 7
};
struct step_row {
	uint64_t n, step;
	uint32_t state, flags;
	uint64_t taken_ms, begun_ms, ended_ms; /* since 1970; 0: not yet */
	uint64_t out_at, out_end, err_at, err_end, result_at,
		result_end; /* of what is kept of its event, what is the step's */
	uint64_t bytes;     /* of its source, */
	uint8_t sha256[32]; /* and the digest of that */
};
#define STEP_ROW_BYTES 136
static inline bool step_is_over(uint32_t state)
{
	return state > STEP_RUNS;
}
void step_row_put(struct buf *out, const struct step_row *r);
bool step_row_take(struct rbuf *in, struct step_row *ret);

/* SESSION_LIST asks for events from `n` on (a = 1: and for those to come, until the channel ends; 2: those that run or wait alone; b: for so many at most, 0: for all): SESSION_ROW for each as it is
 * now, then SESSION_DONE; of those to come SESSION_CHANGED whenever their state changes. SESSION_OVER is the same of one that is followed. */
struct event_row {
	uint64_t n;
	uint32_t state;                        /* enum event_state */
	uint32_t flags;                        /* EVENT_* */
	uint64_t taken_ms, begun_ms, ended_ms; /* since 1970; 0: not yet */
	uint64_t out_bytes, err_bytes;         /* what is kept of them */
	uint64_t result_bytes;                 /* and, of code, of its result */
	uint32_t exit_status;                  /* as `ambit run` would give; over only */
	uint32_t denied;                       /* 1: something was */
	struct event_outcome outcome;          /* over only; but its labels */
	struct labels labels;                  /* over or interrupted */
	char event[ID_TEXT_MAX];
	char command[SESSION_COMMAND_MAX];
	/* why it was refused, ended by a limit, or did not go through: enum ambit_code, 0 if there is nothing to be said; then these are "", else what and what to do */
	uint32_t code;
	char message[512], hint[512];
};
void event_row_put(struct buf *out, const struct event_row *r);
bool event_row_take(struct rbuf *in, struct event_row *ret);

/* ---- what describes a session and a run ---- */

/* Its bytes come before, in SERVE_PART and SESSION_PART, as many as it takes: what came of them since the last SERVE_NEW or SESSION_RUN belongs to the
 * next. (A memory file would do, but a cell makes none, and the role that speaks for a client lives in one.) More than the most of it ends the connection. */

/* What a session is: what SERVE_NEW brings. The policy is as policy_carry writes it. */
#define DESCRIPTION_BYTES_MAX (2u << 20)
#define DESCRIPTION_ENV_MAX 256
struct description {
	char key[SESSION_KEY_MAX + 1]; /* "": none */
	char workspace[SESSION_PLACE_MAX];
	char base[16], observe[16], without[256];     /* words, "": as usual */
	uint32_t changes;                             /* AMBIT_CHANGES_*, of its events */
	uint64_t events_max, wall_ms_max, cpu_ms_max; /* over all of the session; 0: none */
	uint64_t keep_ms, keep_bytes;                 /* of results; 0: as usual */
	const uint8_t *policy;                        /* borrowed, of the bytes that were decoded */
	uint32_t policy_bytes;
	char **env; /* owned, ends with NULL: what grants `env NAME` pass on, "NAME=value" */
};
void description_finish(struct description *d);
void description_put(struct buf *out, const struct description *d);
int description_take(struct rbuf *in, struct description *ret, struct err *e);

/* What SESSION_RUN brings: one event. */
#define RUN_BYTES_MAX (2u << 20)
struct run {
	char key[SESSION_KEY_MAX + 1]; /* "": none */
	uint32_t flags;                /* EVENT_BACKGROUND, INPUT, TERMINAL, and its kind */
	uint32_t changes;              /* AMBIT_CHANGES_*, beside the session's */
	uint32_t rows, columns;        /* of a terminal */
	uint64_t idle_ms;              /* of a kernel: it ends when nobody has used it for so long; 0: as usual */
	char limits[512];              /* "wall=30s,memory=2G": narrower than the session's */
	char on_conflict[16];
	struct labels labels; /* of what it is given, as labels_take_given has them */
	char **argv,
		**env; /* owned, end with NULL; of code argv is a language and its source; env goes over the session's */
};
void run_finish(struct run *r);
void run_put(struct buf *out, const struct run *r);
/* ret_digest: of everything but the key, by which the same key with other words is known. */
int run_take(const void *bytes, size_t n, struct run *ret, uint8_t ret_digest[32], struct err *e);

#endif
