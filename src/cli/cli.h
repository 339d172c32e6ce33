/* cli - the command line: a thin translator onto libambit, with no policy of its own.
 *
 * Owns:   the table of commands (main.c) and what they share: how errors are shown.
 * Holds:  each command has a file of its own and a help text that its man page and the completions agree with (a test).
 * Called: main only. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "ambit/ambit.h"
#include "base/err.h"

#define EXIT_REFUSED 125 /* Ambit refused or failed */

/* Each takes its own argv (argv[0] is the command) and gives the exit status. */
int cli_run(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_trace(int argc, char **argv);
int cli_learn(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_policy(int argc, char **argv);
int cli_ledger(int argc, char **argv);
int cli_grant(int argc, char **argv);
int cli_freeze(int argc, char **argv); /* and thaw, and kill */
int cli_secret(int argc, char **argv);
int cli_approve(int argc, char **argv);
int cli_labels(int argc, char **argv);
int cli_profile(int argc, char **argv);
int cli_canary(int argc, char **argv);
int cli_cells(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_mcp(int argc, char **argv);
int cli_guard(int argc, char **argv);
int cli_setup(int argc, char **argv);
int cli_session(int argc, char **argv);
int cli_events(int argc, char **argv);
int cli_ps(int argc, char **argv);
int cli_stage(int argc, char **argv);
int cli_stage_short(int argc, char **argv); /* diff, commit, discard, undo without the word stage */

/* "ambit: what failed: why" and "  hint: what to do" on standard error, made harmless; gives the code's exit status. */
int cli_error(const struct ambit_error *e);
int cli_usage(const char *help, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for a word that is none of the list: the hint is the one meant, where one is near. names: of options, without dashes. */
int cli_no_word(const char *help, const char *word, const char *const *words, size_t n, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
int cli_no_option(const char *help, const char *word, const char *const *names, size_t n);

bool cli_is_help(const char *word);

/* The same, and with json {"error": ...} on standard output, where nothing else may have been written. */
int cli_refuse(bool json, const struct ambit_error *e);

/* Writes out what was printed. If that fails it is told on standard error, once: EXIT_REFUSED. A reader that has seen enough and went is
 * no failure. */
int cli_flush(void);
/* The same of what is too long to be printed. */
int cli_write(const void *bytes, size_t n);

/* Fills e with wrong usage; gives -AMBIT_USAGE. */
int cli_misused(struct ambit_error *e, const char *help, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What stands behind `--option` or in `--option=`: *at goes on where it is a word of its own. NULL: it is not this option; "" and *r: nothing is there. */
const char *cli_argument(char ***at, const char *help, const char *option, int *r, struct ambit_error *e);
int cli_misused_option(struct ambit_error *e, const char *help, const char *word, const char *const *names, size_t n);

#endif
