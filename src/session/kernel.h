/* kernel - the steps of one event whose interpreter takes one piece of code after the other.
 *
 * Owns:   struct kernel: the steps that wait, the one that runs, and the file `N.steps`: a row of STEP_ROW_BYTES for each (link.h).
 * Holds:  steps run one at a time, in the order in which they were taken, whoever asks. Each is written down before it is given to the interpreter, and its end before anybody is told. How a
 *         step ended is the interpreter's word; that somebody wanted it to end, and that the kernel ended with it, is ours.
 * Called: job.c and keep.c; channel.c reads rows. */
#ifndef SESSION_KERNEL_H
#define SESSION_KERNEL_H

#include "lib/event.h"
#include "session/shelf.h"

#define KERNELS_MAX 4 /* of a session, that run or wait */
#define KERNEL_IDLE_MS (UINT64_C(30) * 60 * 1000)

struct kernel_step {
	uint64_t step, timeout_ms;
	bool shows;
	char *source; /* owned */
};

/* Where what it writes goes: borrowed. */
struct kernel_files {
	int out_fd, err_fd, result_fd;
};

struct kernel {
	uint64_t n;   /* its event's number */
	int steps_fd; /* owned */
	enum event_kind kind;
	uint64_t count; /* steps that were taken */
	struct kernel_step waiting[STEPS_WAITING_MAX];
	unsigned n_waiting;
	uint64_t waiting_bytes; /* of their sources */
	struct step_row runs;   /* step 0: none does */
	struct step_row told;   /* the last that is over */
	uint64_t until_ms;      /* clock_ms: its time is over then; 0: it has no limit of its own */
	bool given;             /* its source went to the interpreter */
	uint64_t stopped_ms;    /* since when it is to end; 0: it is not */
	bool interrupted;       /* and was told so */
	uint64_t deaf_ms;       /* since when the interpreter cannot say how it ended */
	uint64_t idle_ms;       /* how long it may be of no use */
	uint64_t used_ms;       /* when it was last of any */
	bool ends;              /* it takes no more steps */
	uint64_t ends_ms;       /* since when the interpreter knows that */
	bool killed;
	struct err why; /* it was killed for */
};

/* NULL: no memory, or no file. */
struct kernel *kernel_new(const struct shelf *shelf, uint64_t n, enum event_kind kind, uint64_t idle_ms);
void kernel_free(struct kernel *k);

/* Writes a step down. -GONE: it ends; -LIMIT: as many wait as may. */
int kernel_take(struct kernel *k, const char *source, size_t bytes, const struct session_step *q, uint64_t *ret_step,
		struct err *e);
/* Begins and ends what there is; ev runs. */
void kernel_step(struct kernel *k, struct ambit_event *ev, const struct kernel_files *files);
/* Breaks that step off. -GONE: it is over, or there is none. ev may be NULL: it has not begun. */
int kernel_stop(struct kernel *k, uint64_t step, struct ambit_event *ev, struct err *e);
/* No more steps: it ends behind those that it has. */
void kernel_end(struct kernel *k);
/* Its event is over: what did not end by then never does. */
void kernel_over(struct kernel *k, const struct kernel_files *files);
/* poll(2)'s timeout. */
int kernel_patience(const struct kernel *k, int timeout);

/* As it is now; k: of one that is there, NULL: its event is over. false: there is no such step, or its rows are not kept any more. */
bool kernel_row(const struct kernel *k, const struct shelf *shelf, uint64_t n, uint64_t step, struct step_row *ret);

#endif
