/* host - what the programs have in common that stand for a product with the library inside.
 *
 * Owns:   the count of problems, and the two or three ways to run something.
 * Called: host_*.c. They print each problem, and exit with their number. */
#ifndef HOST_H
#define HOST_H

#include <ambit/ambit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* ---- sessions (host_session.c) ---- */

/* Handles, or a problem and NULL. start: the daemon, if it is not there. */
struct ambit_daemon *host_daemon(int start);
struct ambit_session *host_session(struct ambit_daemon *d); /* with the current directory to work in */
struct ambit_session *host_opened(struct ambit_daemon *d, const char *session);
struct ambit_run_options host_run_options(const char *command, char **argv); /* argv has room for four */
/* The number of an event with that command, and, if input is 1, an input; 0: a problem. */
uint64_t host_run(struct ambit_session *s, const char *command, int input);
struct ambit_follow *host_follow(struct ambit_session *s, uint64_t n, int input);
/* Until it is over: its status and all of its output, which must be these. Frees it. */
void host_ends(struct ambit_follow *f, int status, const char *output);
/* A problem unless it is that; what: for the problem. */
void host_is(int code, int wanted, const struct ambit_error *e, const char *what);
/* From that byte on: a text, in a room of the caller's. */
const char *host_read(struct ambit_follow *f, int stream, uint64_t offset, char *room, size_t size);

/* A scenario of theirs by its words, after which nothing is open that was not before; false: there is none. */
bool host_session_scenario(int argc, char **argv);
/* Those of host_session_hard.c. */
struct host_scenario {
	const char *name;
	void (*run)(int argc, char **argv);
};
extern const struct host_scenario host_hard[]; /* ends with NULL */

/* In a cell that has sub-agents (host_beside.c). */
void host_beside(void);

/* Everything with threads, children and signals at once (host_threads.c). */
void host_threads(int threads, int events);

#endif
