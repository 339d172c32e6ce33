/* authority - reaching the keeper of the person's authority, which is started when nobody is there.
 *
 * Owns:   where that authority lies, the cell in which the role ambit-authority runs, and a connection to it.
 * Holds:  as lib/service.h. What is answered is kept (doc/AUTHORITY.md). No call waits longer than 15 s (-GONE). After -GONE or -PROTOCOL a connection is of no use any
 *         more, and what was asked last may have been done or not; a USE with a key can be asked again. A connection is for one thread, and either asks or watches.
 * Called: the library, the supervisor (bound to a badge), the command line.
 *
 *   $XDG_STATE_HOME/ambit/authority/    as authority/layout.h has it */
#ifndef LIB_AUTHORITY_H
#define LIB_AUTHORITY_H

#include "authority/link.h"
#include "base/err.h"

#define KEEPER_LABELS_MAX AUTHORITY_LABELS_MAX

struct keeper;

/* Its directory. -NOT_FOUND: nobody ever asked for anything, which one system call tells; ret is filled then, too. -HOST: there is no place for one. */
int keeper_find(char *ret, size_t size, struct err *e);
/* Whether anybody ever asked for anything, in the place where what Ambit keeps of the person lies. One system call. */
bool keeper_was_asked(const char *place);
/* Whether anybody, or anything, in the directory that keeper_find found has a label, or had one: false is for certain, and one system call tells. */
bool keeper_is_labelled(const char *dir);
/* The directory is made, and the role started, where they are missing. place: where what Ambit keeps of the person lies, of a role that has no environment; NULL: by
 * that (lib/state.h). ledger: the directory of the ledger, which is there, that has what is done over this connection; "": none has; NULL: by the environment (lib/ledger.h). It is reached, and
 * started, with the first step: if that fails, nothing is done. */
int keeper_open(const char *place, const char *ledger, struct keeper **ret, struct err *e);
void keeper_close(struct keeper *k);
/* The connection, to be given to somebody else; the rest is freed. */
int keeper_hand_on(struct keeper *k);
/* Bytes that a death, or a loss of power, had left at the end of the journal when the role was started, and that did not count. */
uint64_t keeper_cut(const struct keeper *k);

/* From here on the connection is this badge's, or that of one below it, and there is no way back. -NOT_FOUND. */
int keeper_bind(struct keeper *k, authority_ref badge, struct err *e);
/* One step. The keeper has the time: now_ms, passed_ms and minute do not count. 0: it was decided, and *ret says how; -LIMIT, -SYSTEM: it could not be written, and has
 * not happened; -HOST: there is no such time zone. */
int keeper_step(struct keeper *k, const struct authority_request *q, struct keeper_answer *ret, struct err *e);
/* The same of a use that may ask: with what the person is to be shown, whose SHA-256 is the request's digest (else -MALFORMED), KEEPER_SHOWN_MAX at most. */
int keeper_step_shown(struct keeper *k, const struct authority_request *q, const void *shown, size_t n,
		      struct keeper_answer *ret, struct err *e);

/* A person's answer, which their key signed; -DENIED: it is not theirs, or not to this question; -MALFORMED, -NOT_FOUND. */
int keeper_sign(struct keeper *k, const struct keeper_signed *q, struct keeper_answer *ret, struct err *e);
/* Which authority this is: what an answer has to name. */
void keeper_realm(const struct keeper *k, uint8_t ret[STATEMENT_REALM_BYTES]);

/* The connection is told what closes from here on, and asks nothing any more; it has a number from now on. */
int keeper_watch(struct keeper *k, uint32_t *ret_number, struct err *e);
/* Of one that asks: its answers do not wait for that one, which is the asker's own. */
void keeper_does_not_wait_for(struct keeper *k, uint32_t number);
/* Readable when there is something to hear. */
int keeper_fd(const struct keeper *k);
/* 1; 0: nothing yet; -GONE. */
int keeper_hear(struct keeper *k, struct keeper_actions *ret, struct err *e);
/* That all it was told of this step (the last message of it, ret->more is false) is true now. */
int keeper_done(struct keeper *k, uint64_t step, struct err *e);

/* The label's bit, which it gets if it has none yet; on a bound connection -NOT_FOUND then. */
int keeper_label(struct keeper *k, const char *name, unsigned *ret_bit, struct err *e);
struct keeper_labels {
	unsigned n;
	char names[KEEPER_LABELS_MAX][AUTHORITY_NAME_MAX]; /* by bit */
};
int keeper_labels(struct keeper *k, struct keeper_labels *ret, struct err *e);

/* All there is of that kind, by pages: of a bound connection, what is its own. `each` ends it by a negative code, which is given back. */
int keeper_list(struct keeper *k, enum keeper_kind kind, int (*each)(void *of, const struct keeper_row *row), void *of,
		struct err *e);
/* The narrowest grant of the badge that covers the object; *ret 0: none. */
int keeper_grant(struct keeper *k, authority_ref badge, enum grant_verb verb, const char *object, authority_ref *ret,
		 struct err *e);
/* What is shown with a question: for reading, the caller's. -NOT_FOUND: nothing is. */
int keeper_shown(struct keeper *k, authority_ref ask, int *ret_fd, struct err *e);

#endif
