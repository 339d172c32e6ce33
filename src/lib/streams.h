/* streams - standard input, output and error of an event, and of one of code its source and result.
 *
 * Owns:   the decision what of the caller's descriptors a cell may hold, the pipes where it may not, and the copying.
 * Holds:  a cell gets an input pipe, harmless devices, its private terminal, and for output a file with nothing in it;
 *         never a socket, a directory, a block device, a file open both ways, or the caller's terminal, no output pipe,
 *         which its owner can open the other way round to read what others wrote, and no file that held something: a descriptor of whatever direction lets the owner change modes, times and attributes, and one for
 *         appending lets everybody cut. What it may not hold is relayed through a pipe; of an input file what the cell did
 *         not read is given back. Memory for each stream is bounded; a slow reader slows the writer.
 * Called: lib, from one event's loop. */
#ifndef LIB_STREAMS_H
#define LIB_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "ambit/ambit.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/kind.h"
#include "lib/frames.h"
#include "supervisor/pty.h"

#define STREAM_RECORD_MAX (64u << 20) /* copies in records are cut here */
#define STREAM_CHUNK (64u << 10)
#define STREAM_STEPS_MAX (256u << 20) /* bytes of the results of a kernel's steps, together */

struct relay {
	int from_fd, to_fd; /* owned: from for outputs, to for inputs; the other end is borrowed; -1 when done */
	bool output;
	bool capture;       /* to `kept` instead of a descriptor */
	bool file;          /* the borrowed end is a regular file */
	int input_fd;       /* borrowed, with file: an input's, also behind its end; -1 */
	int unread_fd;      /* owned, with input_fd: tells what the cell has not read of the pipe */
	struct buf waiting; /* read and not yet written */
	size_t waiting_at;
	struct buf kept;
	uint64_t total, most;  /* that came; of it so much is passed on, 0: all */
	struct frames *frames; /* borrowed: what comes is in frames; NULL: it is not */
	bool open;             /* of an input: more will be given */
	int lost_errno;        /* why what came is not written any more; 0: it is */
};

/* Behind the three: CELL_CODE_FD and CELL_RESULT_FD. */
enum { STREAM_CODE = 3, STREAM_RESULT, STREAMS };

struct streams {
	int cell_fd
		[STREAMS]; /* owned: what the cell gets, -1: its private terminal or nothing; closed once handed over */
	uint32_t tty;      /* CELL_TTY_* of those that are the private terminal */
	struct relay relay[STREAMS];
	bool relayed[STREAMS];
	struct frames frames; /* of a kernel */
	bool held_back;       /* of code: all but standard input, until the program has started */
};

void streams_init(struct streams *s);
void streams_finish(struct streams *s);

/* In place of an ambit_stream: the descriptor as it is, since a role of ours is what runs there. */
#define STREAM_OURS ((enum ambit_stream)100)

/* Decides for each of 0, 1, 2. relay_all: the amount of output must be known, so nothing is passed directly. */
int streams_open(struct streams *s, const enum ambit_stream mode[3], const int fd[3], bool terminal, bool relay_all,
		 struct err *e);
struct stream_code {
	enum event_kind kind;
	const char *source;
	bool shows;    /* its value is printed */
	int result_fd; /* borrowed: to which its result goes; -1: nobody takes it */
	uint64_t most; /* of that; 0: CODE_RESULT_MAX */
};

/* Pipes for an event of code: the source, which is copied, waits until streams_give_code. */
int streams_open_code(struct streams *s, const struct stream_code *c, struct err *e);
void streams_give_code(struct streams *s);
/* In their place, of a template, what it is asked by and what it loads. Takes both. */
void streams_lend(struct streams *s, int *sock, int *loaded);

/* Pipes for a kernel, which gets one source after the other. */
int streams_open_kernel(struct streams *s, const struct stream_code *c, struct err *e);
/* The next step; the one before is over. -LIMIT: it is too long. */
int streams_give_step(struct streams *s, uint32_t step, const char *source, size_t n, bool shows);
/* Whether its interpreter has all of its source. */
bool streams_step_is_read(const struct streams *s);
/* 1: it is over, and all that it wrote until then is where it was to go; 0: not yet; -PROTOCOL: it said what nobody may; -GONE: it says nothing
 * any more. */
int streams_step_over(struct streams *s, struct step_end *ret);
/* Nothing comes any more. */
void streams_end_steps(struct streams *s);
/* The pipes of `from`, whose program waits at their other ends, in place of to's own, which lead where those did that are replaced. */
void streams_adopt(struct streams *to, struct streams *from);

/* What the private terminal starts as: the first of the caller's that it stands for. It echoes, and puts CR before LF, only if it stands
 * for the keys and the screen both; else the caller's own terminal stays as it is, and does that. */
void streams_terminal(const struct streams *s, const int fd[3], struct pty_settings *ret);
void streams_handed_over(struct streams *s);

/* Why not all output is where it was to go; 0: it is, or its reader went, which is his affair. */
int streams_lost(const struct streams *s);
/* Copies what can be copied without blocking. */
void streams_step(struct streams *s);
/* Whether all output has arrived (asked after the cell is dead). */
bool streams_drained(const struct streams *s);
/* Fills poll-style interests: calls add(user, fd, events) for each descriptor that step waits for. */
void streams_interests(const struct streams *s, void (*add)(void *user, int fd, uint32_t events), void *user);
uint64_t streams_output_total(const struct streams *s);
/* Of that, what went to files. */
uint64_t streams_file_total(const struct streams *s);
/* After the end: sets the place in an input file to behind what the cell read, for whoever reads on. */
void streams_give_back(struct streams *s);

#endif
