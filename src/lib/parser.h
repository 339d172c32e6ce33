/* parser - running one of our own parsers where it can do no harm.
 *
 * Owns:   the cell of a parser: an empty root, no network, one task, half a minute, bounded memory and output.
 * Holds:  what parses foreign bytes (policies, records, logs) has no authority, but for the places that it was asked to
 *         look at; what comes back is bytes again, bounded, and checked by whoever asked.
 * Called: lib, cli. */
#ifndef LIB_PARSER_H
#define LIB_PARSER_H

#include "base/buf.h"
#include "base/err.h"

#define PARSER_PLACES 4

struct parser_place {
	const char *path; /* granted under its own name: absolute, without links */
	bool writes;      /* what is in it may be changed, and else only read */
};

struct parser_ask {
	const char *role; /* executable, "ambit-policy" */
	const char *mode; /* its one argument, NULL: none */
	int input_fd;     /* borrowed: its standard input */
	bool input_ours;  /* it is a socket pair of our own, handed over as it is: descriptors can come over it */
	uint64_t memory_bytes;
	struct parser_place places[PARSER_PLACES]; /* up to the first without a path */
	uint64_t wall_ms;                          /* 0: half a minute */
};

/* Takes what the role wrote to standard output, at most ret_output->max bytes, and its exit status. -LIMIT: it did not
 * survive; -HOST and others: it could not be run. */
int parser_run(const struct parser_ask *ask, struct buf *ret_output, int *ret_status, struct err *e);

/* Takes what the role wrote, piece by piece while it runs: of what is longer than memory. stream: 1 standard output, 2 standard
 * error. Negative: it is enough. */
struct parser_sink {
	int (*take)(void *arg, unsigned stream, const void *bytes, size_t n);
	void *arg;
};

/* The same, to a sink; what that refused with is given back, and the role is gone then. */
int parser_stream(const struct parser_ask *ask, const struct parser_sink *sink, int *ret_status, struct err *e);

#endif
