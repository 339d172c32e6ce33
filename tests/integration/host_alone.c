/* host - a product with the library inside, which looks at what the library does to it.
 * usage: host threads THREADS EVENTS | run [DIRECTORY] | session SCENARIO [WORD...] | SCENARIO... */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define PATIENCE_S 30

/* Steps until it has written this, and no more; false: it does not. */
static bool writes(struct ambit_event *ev, const char *text)
{
	while (ev != NULL && !host_has_captured(ev, text)) {
		struct pollfd wait = { .fd = ambit_event_fd(ev), .events = POLLIN };

		if (poll(&wait, 1, PATIENCE_S * 1000) <= 0 || ambit_event_step(ev, NULL) != 0)
			return false;
	}
	return ev != NULL;
}

/* ---- what is told ---- */

static void tells_output_as_it_comes(const struct ambit_policy *p)
{
	struct ambit_event *ev = host_start(p, "echo one; sleep 1000");
	struct ambit_error e = { .size = sizeof e };
	const void *text;
	size_t n;

	if (!writes(ev, "one\n"))
		host_problem("what it wrote is not there while it runs");
	if (ambit_event_failure(ev, &e) != -AMBIT_USAGE)
		host_problem("it runs, and has failed: %s", e.message);
	(void)ambit_event_kill(ev, NULL);
	host_expect(ev, 128 + SIGKILL, "one\n");
	if (ambit_event_failure(ev, &e) != -AMBIT_GONE)
		host_problem("killed, it failed with: %s", e.message);
	if (ambit_event_output(ev, 0, &text, &n, NULL, &e) != -AMBIT_USAGE)
		host_problem("its input is an output");
	if (strncmp(ambit_event_id(ev), "e_", 2) != 0 || strlen(ambit_event_id(ev)) != 28)
		host_problem("its id is '%s'", ambit_event_id(ev));
	ambit_event_free(ev);
}

static void tells_why(struct ambit_policy *p)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev;

	ev = host_start(p, "exit 3");
	host_expect(ev, 3, "");
	if (ambit_event_failure(ev, &e) != 0)
		host_problem("what the command says itself is a failure: %s", e.message);
	ambit_event_free(ev);
	if (ambit_policy_limit(p, "wall=300ms", &e) < 0)
		host_problem("no limit: %s", e.message);
	ev = host_start(p, "sleep 1000");
	host_expect(ev, 124, "");
	if (ambit_event_failure(ev, &e) != -AMBIT_LIMIT || strstr(e.message, "wall") == NULL)
		host_problem("over its limit, it failed with: %s", e.message);
	ambit_event_free(ev);
}

static void told(void)
{
	struct ambit_policy *p = host_policy();

	tells_output_as_it_comes(p);
	tells_why(p);
	ambit_policy_free(p);
}

/* ---- of another size ---- */

static int start_of_size(const struct ambit_policy *p, size_t size, struct ambit_error *e)
{
	char *argv[4];
	struct ambit_event_options o = host_shell("exit 0", argv);
	struct ambit_event *ev = NULL;
	int r;

	o.environment = (char *const *)(uintptr_t)1; /* a host that does not know it has something else there */
	o.size = size;
	r = ambit_event_start(p, &o, &ev, e);
	ambit_event_free(ev);
	return r;
}

static void sizes(void)
{
	struct ambit_policy *p = host_policy();
	struct ambit_error e = { .size = sizeof e };
	struct {
		struct ambit_error known;
		char beyond[16];
	} small = { .known.size = offsetof(struct ambit_error, hint), .beyond = "untouched" };

	if (start_of_size(p, offsetof(struct ambit_event_options, environment), &e) != 0)
		host_problem("options of an older header: %s", e.message);
	if (start_of_size(p, sizeof(struct ambit_event_options) + 8, &e) != -AMBIT_USAGE)
		host_problem("options of a newer header are taken");
	strcpy(small.known.hint, "untouched");
	if (start_of_size(p, 0, &small.known) != -AMBIT_USAGE || small.known.message[0] == 0 ||
	    strcmp(small.known.hint, "untouched") != 0)
		host_problem("an error of an older header");
	ambit_policy_free(p);
}

/* ---- what goes in ---- */

static void environment(void)
{
	char *given[] = { (char *)(uintptr_t) "SHOWN=given", (char *)(uintptr_t) "HIDDEN=given", NULL };
	struct ambit_policy *p = host_policy();
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	char *argv[4];
	struct ambit_event_options o = host_shell("echo $SHOWN $HIDDEN $OWN", argv);

	(void)setenv("SHOWN", "own", 1);
	(void)setenv("OWN", "own", 1);
	if (ambit_policy_grant(p, "env", "SHOWN", &e) < 0)
		host_problem("no grant: %s", e.message);
	host_expect(ev = host_start(p, "echo $SHOWN $HIDDEN $OWN"), 0, "own\n");
	ambit_event_free(ev);
	o.environment = given;
	ev = NULL;
	if (ambit_event_start(p, &o, &ev, &e) < 0)
		host_problem("it does not start: %s", e.message);
	host_expect(ev, 0, "given\n");
	ambit_event_free(ev);
	ambit_policy_free(p);
}

static void labels_are(const struct ambit_policy *p, const char *given, const char *told)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	char *argv[4];
	struct ambit_event_options o = host_shell("echo", argv);
	const char *found;

	o.labels = given;
	if (ambit_event_start(p, &o, &ev, &e) < 0) {
		host_problem("with '%s' it does not start: %s", given != NULL ? given : "(null)", e.message);
		return;
	}
	host_expect(ev, 0, "\n");
	found = ambit_event_labels(ev);
	if (found == NULL || strcmp(found, told) != 0)
		host_problem("labels '%s', and not '%s'", found != NULL ? found : "(null)", told);
	ambit_event_free(ev);
}

/* What an event is told to have been given comes out with what it wrote. */
static void labels(void)
{
	static const char *const wrong[] = { "Private", "none", "a,", ",", "a,b,c,d,e,f,g,h,i" };
	struct ambit_policy *p = host_policy();

	labels_are(p, NULL, "");
	labels_are(p, "", "");
	labels_are(p, "private", "private");
	labels_are(p, "untrusted, private", "private,untrusted");
	labels_are(p, NULL, "private,untrusted"); /* of its stream */
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct ambit_error e = { .size = sizeof e };
		struct ambit_event *ev = NULL;
		char *argv[4];
		struct ambit_event_options o = host_shell("echo", argv);

		o.labels = wrong[i];
		if (ambit_event_start(p, &o, &ev, &e) >= 0 || e.hint[0] == 0)
			host_problem("'%s' is taken", wrong[i]);
		ambit_event_free(ev);
	}
	ambit_policy_free(p);
}

/* What the verdict says of a command; code: what asking for it gives. */
static void verdict_is(const struct ambit_policy *p, const char *command, int code, int unusual, int held, bool near)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_usual u = { .size = sizeof u };
	struct ambit_event *ev = host_start(p, command);
	int r;

	if (ev == NULL)
		return;
	r = ambit_event_usual(ev, &u, &e);
	if (!(r < 0 && e.code == AMBIT_USAGE))
		host_problem("'%s' has a verdict while it runs", command);
	(void)ambit_event_wait(ev, NULL);
	r = ambit_event_usual(ev, &u, &e);
	if (r != code || u.unusual != unusual || u.held != held || (u.n_reasons > 0) != (unusual != 0) ||
	    (u.nearest != NULL) != near)
		host_problem("'%s': %d (%s), unusual %d, held %d, %u reasons, nearest %s", command, r,
			     r < 0 ? e.message : "", u.unusual, u.held, u.n_reasons,
			     u.nearest != NULL ? u.nearest : "none");
	u.size = sizeof u + 1;
	if (ambit_event_usual(ev, &u, &e) >= 0)
		host_problem("a verdict of another ABI is given");
	ambit_event_free(ev);
}

/* How it compares with what is usual is a value of its handle. */
static void usual(void)
{
	static const char text[] = "version: 1\nprofile: ask\nagent: host-usual\n";
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = host_policy();

	verdict_is(p, "true", -AMBIT_NOT_FOUND, 0, 0, false);
	if (ambit_policy_load_text(p, "usual", text, sizeof text - 1, &e) < 0)
		host_problem("%s", e.message);
	for (unsigned i = 0; i < 6; i++)
		verdict_is(p, "true", 0, 0, 0, false);
	verdict_is(p, "/usr/bin/env true", 0, 1, 1, true);
	ambit_policy_free(p);
}

/* The writing end of a pipe at many numbers, none of them close-on-exec: if anybody else held one, the reading end would have no end. */
static void inherited(void)
{
	static const int at[] = { 3, 4, 5, 6, 50, 200 };
	struct ambit_policy *p = host_policy();
	struct pollfd end = { .events = POLLIN };
	struct ambit_event *ev;
	int pipe_fds[2];

	if (pipe(pipe_fds) < 0)
		abort();
	end.fd = fcntl(pipe_fds[0], F_DUPFD, 100);
	(void)dup2(pipe_fds[1], 201);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
		(void)dup2(201, at[i]);
	ev = host_start(p, "ls /proc/self/fd | tr '\\n' ' '; sleep 1000");
	if (!writes(ev, "0 1 2 3 "))
		host_problem("the cell has other descriptors than 0 to 2 (and 3, which lists them)");
	if (poll(&end, 1, 0) != 0)
		host_problem("the pipe has an end already: this shows nothing");
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
		(void)close(at[i]);
	(void)close(201);
	if (poll(&end, 1, 0) != 1 || (end.revents & POLLHUP) == 0)
		host_problem("somebody else holds a descriptor of the host's");
	ambit_event_free(ev);
	ambit_policy_free(p);
}

/* ---- children ---- */

/* It adopts orphans: of events that were freed nothing is left to be waited for. */
static void adopts(void)
{
	struct ambit_policy *p = host_policy();
	struct ambit_error e = { .size = sizeof e };

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	for (int i = 0; i < 3; i++) {
		struct ambit_event *ev = host_start(p, "exit 4");

		host_expect(ev, 4, "");
		ambit_event_free(ev);
		ambit_event_free(host_start(p, "sleep 1000"));
	}
	if (ambit_policy_preset(p, "python", &e) < 0)
		host_problem("a preset: %s", e.message);
	if (waitid(P_ALL, 0, &(siginfo_t){ .si_pid = 0 }, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD)
		host_problem("a helper that ended, or runs, is left to its host");
	ambit_policy_free(p);
}

static void end_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* As long as the host does. */
static void stay(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		(void)pause();
}

/* A fork keeps copies of all descriptors: the event ends all the same when its handle is freed. */
static void forked_and_freed(const struct ambit_policy *p)
{
	struct ambit_event *ev = host_start(p, "sleep 1000");
	const pid_t pid = fork();

	if (pid == 0)
		stay();
	(void)alarm(PATIENCE_S); /* ends a host that waits for ever */
	ambit_event_free(ev);
	(void)alarm(0);
	end_child(pid);
}

/* Nor do copies of what the handle has closed keep its descriptor readable: the host would turn in circles. */
static void forked_and_closed(const struct ambit_policy *p)
{
	struct ambit_event *ev = host_start(p, "exec >&- 2>&-; sleep 0.5");
	const pid_t pid = fork();
	int steps = 0;

	if (pid == 0)
		stay();
	while (ev != NULL && ambit_event_step(ev, NULL) == 0) {
		struct pollfd wait = { .fd = ambit_event_fd(ev), .events = POLLIN };

		(void)poll(&wait, 1, -1);
		steps++;
	}
	if (steps > 1000)
		host_problem("%d steps for an event that says nothing", steps);
	host_expect(ev, 0, "");
	ambit_event_free(ev);
	end_child(pid);
}

/* What the fork frees are its copies. */
static void freed_by_the_fork(const struct ambit_policy *p)
{
	struct ambit_event *ev = host_start(p, "sleep 0.3; echo done");
	const pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		(void)alarm(PATIENCE_S);
		ambit_event_free(ev);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	if (status != 0)
		host_problem("a fork that frees its copy ends with %d", status);
	host_expect(ev, 0, "done\n");
	ambit_event_free(ev);
}

static void forked(void)
{
	struct ambit_policy *p = host_policy();

	forked_and_freed(p);
	forked_and_closed(p);
	freed_by_the_fork(p);
	ambit_policy_free(p);
}

/* What is execed by a host with threads: whatever it has beside 0 to 2 is a descriptor too many. */
static void look(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			host_problem("descriptor %d", fd);
}

/* ---- the rest ---- */

static void *on_small_stack(void *unused)
{
	struct ambit_policy *p = host_policy();
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev;
	const char *record = NULL;
	size_t n = 0;

	(void)unused;
	if (ambit_policy_preset(p, "python", &e) < 0 || ambit_policy_grant(p, "read", ".", &e) < 0 ||
	    ambit_policy_grant(p, "connect", "example.com:443", &e) < 0)
		host_problem("no policy: %s", e.message);
	host_expect(ev = host_start(p, "echo small"), 0, "small\n");
	if (ambit_event_record(ev, &record, &n, &e) < 0 || n == 0)
		host_problem("no record: %s", e.message);
	ambit_event_free(ev);
	ambit_policy_free(p);
	return NULL;
}

static void stack(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, 256u << 10);
	if (pthread_create(&thread, &attributes, on_small_stack, NULL) != 0)
		abort();
	(void)pthread_join(thread, NULL);
	(void)pthread_attr_destroy(&attributes);
}

/* Says where it ran, or why not: what helpers were found shows by that. */
static void run(void)
{
	struct ambit_policy *p = host_policy();
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	const void *text = NULL;
	size_t n = 0;
	char *argv[4];
	const struct ambit_event_options o = host_shell("hostname", argv);

	if (ambit_event_start(p, &o, &ev, &e) == 0 && ambit_event_wait(ev, &e) == 0 &&
	    ambit_event_failure(ev, &e) == 0 && ambit_event_output(ev, 1, &text, &n, NULL, &e) == 0)
		printf("%.*s", (int)n, (const char *)text);
	else
		host_problem("code %d: %s: %s", e.code, e.message, e.why);
	ambit_event_free(ev);
	ambit_policy_free(p);
}

/* Freed while it writes: its id, by which its stage is found. */
static void dropped(void)
{
	struct ambit_policy *p = host_policy();
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev;

	if (ambit_policy_grant(p, "work", ".", &e) < 0)
		host_problem("no grant: %s", e.message);
	ev = host_start(p, "echo half >half; echo written; sleep 1000");
	if (writes(ev, "written\n"))
		printf("%s\n", ambit_event_id(ev));
	ambit_event_free(ev);
	ambit_policy_free(p);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenarios[] = { { "told", told },           { "sizes", sizes },   { "environment", environment },
			  { "inherited", inherited }, { "adopts", adopts }, { "forked", forked },
			  { "look", look },           { "stack", stack },   { "run", run },
			  { "dropped", dropped },     { "labels", labels }, { "usual", usual },
			  { "beside", host_beside } };

	if (argc > 1 && strcmp(argv[1], "look") != 0) /* whoever starts this may have left something open */
		(void)syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
	if (argc == 4 && strcmp(argv[1], "threads") == 0) {
		host_threads(atoi(argv[2]), atoi(argv[3]));
		return host_problems() != 0;
	}
	if (argc > 2 && strcmp(argv[1], "session") == 0 && host_session_scenario(argc - 2, argv + 2))
		return host_problems() != 0;
	if (argc == 3 && chdir(argv[2]) < 0)
		return 2;
	for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof scenarios[0]; i++)
		if (strcmp(argv[1], scenarios[i].name) == 0) {
			scenarios[i].run();
			return host_problems() != 0;
		}
	fprintf(stderr, "no scenario\n");
	return 2;
}
