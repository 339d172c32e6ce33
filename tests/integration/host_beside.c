/* A product with the library inside, in a cell: its events are sub-agents of that cell. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define PATIENCE_MS 30000

static struct ambit_event *start(const struct ambit_policy *p, const char *command)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	char *argv[4];
	struct ambit_event_options o = host_shell(command, argv);

	o.unrecorded = 0; /* that is its caller's to say */
	if (ambit_event_start(p, &o, &ev, &e) < 0)
		host_problem("'%s' does not start: %s: %s", command, e.message, e.why);
	return ev;
}

static void fails(struct ambit_event *ev, int wanted)
{
	struct ambit_error e = { .size = sizeof e };

	if (ev != NULL && ambit_event_failure(ev, &e) != wanted)
		host_problem("it failed with %d: %s", e.code, e.message);
}

static void runs(struct ambit_policy *p)
{
	struct ambit_event *ev = start(p, "cat a; echo theirs >c; exit 7");
	const char *json = "";
	struct ambit_error e = { .size = sizeof e };
	size_t n;

	if (ev == NULL)
		return;
	if (ambit_event_id(ev)[0] != 0 || ambit_event_signal(ev, SIGTERM, &e) != -AMBIT_UNAVAILABLE)
		host_problem("it has the id '%s', or takes signals: %s", ambit_event_id(ev), e.message);
	host_expect(ev, 7, "a\n");
	fails(ev, 0);
	if (strncmp(ambit_event_id(ev), "e_", 2) != 0 || strlen(ambit_event_id(ev)) != 28)
		host_problem("its id is '%s'", ambit_event_id(ev));
	if (ambit_event_labels(ev) != NULL || ambit_event_ledger(ev) != NULL)
		host_problem("it knows its labels, or a ledger");
	if (ambit_event_record(ev, &json, &n, &e) != 0 || strstr(json, ambit_event_id(ev)) == NULL ||
	    strstr(json, "\"exit\":7") == NULL || strstr(json, "grants") != NULL)
		host_problem("what is told of it: %s", json);
	ambit_event_free(ev);
}

static void passes_streams_on(struct ambit_policy *p)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	char *argv[4], *variables[] = { (char[]){ "WORD=passed" }, NULL };
	struct ambit_event_options o = host_shell("read line; echo \"$line $WORD\"", argv);

	o.unrecorded = 0;
	o.environment = variables;
	for (int i = 0; i < 3; i++) {
		o.stream[i] = AMBIT_STREAM_PASS;
		o.stream_fd[i] = i;
	}
	if (ambit_policy_grant(p, "env", "WORD", &e) < 0 || ambit_event_start(p, &o, &ev, &e) < 0 ||
	    ambit_event_wait(ev, &e) != 0 || ambit_event_exit_status(ev) != 0)
		host_problem("it did not read and write what was passed: %s: %s", e.message, e.why);
	ambit_event_free(ev);
}

/* Until it wrote this; what the descriptor says alone is followed. */
static void writes(struct ambit_event *ev, const char *text)
{
	while (ev != NULL && !host_has_captured(ev, text)) {
		struct pollfd wait = { .fd = ambit_event_fd(ev), .events = POLLIN };

		if (poll(&wait, 1, PATIENCE_MS) <= 0 || ambit_event_step(ev, NULL) != 0) {
			host_problem("it did not write '%s'", text);
			return;
		}
	}
}

static void is_killed(struct ambit_policy *p)
{
	struct ambit_event *ev = start(p, "echo one; sleep 1000");

	writes(ev, "one\n");
	if (ev != NULL && ambit_event_kill(ev, NULL) != 0)
		host_problem("it is not to be killed");
	host_expect(ev, 128 + SIGKILL, "one\n");
	fails(ev, -AMBIT_GONE);
	if (ev != NULL && ambit_event_kill(ev, NULL) != -AMBIT_GONE)
		host_problem("it has ended, and is killed");
	ambit_event_free(ev);
}

static long size_of(const char *path)
{
	FILE *f = fopen(path, "re");
	long n = -1;

	if (f != NULL && fseek(f, 0, SEEK_END) == 0)
		n = ftell(f);
	if (f != NULL)
		(void)fclose(f);
	return n;
}

/* It writes on until it is gone. */
static void ends_when_it_is_freed(struct ambit_policy *p)
{
	struct ambit_event *ev = start(p, "echo one; while :; do echo x >>loop; sleep 0.01; done");
	int same = 0;

	writes(ev, "one\n");
	ambit_event_free(ev);
	for (int i = 0; i < 3000 && same < 30; i++) {
		const long before = size_of("loop");

		(void)usleep(20000);
		same = size_of("loop") == before ? same + 1 : 0;
	}
	if (same < 30)
		host_problem("it goes on");
}

static void meets_its_limit(struct ambit_policy *p)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev;

	if (ambit_policy_limit(p, "wall=300ms", &e) < 0)
		host_problem("no limit: %s", e.message);
	ev = start(p, "sleep 1000");
	host_expect(ev, 124, "");
	fails(ev, -AMBIT_LIMIT);
	ambit_event_free(ev);
}

static void is_refused(struct ambit_policy *p)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev;

	if (ambit_policy_grant(p, "connect", "a.test:443", &e) < 0)
		host_problem("no grant: %s", e.message);
	ev = start(p, "echo no");
	host_expect(ev, 125, "");
	fails(ev, -AMBIT_DENIED);
	ambit_event_free(ev);
}

static void says_no_more(struct ambit_policy *p)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	char *argv[4];
	const struct ambit_event_options o = host_shell("echo no", argv);

	if (ambit_event_start(p, &o, &ev, &e) != -AMBIT_USAGE)
		host_problem("it decides what is recorded: %s", e.message);
	ambit_event_free(ev);
}

static void with_a_policy(void (*scenario)(struct ambit_policy *p))
{
	struct ambit_policy *p = host_policy();

	scenario(p);
	ambit_policy_free(p);
}

void host_beside(void)
{
	char *before = host_state(), *after;

	with_a_policy(runs);
	with_a_policy(passes_streams_on);
	with_a_policy(is_killed);
	with_a_policy(ends_when_it_is_freed);
	with_a_policy(meets_its_limit);
	with_a_policy(is_refused);
	with_a_policy(says_no_more);
	after = host_state();
	host_compare(before, after);
	free(before);
	free(after);
}
