/* options - the flags that `run`, `learn`, `session new`, `mcp` and `guard` share, and what they come to.
 *
 * Owns:   struct run_options: the policy handle and the words of the flags.
 * Holds:  flags are read once, left to right, up to `--` or the first word that is no flag; what they mean is the
 *         library's to say.
 * Called: cli_run, cli_learn, cli_session, cli_mcp, cli_guard. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "ambit/ambit.h"
#include "cli/web.h"
#include "core/kind.h"
#include "core/labels.h"

enum command { COMMAND_RUN, COMMAND_LEARN, COMMAND_SESSION, COMMAND_MCP, COMMAND_GUARD };

struct run_options {
	struct ambit_policy *policy; /* owned */
	struct ambit_event_options event;
	const char *record;   /* file to write the record to */
	const char *output;   /* learn: file to write the policy to */
	const char *result;   /* run, of code: file to write its result to */
	enum event_kind kind; /* run: of code its language */
	char *code[3];        /* of it: the language and the source, owned, from a file or standard input */
	char without[256];
	struct labels labels;   /* run: of what the command is given */
	const char *session;    /* run: in which one; NULL: in one of its own */
	const char *key;        /* with it: an idempotency key */
	bool background;        /* likewise */
	const char *kernel;     /* likewise, of code: it is a step of the kernel of that name */
	bool end;               /* in place of a step: that kernel ends */
	const char *socket;     /* mcp, guard: where clients connect; NULL: standard input and output */
	struct web_options web; /* likewise: where they come by HTTP, and who may */
	const char *tools;      /* mcp: those that are listed; NULL: all that something is granted for */
	const char *url,
		*secret; /* guard: where its server is, in place of a command, and what is attached; NULL: none */
	const char *name, *pins; /* guard: what the server is called; of which one what waits is shown, */
	bool all;                /* what was approved, too, */
	bool approve;            /* or it is approved */
	bool per_call;           /* guard: each call has a server of its own */
	const char *learn;       /* guard: file to write the policy to that would have sufficed */
	/* session new, mcp: over all of its events; 0: not bounded, or as usual */
	uint64_t events_max, wall_ms_max, cpu_ms_max, keep_ms, keep_bytes;
	char limits[512]; /* what --limit said, word by word */
	bool json, quiet, strict, no_pty, help;
};

/* 0, or a negative code with *e filled. o->json is right in any case, for who tells of the mistake. */
int options_read(struct run_options *o, enum command command, int argc, char **argv, struct ambit_error *e);
void options_finish(struct run_options *o);

#endif
