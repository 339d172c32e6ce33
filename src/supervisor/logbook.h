/* logbook - what of an event goes to the ledger.
 *
 * Owns:   the words of the entries (doc/LEDGER.md).
 * Holds:  nothing runs before what it may do, what was asked and the wall that stands are accepted by the ledger; and no end is told to
 *         the caller, and nothing is committed, before the ledger has accepted it. What it cannot take is an error, and the event fails with it: no log, no
 *         effect. Without a connection every function does nothing.
 * Called: supervisor. */
#ifndef SUPERVISOR_LOGBOOK_H
#define SUPERVISOR_LOGBOOK_H

#include "cell/property.h"
#include "core/decide.h"
#include "core/outcome.h"
#include "ledger/talk.h"
#include "supervisor/frozen.h"
#include "supervisor/request.h"

#define LOGBOOK_ARGV_MAX 24576 /* bytes of arguments in an entry; how many there are is told in any case */

struct logbook {
	struct talk talk;
	const struct event_request *q; /* borrowed */
	bool started;                  /* the ledger was told so */
};

/* Takes the socket; -1: there is none. */
void logbook_init(struct logbook *l, int sock, const struct event_request *q);
/* Its grants and the request; program as encoded by the library. The answer is not awaited. */
int logbook_ask(struct logbook *l, struct rbuf program, struct err *e);
/* The wall, before the program starts: that, and all that was told before, is accepted when it returns. */
int logbook_start(struct logbook *l, mechanism_set achieved, struct err *e);
/* It will not start, or its program could not be executed. */
void logbook_refuse(struct logbook *l, const struct err *why);
/* A grant was withdrawn, by whom, and how many connections that closed. Never waits. */
int logbook_revoke(struct logbook *l, uint32_t grant, uid_t by, uint32_t connections, struct err *e);
/* The event stands still, or goes on after so long. As logbook_revoke. */
int logbook_freeze(struct logbook *l, const struct frozen *why, uint32_t threads, struct err *e);
int logbook_thaw(struct logbook *l, uid_t by, uint64_t stood_ms, struct err *e);
/* facts: a bit set of those on which its verdict rests; socket: where its object lies, if that is a socket with a path, else "". */
int logbook_effect(struct logbook *l, const struct effect *f, uint32_t facts, const char *socket, struct err *e);
/* A kernel is given the source of a step: accepted when it returns. */
int logbook_step(struct logbook *l, uint64_t step, uint64_t size, const uint8_t sha256[SHA256_BYTES], struct err *e);
/* How it ended; settled: all is accepted when it returns, and else when the library's next entry is, over the same connection. */
int logbook_stop(struct logbook *l, const struct event_outcome *o, const struct event_request *q, bool settled,
		 struct err *e);

#endif
