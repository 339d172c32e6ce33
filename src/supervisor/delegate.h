/* delegate - the cell's own socket at which its programs ask for sub-agents.
 *
 * Owns:   struct delegates: what listens in the cell, and who has asked: a process of ours for each (below), and what it was given.
 * Holds:  a sub-agent gets what derive.h derives, and trees as its caller sees them (clones.h); the library starts it. At most
 *         DELEGATES_AT_ONCE are asked for or run at a time; others wait to be heard, and the supervisor for none of them. When who asked goes,
 *         when a grant is withdrawn from which one was derived, or the event ends, it ends.
 *         Who asks sends its streams, and a socket among them, or among what nobody reads, makes its last owner wait for as long as its own said
 *         (SO_LINGER), when it is closed: so each connection is heard by a process that does nothing else, and ends last. A process that ends waits for
 *         none (inet_release).
 * Called: main.c. */
#ifndef SUPERVISOR_DELEGATE_H
#define SUPERVISOR_DELEGATE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/derive.h"
#include "supervisor/request.h"

#define DELEGATES_AT_ONCE 8
#define DELEGATES_POLLED (1 + DELEGATES_AT_ONCE)

struct delegate {
	int door;        /* owned: the process that hears who asked; -1: none, or it is ending */
	pid_t pid;       /* of that; 0: the place is free */
	uint32_t number; /* of what runs; 0: nothing does */
	bool unwanted;   /* and is to end */
	bool ending;     /* of which the library was told */
	bool from[GRANTS_MAX];
};

struct delegates {
	int listener; /* owned; -1: no such grant */
	int lib;      /* borrowed, as the rest */
	int proc_fd, mounts_fd;
	uid_t uid; /* of the cell, outside */
	const struct event_request *q;
	const struct cell_spec *spec;
	const bool *withdrawn;
	uint32_t used[GRANTS_MAX];
	uint32_t last; /* number */
	pid_t held_up; /* owned: a process that a file system holds up, so that no second one is; 0: none */
	struct delegate places[DELEGATES_AT_ONCE];
};

void delegates_init(struct delegates *d);
/* Takes what listens. The rest of d is set before the first delegates_watch. */
void delegates_listen(struct delegates *d, int *fd);

/* hears: who asks is heard now, in delegates_serve. */
void delegates_watch(const struct delegates *d, bool hears, struct pollfd p[DELEGATES_POLLED]);
void delegates_serve(struct delegates *d, const struct pollfd p[DELEGATES_POLLED]);
/* EVENT_DELEGATED. */
void delegates_ended(struct delegates *d, struct rbuf *body);
/* Processes of ours may have ended. */
void delegates_reap(struct delegates *d);
/* From now on nothing derived from this grant of the event's runs. */
void delegates_withdraw(struct delegates *d, uint32_t grant);
/* All are told to end; false: some have not yet. */
bool delegates_end(struct delegates *d);

#endif
