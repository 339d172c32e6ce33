/* bounds - no event uses more than its limits: what holds them on this host, and what was used.
 *
 * Owns:   struct bounds: the event's cgroups and the sampler over its processes.
 * Holds:  a mechanism is in bounds_mechanisms only while it holds: a cgroup only once the cell is in it. What a cgroup bounds, the kernel keeps exactly;
 *         everything else is sampled, with an overshoot of at most what a cell can do in one period. Watching costs at
 *         most 1/50 of one processor, whatever the cell does, but while the host's memory is falling fast.
 * Called: supervisor, from its only thread, in the order: prepare; enter, fork, leave; place; watch before foreign code
 *         runs; tick; once more tick_last; usage; finish (after the cell's processes were killed).
 *
 * The limits wall and output are not here: the supervisor has the timer and the pipes. files is an rlimit alone. */
#ifndef SUPERVISOR_BOUNDS_H
#define SUPERVISOR_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "cell/property.h"
#include "core/limits.h"
#include "core/outcome.h"
#include "supervisor/cgroup.h"
#include "supervisor/sampler.h"
#include "supervisor/uncounted.h"

#define BOUNDS_PERIOD_NS UINT64_C(20000000)
#define BOUNDS_OWN_TASKS 1   /* the warden, which is in the cell and not in its limit */
#define BOUNDS_START_TASKS 3 /* while it is started: the supervisor and a go-between as well */

struct bounds_ask {
	const struct limits *limits;
	const char *event_id;
	const char *root; /* "" for this host; tests stand a fake tree somewhere else */
	pid_t companion;  /* the command line, if that is Ambit's own: may be moved to a leaf cgroup with us; else 0 */
};

/* Where the host's memory stands and when this cell has to go for it. */
struct bounds_floor {
	uint64_t total, least; /* bytes; below `least` the host is in danger */
	uint64_t share;        /* a cell that uses this much ends; 0 while there is no danger */
};

struct bounds {
	struct limits limits;
	struct cgroup cgroup;
	struct sampler *sampler; /* owned, NULL until bounds_watch */
	struct uncounted uncounted;
	mechanism_set mechanisms;
	unsigned what;  /* SAMPLE_* that no cgroup keeps */
	int meminfo_fd; /* owned, -1 if it cannot be read */
	struct bounds_floor floor;
	uint64_t available; /* bytes of host memory at the last sample */
	uint64_t due_ns;    /* of the next sample */
	struct sample last, peak;
	unsigned hidden; /* samples that found a process whose writing is hidden */
	bool host_low;
};

/* Finds what this host and caller can have. What cannot be had is not an error: see bounds_mechanisms and the reasons in
 * ret->cgroup.why. -SYSTEM: nothing at all can be known of this host. -HOST: a crash in the
 * cell would start a program of the host's, and no limit keeps it from that. */
int bounds_prepare(const struct bounds_ask *ask, struct bounds *ret, struct err *e);
mechanism_set bounds_mechanisms(const struct bounds *b);

/* Puts the first process in. With version 1 it is born inside if it is forked between enter and leave. With version 2 it
 * is if it is cloned with CLONE_INTO_CGROUP and bounds_clone_fd (borrowed, -1: none), and bounds_cloned says so. Place moves
 * it into whatever it was not born in, which costs 10 ms; it must have no child yet. What refuses is given up. */
int bounds_clone_fd(const struct bounds *b);
void bounds_cloned(struct bounds *b);
void bounds_enter(struct bounds *b);
int bounds_leave(const struct bounds *b, struct err *e);
void bounds_place(struct bounds *b, pid_t pid);

struct bounds_watch_ask {
	int proc_fd;         /* root of the cell's private /proc */
	int scratch_fd;      /* something on its scratch file system (O_PATH will do), or -1 */
	const int *stage_fd; /* where what it writes is staged, n_stages of them, -1 for none */
	size_t n_stages;
	bool jit; /* the cell may make memfds */
};

/* Begins to sample what no cgroup keeps. All is borrowed. -PROTOCOL, -HOST, -MEMORY as sampler_create and uncounted_find.
 * From here on no cgroup is claimed that the cell is not in. */
/* A cell that waited begins: what is counted from a beginning is counted from here. */
void bounds_again(struct bounds *b);
int bounds_watch(struct bounds *b, const struct bounds_watch_ask *ask, struct err *e);

/* Every BOUNDS_PERIOD_NS, by the monotonic clock; looks at the processes only when that is due. 1: over *ret_over, end the
 * cell; 0: fine. */
int bounds_tick(struct bounds *b, uint64_t now_ns, enum limit *ret_over);
/* One last look, when the cell has ended and its process 1, which waited for all, has not been waited for. Result as
 * bounds_tick. */
int bounds_tick_last(struct bounds *b, enum limit *ret_over);
/* What the program wrote, if it was no child of process 1, before the last look. */
void bounds_add_written(struct bounds *b, uint64_t bytes);
/* Whether it was the host that ran out of memory: then the cell ended as the largest, not as one over its limit. */
bool bounds_host_low(const struct bounds *b);

/* At the end: bit set of enum limit of what the kernel enforced. MEMORY: it killed. TASKS: it refused to fork. */
uint32_t bounds_enforced(const struct bounds *b);
/* waited: what wait4 gave for the cell's first process; NULL if unknown. wall_ms is not touched. */
void bounds_usage(const struct bounds *b, const struct rusage *waited, struct event_usage *ret);

/* Kills what a cgroup still holds, removes the directories. Accepts a zeroed and a finished one. -SYSTEM: a cgroup could
 * not be removed within two seconds and is left for bounds_sweep. */
int bounds_finish(struct bounds *b, struct err *e);
/* Removes the cgroups of supervisors that were killed. Gives how many. */
unsigned bounds_sweep(void);

#endif
