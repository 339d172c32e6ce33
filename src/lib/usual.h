/* usual - reaching the keeper of the person's profiles, which is started when nobody is there.
 *
 * Owns:   where the profiles lie, the cell in which the role ambit-usual runs, and a connection to it.
 * Holds:  as lib/service.h. No call waits longer than 15 s (-GONE). After -GONE or -PROTOCOL a connection is of no use any more.
 * Called: the library, the command line.
 *
 *   $XDG_STATE_HOME/ambit/profiles/    as usual/layout.h has it */
#ifndef LIB_USUAL_H
#define LIB_USUAL_H

#include "usual/calls_link.h"
#include "usual/link.h"

struct usual_keeper;

/* The directory is made, and the role started, where they are missing. place: as keeper_open of lib/authority.h. */
int usual_open(const char *place, struct usual_keeper **ret, struct err *e);
void usual_close(struct usual_keeper *k);
/* Where profiles lie, of whom that store of stages is. False: there is no such place. */
bool usual_place(const char *store, char *ret, size_t size);

/* What it scores, and what becomes of it. */
int usual_score_event(struct usual_keeper *k, const struct usual_ask *ask, const struct deeds *d,
		      struct usual_found *ret, struct err *e);
/* The same of what the role ambit-explain made of a record, whose bytes the keeper alone reads. */
int usual_score_past(struct usual_keeper *k, const struct usual_ask *ask, const struct buf *deeds,
		     struct usual_found *ret, struct err *e);
/* -NOT_FOUND: nothing is held of it. */
int usual_settle_event(struct usual_keeper *k, const struct usual_settle *s, struct err *e);

/* A person has said what an event was, by what they did with its changes. Nothing is started where nothing is held of it, which one system call tells; what goes wrong changes nothing for them. */
void usual_said(const char *store, const char *event, bool released);

/* Calls of a gate (usual/calls_link.h): its run, which ends with the connection; one call, and what became of it. */
int usual_begin_calls(struct usual_keeper *k, const struct usual_calls *who, struct usual_begun *ret, struct err *e);
int usual_score_call(struct usual_keeper *k, const struct usual_call *q, struct usual_verdict *ret, struct err *e);
int usual_said_call(struct usual_keeper *k, const struct usual_called *q, struct err *e);

/* All there are; `each` ends it by a negative code, which is given back. */
int usual_list(struct usual_keeper *k, int (*each)(void *of, const struct usual_row *row), void *of, struct err *e);
/* As text (profile/form.h), which whoever shows it has to take for foreign. -NOT_FOUND. */
int usual_get(struct usual_keeper *k, const char *key, bool shadow, struct buf *out, struct err *e);
/* fd: a file, which is read from its beginning. -MALFORMED, with the line. */
int usual_put(struct usual_keeper *k, int fd, char ret_key[PROFILE_NAME_MAX], struct err *e);
int usual_reset(struct usual_keeper *k, const char *key, struct err *e);
int usual_promote(struct usual_keeper *k, const char *key, struct err *e);

#endif
