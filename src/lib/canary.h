/* canary - the person's canaries: where the list of them lies, and what becomes of an event that touched one.
 *
 * Owns:   the directory $XDG_STATE_HOME/ambit/canaries, which no cell sees (supervisor/plan.c), with the file `list`
 *         (core/canary.h).
 * Holds:  a list that is not well-formed, or not the person's alone, is refused, and so is an event that would be
 *         held against it. A canary counts while its file is the one that was made, or one with the same content;
 *         else the name is somebody else's by now, and `ambit canary list` says so.
 * Called: lib (an event that begins and one that ends), the command line. */
#ifndef LIB_CANARY_H
#define LIB_CANARY_H

#include "core/canary.h"
#include "lib/standing.h"
#include "supervisor/request.h"

enum canary_state { CANARY_THERE, CANARY_GONE, CANARY_REPLACED };

/* Whether the file is the canary still. */
enum canary_state canary_look(const struct canary *c);
/* What is there now becomes the canary's file: fills all but kind and path. -errno. */
int canary_measure(struct canary *c);

/* Beside a store of stages. False: there is no place. */
bool canaries_place(const char *store, char ret[STANDING_PATH_MAX]);
/* store: likewise; NULL: the caller's own place. Without a list there are none: one system call. */
int canaries_load(const char *store, struct canaries *ret, struct err *e);
/* For who changes the list: it is read, `change` does, and it is written if that gives 0. One at a time. */
int canaries_change(int (*change)(void *of, struct canaries *c, struct err *e), void *of, struct err *e);

/* Which of them an event is held against; way: enum policy_canary. */
int canaries_watch(struct event_request *q, uint8_t way, struct err *e);

struct ambit_event;
/* What the supervisor says of it; before it is settled. */
void canaries_touched(struct ambit_event *ev, uint64_t touched);
/* What touched one was of that session ("": of none), which stands still from now on. */
void canaries_freeze(const char *session);
/* Its session stands still, if the policy says so. */
void canaries_settle(struct ambit_event *ev);

#endif
