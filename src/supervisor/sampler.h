/* sampler - what the processes of a cell use, read from the cell's own /proc.
 *
 * Owns:   struct sampler: a descriptor of the /proc of its own, and room to read into.
 * Holds:  only the kernel's text is read, never the processes themselves, so a cell can hide from it only what the kernel
 *         does not attribute: see below.
 * Called: supervisor, from bounds; outside the cell, with the caller's authority over the cell's user namespace.
 *
 * What is not seen:
 * - what a process did after the last sample, if its parent ignores SIGCHLD: the kernel then drops its figures. A loss
 *   that shows between two samples is added back; children that live shorter than a period do not show.
 * - shared memory that nobody has mapped and that lies on no file system given here (System V segments, descriptors in
 *   flight between sockets), and buffers of pipes and sockets. The floor of the host's memory (bounds) stands behind it.
 * - for an ordinary user what a process writes that made itself not dumpable, or runs a program which it may not read: its
 *   files in /proc are then root's. struct sample counts such processes; the cell's filter refuses the first way.
 * - space on a disk that is allocated and not written (fallocate, with FALLOC_FL_KEEP_SIZE not under RLIMIT_FSIZE
 *   either): the cell's filter refuses that too. */
#ifndef SUPERVISOR_SAMPLER_H
#define SUPERVISOR_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* More processes than this are not read; struct sample says so. */
#define SAMPLER_PROCESSES_MAX 16384u

enum sample_what { SAMPLE_MEMORY = 1, SAMPLE_TASKS = 2, SAMPLE_CPU = 4, SAMPLE_WRITTEN = 8 };

struct sampler_ask {
	int proc_fd;    /* borrowed: root of the cell's /proc, O_PATH will do */
	int scratch_fd; /* borrowed: something on the cell's scratch file system, O_PATH will do; -1: not counted */
	bool memfd;     /* the cell may have memfds: look for them among the descriptors, which costs */
	unsigned what;  /* SAMPLE_* */
};

struct sample {
	uint64_t memory_bytes;
	uint64_t tasks; /* processes and threads, the warden among them */
	uint64_t cpu_ms;
	uint64_t written_bytes;
	uint32_t processes;
	uint32_t hidden; /* living processes whose bytes written may not be read */
	bool cut;        /* there were more than SAMPLER_PROCESSES_MAX */
};

struct sampler;

/* Proves by one reading of process 1 that each figure asked for can be had. -PROTOCOL: proc_fd is not the root of a /proc.
 * -HOST: a figure cannot be read. -MEMORY. */
int sampler_create(const struct sampler_ask *ask, struct sampler **ret, struct err *e);
void sampler_destroy(struct sampler *s);

/* Reads everything. memory_limit (0: none): only a sum beyond it is confirmed, page by page, before it is given; so a
 * page that many processes share counts once where it matters and costs nothing where it does not. */
void sampler_read(struct sampler *s, uint64_t memory_limit, struct sample *ret);
/* What a process wrote that is gone, and for which process 1 did not wait: from here on it is in the sum. */
void sampler_add_written(struct sampler *s, uint64_t bytes);

#endif
