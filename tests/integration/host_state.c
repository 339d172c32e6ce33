#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

static atomic_int problems;

void host_problem(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	printf("%s\n", text);
	(void)fflush(stdout);
	atomic_fetch_add(&problems, 1);
}

int host_problems(void)
{
	return atomic_load(&problems);
}

/* ---- running ---- */

struct ambit_event_options host_shell(const char *command, char **argv)
{
	struct ambit_event_options o = { .size = sizeof o, .argv = argv, .unrecorded = 1 };

	argv[0] = (char *)(uintptr_t) "/bin/sh"; /* only read */
	argv[1] = (char *)(uintptr_t) "-c";
	argv[2] = (char *)(uintptr_t)command;
	argv[3] = NULL;
	o.stream[0] = AMBIT_STREAM_NULL;
	o.stream[1] = o.stream[2] = AMBIT_STREAM_CAPTURE;
	return o;
}

struct ambit_policy *host_policy(void)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = NULL;

	if (ambit_policy_new(&p, &e) < 0 || ambit_policy_limit(p, "memory=256M", &e) < 0)
		host_problem("no policy: %s", e.message);
	return p;
}

struct ambit_event *host_start(const struct ambit_policy *p, const char *command)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	char *argv[4];
	const struct ambit_event_options o = host_shell(command, argv);

	if (ambit_event_start(p, &o, &ev, &e) < 0)
		host_problem("'%s' does not start: %s: %s", command, e.message, e.why);
	return ev;
}

bool host_has_captured(const struct ambit_event *ev, const char *text)
{
	const void *out = NULL;
	size_t n = 0;

	return ambit_event_output(ev, 1, &out, &n, NULL, NULL) == 0 && n == strlen(text) && memcmp(out, text, n) == 0;
}

void host_expect(struct ambit_event *ev, int status, const char *output)
{
	struct ambit_error e = { .size = sizeof e };

	if (ev == NULL || ambit_event_wait(ev, &e) != 0 || ambit_event_exit_status(ev) != status ||
	    !host_has_captured(ev, output)) {
		const void *out = "";
		size_t n = 0;

		if (ev != NULL)
			(void)ambit_event_failure(ev, &e);
		if (ev != NULL)
			(void)ambit_event_output(ev, 1, &out, &n, NULL, NULL);
		host_problem("status %d and '%s' for %d and '%s': %s: %s",
			     ev == NULL ? -1 : ambit_event_exit_status(ev), (const char *)out, status, output,
			     e.message, e.why);
	}
}

/* ---- what is to stay as it is ---- */

static void put_signals(FILE *out)
{
	sigset_t mask;

	(void)sigemptyset(&mask);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i < NSIG; i++) {
		struct sigaction now;

		memset(&now, 0, sizeof now);
		if (sigaction(i, NULL, &now) == 0)
			fprintf(out, "signal %d %p %x %d\n", i, (void *)(uintptr_t)now.sa_handler,
				(unsigned)now.sa_flags, sigismember(&mask, i));
	}
}

static unsigned count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned n = 0;

	while (tasks != NULL && readdir(tasks) != NULL)
		n++;
	if (tasks != NULL)
		(void)closedir(tasks);
	return n;
}

/* One that was joined is counted by the kernel for a moment longer. */
static void let_threads_go(void)
{
	unsigned same = 0, n = count_threads();

	for (unsigned i = 0; i < 500 && same < 3; i++) {
		unsigned now;

		(void)usleep(10000);
		now = count_threads();
		same = now == n ? same + 1 : 0;
		n = now;
	}
}

static void put_umask(FILE *out)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[512];

	while (status != NULL && fgets(line, sizeof line, status) != NULL)
		if (strncmp(line, "Umask:", 6) == 0 || strncmp(line, "SigBlk:", 7) == 0 ||
		    strncmp(line, "SigIgn:", 7) == 0 || strncmp(line, "SigCgt:", 7) == 0 ||
		    strncmp(line, "Threads:", 8) == 0)
			fputs(line, out);
	if (status != NULL)
		(void)fclose(status);
}

static void put_descriptors(FILE *out)
{
	for (int fd = 0; fd < 1024; fd++) {
		char name[64], link[512];
		ssize_t n;

		(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		n = readlink(name, link, sizeof link - 1);
		if (n > 0)
			fprintf(out, "descriptor %d %.*s\n", fd, (int)n, link);
	}
}

char *host_state(void)
{
	char *text = NULL, directory[4096];
	size_t n = 0;
	FILE *out;

	let_threads_go();
	out = open_memstream(&text, &n);
	if (out == NULL)
		abort();
	put_signals(out);
	put_umask(out);
	fprintf(out, "directory %s\n", getcwd(directory, sizeof directory));
	for (char **v = environ; *v != NULL; v++)
		fprintf(out, "variable %s\n", *v);
	put_descriptors(out);
	if (fclose(out) != 0)
		abort();
	return text;
}

void host_compare(const char *before, const char *after)
{
	const char *a = before, *b = after;

	while (*a != 0 || *b != 0) {
		const size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

		if (n != m || memcmp(a, b, n) != 0) {
			host_problem("it was '%.*s' and is '%.*s'", (int)n, a, (int)m, b);
			return;
		}
		a += n + (a[n] == '\n');
		b += m + (b[m] == '\n');
	}
}
