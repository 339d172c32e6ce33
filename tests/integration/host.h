/* host - what the programs have in common that stand for a product with the library inside.
 *
 * Owns:   the count of problems, and the two or three ways to run something.
 * Called: host_*.c. They print each problem, and exit with their number. */
#ifndef HOST_H
#define HOST_H

#include <ambit/ambit.h>
#include <stdbool.h>
#include <stddef.h>

/* What is wrong, told and counted; from any thread. */
void host_problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int host_problems(void);

/* Options of `sh -c command` without input, with its output captured; argv has room for four. */
struct ambit_event_options host_shell(const char *command, char **argv);
struct ambit_policy *host_policy(void);
/* A problem, and NULL, if it does not start. */
struct ambit_event *host_start(const struct ambit_policy *p, const char *command);
/* Until it ended: its status and output, which must be these. */
void host_expect(struct ambit_event *ev, int status, const char *output);
bool host_has_captured(const struct ambit_event *ev, const char *text);

/* What a library must leave alone, as a text to compare, which the caller frees: dispositions, the mask of this thread, directory, umask, variables, descriptors. */
char *host_state(void);
/* Where they differ it is a problem. */
void host_compare(const char *before, const char *after);

/* Everything with threads, children and signals at once (host_threads.c). */
void host_threads(int threads, int events);

#endif
