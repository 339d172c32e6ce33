/* event - one event, from the caller's side.
 *
 * Owns:   struct ambit_event: the connection to its supervisor, its streams, and everything known about it so far.
 * Holds:  the supervisor is told nothing but resolved grants and words; what it answers is checked as any message is.
 * Called: lib (the public functions of ambit.h are here), policy loading (parser cells). */
#ifndef LIB_EVENT_H
#define LIB_EVENT_H

#include "ambit/ambit.h"
#include "lib/ledger.h"
#include "lib/network.h"
#include "lib/result.h"
#include "lib/streams.h"
#include "supervisor/request.h"
#include "supervisor/sibling.h"
#include "wire/wire.h"

#define READY_LEAVE_MS                                                                                                 \
	1000 /* for the supervisor of one that waits and is not wanted: one that somebody stopped is killed then */
#define EVENT_DELEGATED_MAX 8                       /* DELEGATES_AT_ONCE of supervisor/delegate.h */
#define EVENT_WATCHED_MAX (8 + EVENT_DELEGATED_MAX) /* two connections, the streams that are copied, and sub-agents */

struct ambit_event {
	pid_t owner;     /* who started it: a fork of that process has a copy, which is not its own */
	bool is_beside;  /* this is in a cell, and sock leads to who was asked for it (delegate_ask) */
	int sock;        /* owned */
	int pidfd;       /* owned: the supervisor */
	int epoll_fd;    /* owned */
	int always_fd;   /* owned: readable for ever, stands for descriptors that epoll does not take */
	int terminal_fd; /* owned until taken */
	int pool_fd;     /* owned: whoever was asked for a cell learns by its end that this is over; -1 */
	struct {
		int fd;
		uint32_t events;
	} watched[EVENT_WATCHED_MAX];
	size_t n_watched;
	struct streams streams;
	struct event_request *request; /* owned */
	struct stage_talk *talk;       /* owned: while it is settled what becomes of the changes; else NULL */
	unsigned changes;              /* AMBIT_CHANGES_* */
	uint32_t conflict;             /* enum stage_conflict */
	uint32_t profile;              /* enum policy_profile */
	uint32_t wait_ms;              /* 0: as usual */
	struct event_result result;
	char **argv;   /* owned copy */
	bool told_end; /* the supervisor said how it ended, or is gone */
	bool over_output;
	bool over_disk;   /* likewise, by what went to files */
	bool kill_wanted; /* and not told yet: the supervisor's socket was full */
	bool stopped;     /* and not yet asked for */
	bool frozen;      /* it stands still now */
	bool told_wait, told_ports;
	bool started;               /* the program */
	bool stays;                 /* nobody waits for its end */
	bool waits, is_ready;       /* for what it is to run; its cell stands */
	struct template *from;      /* held: of which its program may be a copy; NULL */
	bool copied;                /* when it has started: it is one, or was to be */
	int cell_pidfd;             /* owned, of a template that is ready: a process of its cell; -1 */
	bool reads_nothing;         /* its standard input is /dev/null */
	struct buf program;         /* of code: what is executed, and with which variables (program_encode) */
	uint64_t early;             /* signals that came before, and are not told yet, the first by bit 0 */
	struct ledger_hello ledger; /* "" as the key: it is not recorded */
	int ledger_fd; /* owned: the supervisor's connection, which is ours when that has ended; -1: it is not recorded */
	int ledger_dir_fd; /* owned, likewise */
	struct network_roles network;
	struct judged_grants *grants; /* owned: its own in the person's authority; NULL: nothing was judged yet */
	uint64_t badge;               /* who acts, as the person's authority knows it; 0: nothing is judged */
	int ebpf_fd;                  /* owned, -1 if none: who observes, until the supervisor has it */
	int badge_fd; /* owned, -1 if none: a connection for who acts, which stays there while it is open */
	struct labels label_names; /* all of the authority's, by their bits, when it began */
	struct {                   /* of a kernel: the last that was asked for */
		uint32_t number;
		bool shows;
		char *source; /* owned: while it waits until it is recorded that it is about to run; else NULL */
		uint8_t sha256[32];
	} step;
	struct delegated {
		struct ambit_event *ev; /* owned: a sub-agent; NULL: none */
		struct sibling_end end; /* its number; and with number and no event what is to be told of it yet */
		struct handed *handed;  /* owned: instead of all that, until its session begins it; else NULL */
	} delegated[EVENT_DELEGATED_MAX];
	bool hands_over;      /* sub-agents to its session */
	bool collects;        /* what sub-agents do, */
	bool lost_beside;     /* of which something could not be kept */
	bool touched_beside;  /* or one of them touched a canary */
	struct deeds *beside; /* owned: of those that ended; NULL: nothing */
	char *record;         /* owned, NULL until asked for */
	uint8_t room[65536];
};

/* An event of a session that somebody keeps: they had to be told before it starts. */
struct event_names {
	char event[ID_TEXT_MAX], session[ID_TEXT_MAX];
	uint64_t n; /* in the session, from 1 on */
};

/* What the library itself decides about an event, once the request is complete. */
struct event_plan {
	struct event_request *request;      /* taken */
	const struct judged_caller *caller; /* of a sub-agent; borrowed; else NULL */
	const struct event_names *names;    /* borrowed; NULL: it is a session of one event, and both are named here */
	const char *path;                   /* the program, absolute in the cell */
	char *const *argv;
	char *const *envp;
	char *const *asked; /* what is recorded in place of argv: of code its language and its source; NULL: argv */
	int result_fd;      /* borrowed, of code: to which its result goes; -1: nobody takes it */
	bool shows;         /* of code: its value is printed */
	bool kernel;        /* of code: it takes steps; asked[1] is its name */
	int program_fd;     /* borrowed: with CELL_BY_FD, else -1 */
	enum ambit_stream stream[3];
	int stream_fd[3];
	bool terminal;
	unsigned changes;  /* AMBIT_CHANGES_* */
	uint32_t conflict; /* enum stage_conflict */
	uint32_t profile;  /* enum policy_profile */
	uint32_t wait_ms;  /* for other events that work on a tree; 0: as usual */
	bool recorded;     /* in a ledger, */
	int ledger_fd;     /* borrowed: to which this leads, */
	int ledger_dir_fd; /* borrowed: and its directory */
	bool stays;        /* the cell goes on when this process goes: a role that others use, too */
	bool renews;  /* the secret of its one grant that has one may be given again while it runs (network_renew) */
	bool reached; /* its owner can reach it while it runs (supervisor/control.h) */
	struct template
		*template; /* borrowed: of which its interpreter may be a copy; NULL. is_template: which this becomes */
	bool is_template;  /* with waits: it is never given anything to run */
	bool waits; /* it runs nothing yet: only its cell is made; of code its interpreter is started, too. Nothing of a command's argv and streams counts */
	struct ambit_event *
		ready; /* taken: one that waits, of the same name, whose cell is used if it fits; NULL: there is none */
	bool pooled;   /* it may have a cell that the person's daemon made (pool.h) */
	bool pooled_code;                  /* and the interpreter may have been started in it */
	const struct sibling_trees *trees; /* borrowed, of a sub-agent (request->parent): what its cell is made of */
	bool command_line; /* this process is Ambit's own command line, which may be moved to a leaf cgroup (cgroup.h) */
};

#define EVENT_AGENT_MAX 64
char *event_agent(struct ambit_event *ev); /* room of EVENT_AGENT_MAX for the agent's name */
/* Where it is recorded. */
void event_set_ledger(struct ambit_event *ev, const struct ledger_hello *hello);
/* It could have been a copy, and this host, or how its cells are counted, did not let it. */
bool event_went_without(const struct ambit_event *ev);
bool event_was_copied(const struct ambit_event *ev);
/* Of a template: a process of its cell, borrowed; -1: it is not ready. */
int event_cell(const struct ambit_event *ev);
/* Somebody froze it, and nothing of it runs. */
bool event_is_frozen(const struct ambit_event *ev);
/* Whether the cell of one that waits stands; one that failed has ended (ambit_event_step). */
bool event_is_ready(const struct ambit_event *ev);
bool event_has_started(const struct ambit_event *ev);
/* Kills a supervisor that does not answer; the warden ends the cell. */
void event_abandon(struct ambit_event *ev);
/* What is waited for before its changes can be committed, once each time; NULL if nothing is, or it was asked for. */
const struct stage_answer *event_waiting(struct ambit_event *ev);

/* Its program has ended, and it is not over yet: it is settled what becomes of its changes. */
bool event_settles(const struct ambit_event *ev);

unsigned event_changes(const struct ambit_event *ev); /* AMBIT_CHANGES_*, as it was asked for */
/* It becomes known only while it runs what is to become of its changes; of one that has ended it is too late. */
void event_change(struct ambit_event *ev, unsigned changes);
/* Why not all that it wrote is where it was to go: an error number; 0: it is. */
int event_lost_output(const struct ambit_event *ev);

/* As ambit_event_free, which waits for its end; a supervisor that is still there then (clock_ms) was stopped, and is killed: its cell goes with it. */
void event_free_by(struct ambit_event *ev, uint64_t until_ms);

/* Readable when it has something to do, and after its end when its supervisor is gone, for which freeing would wait. */
int event_wait_fd(const struct ambit_event *ev);
bool event_is_gone(const struct ambit_event *ev);
/* Whether nothing of it is left but a supervisor that has said its last word: no cell, and no roles of its network, which end when it is freed. Of one that was refused, or lost its
 * supervisor, that is not known. */
bool event_leaves(const struct ambit_event *ev);

/* The next step of a kernel, of which none runs: the source is given when it is recorded that it was asked for. -EAGAIN: not now; -EPIPE: it has ended. */
int event_step_give(struct ambit_event *ev, uint32_t step, const char *source, bool shows);
void event_step_told(struct ambit_event *ev, struct wire_message *m);
/* Its trace, in pieces; and what of it travels with the end. */
void event_trace_piece(struct ambit_event *ev, struct wire_message *m);
void event_trace_end(struct ambit_event *ev, struct wire_message *m);
/* Whether it was: one that was not has not run. */
bool event_step_is_given(const struct ambit_event *ev);
/* And whether the interpreter has all of it: what comes before that, it takes for none of the step's. */
bool event_step_is_read(const struct ambit_event *ev);
/* As streams_step_over; -GONE: the interpreter has closed where it would say so. */
int event_step_over(struct ambit_event *ev, struct step_end *ret);
/* No more come: the interpreter ends behind those that it has. */
void event_steps_end(struct ambit_event *ev);

/* Frees the handle and leaves the event: it lives as long as the connection to its supervisor, and has ended when that one has. Both are the caller's. */
void event_hand_on(struct ambit_event *ev, int *ret_sock, int *ret_pidfd);

/* True once, when it is known at which ports of the host its servers are reached (event_result), if there are any. */
bool event_listens(struct ambit_event *ev);

const struct event_result *event_result(const struct ambit_event *ev);

/* The event has ended: its record goes to the ledger, if that is where it is recorded; event_record.c. */
void event_keep_record(struct ambit_event *ev);

/* An id of now. 0 or -errno. */
int event_new_id(char prefix, uint64_t unix_ms, char ret[ID_TEXT_MAX]);

int event_start(const struct event_plan *plan, struct ambit_event **ret, struct err *e);
/* The same in a cell: its supervisor is asked for one that gets no more than the cell has. Of the plan program and streams count. */
int event_start_beside(const struct event_plan *plan, struct sibling_ask *a, struct ambit_event **ret, struct err *e);

#endif
