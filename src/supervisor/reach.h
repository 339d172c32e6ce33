/* reach - what the owner of an event that runs asks its supervisor, and is answered.
 *
 * Owns:   the name of the control socket, and the bodies of the messages CONTROL_* (wire/messages.def).
 * Holds:  all are of one size each; what was decoded is checked. The name is in the abstract space of the host's network namespace: it goes with the
 *         supervisor and leaves no file, and no cell has that namespace. Anybody may bind or connect to such a name, so both sides ask the
 *         kernel who the other is.
 * Called: supervisor/control.c, lib/running.c; pure. */
#ifndef SUPERVISOR_REACH_H
#define SUPERVISOR_REACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "core/grant.h"
#include "core/id.h"
#include "supervisor/frozen.h"

#define REACH_PREFIX "ambit/" /* behind a NUL; then the event's id */
#define REACH_COMMAND_MAX 256

/* Gives the length of the address. */
socklen_t reach_address(const char *event, struct sockaddr_un *ret);

enum reach_freeze { REACH_RUNS, REACH_FREEZES, REACH_FROZEN };

/* CONTROL_TOLD: the event. */
struct reach_event {
	uint64_t begun_ms;          /* since 1970. Its id tells when its cell was made, which may be long before */
	uint32_t grants, withdrawn; /* how many there are, and how many of them are withdrawn */
	enum reach_freeze freeze;
	uint64_t dev, ino; /* of the directory that says what of it is frozen (frozen.h); 0: there is none */
	char session[ID_TEXT_MAX];
	char parent[ID_TEXT_MAX];        /* the event of which it is a sub-agent; "": of none */
	char command[REACH_COMMAND_MAX]; /* what runs, for a list; cut, and somebody else's words */
};
void reach_put_event(struct buf *out, const struct reach_event *e);
bool reach_take_event(struct rbuf *in, struct reach_event *ret);

/* CONTROL_GRANT: one of its grants. */
struct reach_grant {
	uint32_t index;
	enum grant_verb verb;
	bool withdrawn;
	uint32_t live; /* connections that are open now */
	char id[ID_TEXT_MAX];
	char object[GRANT_OBJECT_MAX]; /* of a variable its name alone */
};
void reach_put_grant(struct buf *out, const struct reach_grant *g);
bool reach_take_grant(struct rbuf *in, struct reach_grant *ret);

/* CONTROL_DONE: of what was to be withdrawn, or an index that is none. */
enum reach_result {
	REACH_WITHDRAWN = 1,
	REACH_ALREADY,  /* it was withdrawn before */
	REACH_LASTING,  /* its verb is one that stays while the cell stays */
	REACH_NO_GRANT, /* there are fewer */
};
struct reach_done {
	uint32_t index;
	enum reach_result result;
	uint32_t connections; /* that were closed */
};
void reach_put_done(struct buf *out, const struct reach_done *d);
bool reach_take_done(struct rbuf *in, struct reach_done *ret);

/* CONTROL_FREEZE: who asks is known. */
void reach_put_reason(struct buf *out, const char reason[FROZEN_REASON_MAX]);
bool reach_take_reason(struct rbuf *in, char ret[FROZEN_REASON_MAX]);

/* CONTROL_HELD: to CONTROL_FREEZE, CONTROL_THAW and CONTROL_KILL, when it is true. */
enum reach_held_result {
	REACH_HELD = 1, /* all of it stands still: so many threads */
	REACH_LATE,     /* it is frozen, and some threads have not come to a stop; it is tried on */
	REACH_LET_GO,   /* it goes on */
	REACH_NOT_HELD, /* it was not frozen, and could not be let go */
	REACH_ENDED,    /* nothing of it is left */
};
struct reach_held {
	enum reach_held_result result;
	uint32_t threads, running;
};
void reach_put_held(struct buf *out, const struct reach_held *h);
bool reach_take_held(struct rbuf *in, struct reach_held *ret);

#endif
