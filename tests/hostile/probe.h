/* probe - programs that really try what a cell forbids.
 *
 * Owns:   the table of probes, a file for each topic, and the one line that each run prints.
 * Holds:  a probe does the forbidden thing with all its effect (reads the bytes, sends the signal) and says SUCCEEDED
 *         only if that effect was had; whoever runs it outside a cell sees that it would have noticed. It never decides
 *         that something is "probably" refused: what it could not even try is CANNOT.
 * Called: by run.py: bare, as the positive twin, and inside a cell, as the attack. One static program, since it must run
 *         where there is nothing but itself. */
#ifndef HOSTILE_PROBE_H
#define HOSTILE_PROBE_H

#include <errno.h>
#include <stddef.h>

/* What every secret of run.py begins with. */
#define MARKER "AMBIT-MARK-"

/* Answers of an attempt besides a negative errno (refused) and 0 or more (succeeded). */
#define CANNOT (-100000)

struct attempt {
	char **args;      /* ends with NULL; at least probe.n_args of them */
	char detail[400]; /* what is printed behind the verdict */
};

struct probe {
	const char *name;
	int n_args;
	/* Exactly one of the four. */
	int (*tries)(struct attempt *a);                  /* does it: 0 or more, -errno or CANNOT */
	int (*opens)(struct attempt *a);                  /* a descriptor from which the secret is then read */
	int (*asks)(const char *path, struct attempt *a); /* an oracle: asked about args[0], which exists, and args[1],
							     which does not; succeeds if the answers differ */
	int (*writes)(struct attempt *a);                 /* a descriptor to which MARKER is then written */
};

extern const struct probe probes_read[];
extern const struct probe probes_oracle[];
extern const struct probe probes_write[];
extern const struct probe probes_mount[];
extern const struct probe probes_process[];
extern const struct probe probes_inherit[];
extern const struct probe probes_ipc[];
extern const struct probe probes_net[];
extern const struct probe probes_kernel[];
extern const struct probe probes_exec[];
extern const struct probe probes_device[];
extern const struct probe probes_limit[];
extern const struct probe probes_race[];

/* Puts text into the detail. said() gives 0 and cannot() CANNOT, so that they can be returned. */
__attribute__((format(printf, 2, 3))) int said(struct attempt *a, const char *format, ...);
__attribute__((format(printf, 2, 3))) int cannot(struct attempt *a, const char *format, ...);
/* cannot(), with what errno says behind it. */
__attribute__((format(printf, 2, 3))) int failed_try(struct attempt *a, const char *format, ...);

/* The result of a system call as an attempt's answer. */
static inline int got(long result)
{
	return result < 0 ? -errno : (int)(result > 1 << 30 ? 1 << 30 : result);
}

/* dir/name, in a buffer that the caller has. */
struct path {
	char text[4096];
};
struct path joined(const char *dir, const char *name);
struct path parent_of(const char *path);
const char *base_of(const char *path);

/* A fresh file in dir with MARKER in it; its path. */
struct path scratch_file(const char *dir, const char *name);

/* Reads from fd and looks for MARKER: 0 with the line in the detail, -ENODATA if it is not there, -errno. */
int find_marker(int fd, struct attempt *a);
/* A number out of an argument; ends the program if it is none. */
long number(const char *text);

/* The roles that stand on the host's side: `probe serve-NAME ARGS` prints a line when ready, and ends at the end of its
 * standard input. Gives -1 if name is none of them. */
int serve(const char *name, char **args);

#endif
