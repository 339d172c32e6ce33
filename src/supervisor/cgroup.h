/* cgroup - the event's own control groups, where this host and caller can have them.
 *
 * Owns:   struct cgroup: one directory with version 2, up to two with version 1, named `ambit-PID-START-EVENT` after the
 *         process that made them, each held by a lock on its descriptor as long as that process lives.
 * Holds:  a directory that exists here has its limit set; what cannot be had is left out with a reason, never half set.
 *         Directories are made only in the caller's own cgroup. Processes that are not ours are never moved.
 * Called: supervisor, from bounds; outside the cell, with the caller's authority, from its only thread.
 *
 * Version 2 lets a cgroup have either processes or limited children. So where the caller's cgroup has processes and all
 * are ours, they move to its leaf `ambit.leaf` first; where others are among them, there is no cgroup. */
#ifndef SUPERVISOR_CGROUP_H
#define SUPERVISOR_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define CGROUP_NAME_MAX 96

enum cgroup_slot { CGROUP_MEMORY, CGROUP_TASKS, CGROUP_SLOTS };

struct cgroup_dir {
	int version;    /* 1 or 2; 0: unused */
	unsigned slots; /* bit set of enum cgroup_slot */
	bool inside;    /* the cell is in it */
	int parent_fd;  /* owned: the caller's own cgroup */
	int fd;         /* owned and locked: the event's */
};

struct cgroup {
	char name[CGROUP_NAME_MAX];
	struct cgroup_dir dirs[CGROUP_SLOTS];
	char why[CGROUP_SLOTS][160]; /* why there is none for this slot; "" if there is */
};

struct cgroup_ask {
	const char *root; /* "" for this host; tests stand a fake tree somewhere else */
	const char *event_id;
	uint64_t value[CGROUP_SLOTS]; /* bytes, tasks; 0: no limit, no cgroup */
	pid_t companion;              /* another process of Ambit's own that may be moved (the command line); 0: none */
};

/* Always succeeds: what cannot be had is in ret->why. */
void cgroup_create(const struct cgroup_ask *ask, struct cgroup *ret);

/* There is one for the slot; the cell is in it. */
bool cgroup_has(const struct cgroup *c, enum cgroup_slot slot);
bool cgroup_holds(const struct cgroup *c, enum cgroup_slot slot);

/* The directory for CLONE_INTO_CGROUP, -1 if there is none of version 2; cgroup_cloned says that it was used. */
int cgroup_clone_fd(const struct cgroup *c);
void cgroup_cloned(struct cgroup *c);
/* The same for version 1: between the two calls, what this process forks is born inside. Moving only the calling thread
 * spares the wait for all processors that moving another process costs (0.2 ms instead of 10). A directory that cannot
 * be entered is dropped and its reason kept. */
void cgroup_enter(struct cgroup *c);
int cgroup_leave(const struct cgroup *c, struct err *e);
/* Moves a whole process into those that it was not born in. Drops what refuses. */
void cgroup_place(struct cgroup *c, pid_t pid);
/* The cell is where it will be: drops what it is not in, and sets the final number of tasks. */
void cgroup_settle(struct cgroup *c, uint64_t tasks);

/* Figures; false if the kernel does not keep it. */
bool cgroup_memory_now(const struct cgroup *c, uint64_t *ret_bytes);
bool cgroup_memory_peak(const struct cgroup *c, uint64_t *ret_bytes);
/* Files in memory (tmpfs, memfds, shared memory) that the cell made, with what of them was swapped out. */
bool cgroup_memory_files(const struct cgroup *c, uint64_t *ret_bytes);
bool cgroup_tasks_peak(const struct cgroup *c, uint64_t *ret_tasks);
bool cgroup_cpu(const struct cgroup *c, uint64_t *ret_user_us, uint64_t *ret_system_us);
/* Processes that the kernel killed for want of memory; forks that it refused (1 with version 1 from Linux 6.11, if the
 * limit was reached: more is not told). */
uint64_t cgroup_oom_kills(const struct cgroup *c);
uint64_t cgroup_forks_refused(const struct cgroup *c);

/* Kills what is inside (version 2; with version 1 the end of the cell's pid namespace has), waits for its end for at most
 * timeout_ms and removes the directories. -SYSTEM: something is still there; cgroup_sweep of a later event gets it. */
int cgroup_finish(struct cgroup *c, unsigned timeout_ms, struct err *e);

/* Removes the cgroups beside the caller's own that dead supervisors left. Gives how many. */
unsigned cgroup_sweep(const char *root);

#endif
