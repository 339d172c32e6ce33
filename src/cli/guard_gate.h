/* guard_gate - one server of the Model Context Protocol, with the role ambit-guard around it.
 *
 * Owns:   struct gate: both events, the connection to the role, what may be called, and which definitions were approved.
 * Holds:  nothing that a client or the server says is read here. A server has a cell of its own, and ends with who it is for.
 * Called: guard.c, which has one of them, and guard_many.c, which has several. */
#ifndef CLI_GUARD_GATE_H
#define CLI_GUARD_GATE_H

#include <limits.h>

#include "cli/guard_fresh.h"
#include "cli/guard_learn.h"
#include "cli/guard_log.h"
#include "cli/guard_pins.h"
#include "cli/guard_url.h"
#include "cli/guard_use.h"
#include "cli/guard_usual.h"
#include "cli/learning.h"
#include "cli/options.h"
#include "core/canary.h"

struct gate {
	const struct run_options *o;
	char *const *argv;        /* borrowed: the server's command */
	struct guard_url *remote; /* borrowed, where it is reached by HTTP; else NULL */
	char server[GUARD_NAME_MAX], workspace[PATH_MAX];
	struct guard_use use;
	struct guard_usual usual;
	struct guard_pins pins;
	struct guard_log log;
	struct guard_learn *learn; /* owned; NULL: nothing is learned */
	struct canaries *canaries; /* owned; NULL: nobody has placed any */
	struct hides hides;
	struct policy_file policy;
	struct ambit_event *ev, *role; /* owned */
	struct fresh *fresh;           /* owned, where each call has a server of its own; else NULL */
	int client[2];                 /* what the client says, and hears; borrowed */
	int to_server, from_server;    /* owned, until the role has them */
	int sock;                      /* owned: to the role */
	struct buf text;               /* owned: parts of a definition */
	bool role_is_over, is_over;
	bool is_shut;     /* it should stand still, and could not be made to */
	bool is_over_it;  /* a second call was not like what is usual: the server is ended */
	uint64_t ends_ms; /* then the server is killed; 0: it has its time */
};

void gate_init(struct gate *g, const struct run_options *o, char *const *argv, int in, int out);
/* Starts the server and the role; g->server is set. */
int gate_begin(struct gate *g, struct ambit_error *told);
/* What the role said, if it did. -PROTOCOL. */
int gate_hear(struct gate *g, struct err *e);
/* The word on what was asked, which is recorded; a judgement of a profile may freeze the server. -code: it cannot be had, or not be recorded. */
int gate_judge(struct gate *g, const struct guard_ask *ask, struct guard_word *w, struct err *e);
/* guard_mark.c: that this agent's gate of this server stands still, by its name beside what is frozen, whichever run of it: until a person thaws it, or the server of the run that did it. -FROZEN. */
int gate_check_mark(const struct gate *g, struct err *e);
int gate_mark(const struct gate *g, struct err *e);
/* The server ends when its client does, or is ended; is_over: both are. Gives how long poll(2) may wait, -1: for ever. */
int gate_look(struct gate *g);
/* Starts a server as the policy has it, with new streams, which the caller owns. */
int gate_launch(struct gate *g, struct ambit_event **ret, int *ret_to, int *ret_from, struct ambit_error *e);
/* The exit status: 0, or that something could not be recorded, which was told. */
int gate_finish(struct gate *g);

/* Several, which the policy names. The exit status. */
int guard_many(const struct run_options *o, int *signal_fd);

#endif
