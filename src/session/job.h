/* job - one event of a session, from what was asked to its end.
 *
 * Owns:   the event's handle, what its program reads from, and its files of output.
 * Holds:  output goes to files first and to whoever follows from there, so a client that does not read holds nothing up; how much there may be is a limit of the
 *         event. Who began it may be gone: the program's input stays open until somebody ends it.
 * Called: the role ambit-session. */
#ifndef SESSION_JOB_H
#define SESSION_JOB_H

#include "ambit/ambit.h"
#include "lib/policy_handle.h"
#include "session/kernel.h"
#include "session/shelf.h"

#define JOB_LEAVE_MS                                                                                                   \
	2000 /* for a supervisor that has said its last word: one that somebody stopped would hold up the session */

/* Of what all events of a session may take together; 0: that is not bounded. */
struct job_share {
	uint64_t wall_ms, cpu_ms;
};

struct job {
	uint64_t n;             /* 0: this place is free */
	uint32_t flags;         /* EVENT_* */
	uint64_t began_ms;      /* by clock_ms */
	uint64_t cancelled_ms;  /* likewise; 0: it was not */
	bool runs;              /* its handle is there; else it waits for its turn */
	bool holds_ports;       /* the session's (lend.h), while it runs */
	struct ambit_event *ev; /* owned, NULL */
	int input_fd;           /* owned: to which its program's input is written; -1: none, or ended */
	int inner_fd; /* owned: the other end of that, until the program has it; with a terminal ours for good; -1 */
	uint8_t keys[1024]; /* on their way to the terminal */
	size_t n_keys;
	int terminal_fd;     /* owned: the outer end of its terminal; -1 */
	int held_fd;         /* owned: an inner end, so that a program which closes all of its own is not hung up; -1 */
	int out_fd, err_fd;  /* owned: where its output goes; -1 */
	int result_fd;       /* owned, of code: where its result goes; -1 */
	uint64_t output_max; /* of a terminal's */
	bool over_output;
	bool continued;         /* by us, since the last step */
	int lost_errno;         /* why what it wrote is not all kept; 0: it is */
	struct job_share share; /* set aside for it, while it runs */
	struct kernel *kernel;  /* owned: of one that takes steps; else NULL */
	struct event_row row;   /* as it is by now */
};

/* What all events of a session share. */
struct job_terms {
	const struct shelf *shelf;
	struct ambit_policy *policy; /* its limits are narrowed for the start, and set back */
	const struct description *about;
	const char *session;
	struct ambit_event *holder;  /* who has the session's ports; NULL: nobody */
	struct job_share left;       /* that nobody has set aside */
	struct template *template;   /* of which an interpreter may be a copy; NULL */
	struct ambit_event *ready;   /* taken: the cell that was promised to it; NULL: none was */
	struct ambit_event *caller;  /* of one that was handed over, which is about to begin; else NULL */
	const struct handed *handed; /* likewise */
	const char *program;         /* of the last command: what it is takes part in what its cell is */
};

/* Whether there can be events of that session, as things are now (launch_check). Of t what is known without one. */
int job_check(const struct job_terms *t, struct err *e);

void job_init(struct job *j);
/* Kills what runs. */
void job_finish(struct job *j);

/* Makes its files and its input, so that it can be followed before it has its turn. row and n are set. */
int job_prepare(struct job *j, const struct shelf *shelf, struct err *e);
/* Starts it. What is refused is over at once: the row says so, and 1 is given; 0: it runs. */
int job_begin(struct job *j, const struct job_terms *t);
/* Makes the cell of an event of that kind that is to come, with a name of its own; of code its interpreter is started in it. */
int job_make_ready(const struct job_terms *t, enum event_kind kind, char ret_event[ID_TEXT_MAX],
		   struct ambit_event **ret);
/* Starts what is copied for events of that kind. */
struct template;
int job_make_template(const struct job_terms *t, enum event_kind kind, struct template *template);
/* 1: it is over, and the row says how; its record is written. */
int job_step(struct job *j, const struct shelf *shelf);
/* poll(2)'s, at most JOB_FDS; gives how many. */
#define JOB_FDS 3
struct pollfd;
unsigned job_wants(const struct job *j, struct pollfd *ret);
/* How much it wrote so far. */
void job_measure(struct job *j);

/* -GONE: it does not run. */
int job_signal(struct job *j, int number, struct err *e);
/* Ends it, whether it runs or waits. true: it waited, and is over. */
bool job_cancel(struct job *j);
/* Of a kernel, whose steps did not all end: they never do. */
void job_end_steps(struct job *j);
int job_resize(struct job *j, uint32_t rows, uint32_t columns, struct err *e);

#endif
