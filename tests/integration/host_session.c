/* A product that has sessions: what it asks is done. What goes wrong beside it has host_session_hard.c. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define PATIENCE_MS 60000

/* ---- handles ---- */

void host_is(int code, int wanted, const struct ambit_error *e, const char *what)
{
	if (code != wanted)
		host_problem("%s gives %d for %d: %s (%s)", what, code, wanted, e->message, e->hint);
}

struct ambit_daemon *host_daemon(int start)
{
	const struct ambit_daemon_options o = { .size = sizeof o, .start = start };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = NULL;

	host_is(ambit_daemon_connect(&o, &d, &e), 0, &e, "connecting");
	return d;
}

static struct ambit_session *make(struct ambit_daemon *d, const struct ambit_session_options *o)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = host_policy();
	struct ambit_session *s = NULL;

	host_is(ambit_policy_grant(p, "work", ".", &e), 0, &e, "a grant");
	host_is(ambit_policy_grant(p, "env", "GREETING", &e), 0, &e, "a grant");
	host_is(ambit_session_new(d, p, o, &s, &e), 0, &e, "a new session");
	ambit_policy_free(p);
	return s;
}

struct ambit_session *host_session(struct ambit_daemon *d)
{
	return make(d, &(struct ambit_session_options){ .size = sizeof(struct ambit_session_options) });
}

struct ambit_session *host_opened(struct ambit_daemon *d, const char *session)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_session *s = NULL;

	host_is(ambit_session_open(d, session, &s, &e), 0, &e, "opening");
	return s;
}

struct ambit_run_options host_run_options(const char *command, char **argv)
{
	const struct ambit_event_options shell = host_shell(command, argv);

	return (struct ambit_run_options){ .size = sizeof(struct ambit_run_options), .argv = shell.argv };
}

static struct ambit_run run(struct ambit_session *s, const struct ambit_run_options *o)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_run taken = { .size = sizeof taken };

	host_is(ambit_session_run(s, o, &taken, &e), 0, &e, "running");
	return taken;
}

uint64_t host_run(struct ambit_session *s, const char *command, int input)
{
	char *argv[4];
	struct ambit_run_options o = host_run_options(command, argv);

	o.input = input;
	return run(s, &o).n;
}

struct ambit_follow *host_follow(struct ambit_session *s, uint64_t n, int input)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_follow *f = NULL;

	host_is(ambit_session_follow(s, n, input, &f, &e), 0, &e, "following");
	return f;
}

const char *host_read(struct ambit_follow *f, int stream, uint64_t offset, char *room, size_t size)
{
	struct ambit_error e = { .size = sizeof e };
	const int n = ambit_follow_read(f, stream, offset, room, size - 1, &e);

	if (n < 0)
		host_problem("reading from %llu: %s", (unsigned long long)offset, e.message);
	room[n < 0 ? 0 : n] = 0;
	return room;
}

void host_ends(struct ambit_follow *f, int status, const char *output)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };
	char room[1024];

	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting");
	host_is(ambit_follow_result(f, &info, &e), 0, &e, "the result");
	if (info.exit_status != status)
		host_problem("status %d for %d: %s", info.exit_status, status, info.message);
	if (strcmp(host_read(f, 1, 0, room, sizeof room), output) != 0)
		host_problem("it wrote '%s' for '%s'", room, output);
	ambit_follow_free(f);
}

/* Until it has written this, from its beginning. */
static void until_written(struct ambit_session *s, struct ambit_follow *f, const char *text)
{
	struct ambit_error e = { .size = sizeof e };
	char room[1024];

	while (strstr(host_read(f, 1, 0, room, sizeof room), text) == NULL) {
		struct pollfd p = { .fd = ambit_session_fd(s), .events = POLLIN };

		if (poll(&p, 1, PATIENCE_MS) != 1) {
			host_problem("it never wrote '%s', but '%s'", text, room);
			return;
		}
		if (ambit_session_step(s, &e) < 0 || ambit_follow_is_over(f))
			return;
	}
}

/* ---- what is asked is done ---- */

static void write_all(struct ambit_follow *f, const char *text)
{
	struct ambit_error e = { .size = sizeof e };

	host_is(ambit_follow_write(f, text, strlen(text), &e), (int)strlen(text), &e, "writing");
}

static void run_code(struct ambit_session *s)
{
	char python[] = "python", shell[] = "shell", run[] = "run", source[] = "print('said')\n6*7",
	     script[] = "echo said; exit 4";
	char *code[] = { python, source, NULL };
	struct ambit_run_options o = { .size = sizeof o, .argv = code, .code = AMBIT_CODE };
	struct ambit_run ran = { .size = sizeof ran };
	struct ambit_error e = { .size = sizeof e };
	const char *json;
	size_t length;

	host_is(ambit_session_run(s, &o, &ran, &e), 0, &e, "code");
	host_ends(host_follow(s, ran.n, 0), 0, "said\n");
	host_is(ambit_session_result(s, ran.n, &json, &length, &e), 0, &e, "its result");
	if (strlen(json) != length || strstr(json, "\"42\"") == NULL)
		host_problem("its result is %.200s", json);
	code[0] = shell;
	code[1] = script;
	o.code = AMBIT_CODE_SHOWN;
	host_is(ambit_session_run(s, &o, &ran, &e), 0, &e, "a script");
	host_ends(host_follow(s, ran.n, 0), 4, "said\n");
	host_is(ambit_session_result(s, ran.n, &json, &length, &e), -AMBIT_NOT_FOUND, &e, "the result of a script");
	code[0] = run;
	host_is(ambit_session_run(s, &o, &ran, &e), -AMBIT_UNKNOWN, &e, "no language");
	code[1] = NULL;
	code[0] = shell;
	host_is(ambit_session_run(s, &o, &ran, &e), -AMBIT_USAGE, &e, "no source");
}

static void an_event(struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };
	const uint64_t n = host_run(s, "echo hello; cat; echo oops >&2; echo made >made; exit 3", 1);
	struct ambit_follow *f = host_follow(s, n, 1);
	const char *json = "";
	char room[256];
	size_t length = 0;

	host_is(ambit_follow_result(f, &info, &e), -AMBIT_USAGE, &e, "the result of what runs");
	write_all(f, "from the host\n");
	host_is(ambit_follow_end_input(f, &e), 0, &e, "the end of input");
	host_is(ambit_follow_end_input(f, &e), -AMBIT_GONE, &e, "the end of input, twice");
	host_is(ambit_follow_write(f, "x", 1, &e), -AMBIT_GONE, &e, "writing behind the end");
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting");
	host_is(ambit_follow_result(f, &info, &e), 0, &e, "the result");
	if (info.n != n || info.state != AMBIT_EVENT_OVER || info.exit_status != 3 ||
	    strcmp(info.cause, "exited") != 0 || strcmp(info.workspace, "kept") != 0 || info.limit != NULL ||
	    info.out_bytes != 20 || info.err_bytes != 5 || !info.kept || strstr(info.command, "echo hello") == NULL)
		host_problem("it ended otherwise: state %d, status %d, %s, %s, %llu bytes", info.state,
			     info.exit_status, info.cause, info.workspace, (unsigned long long)info.out_bytes);
	if (strcmp(host_read(f, 1, 0, room, sizeof room), "hello\nfrom the host\n") != 0 ||
	    strcmp(host_read(f, 1, 11, room, sizeof room), "the host\n") != 0 ||
	    strcmp(host_read(f, 1, 20, room, sizeof room), "") != 0 || strcmp(host_read(f, 2, 1, room, 3), "op") != 0)
		host_problem("what it wrote is not what is read: '%s'", room);
	host_is(ambit_follow_read(f, 3, 0, room, 1, &e), -AMBIT_USAGE, &e, "a third stream");
	host_is(ambit_session_record(s, n, &json, &length, &e), 0, &e, "the record");
	if (strlen(json) != length || strstr(json, ambit_session_id(s)) == NULL || strstr(json, info.event) == NULL)
		host_problem("its record is %.200s", json);
	host_is(ambit_session_record(s, 999, &json, &length, &e), -AMBIT_NOT_FOUND, &e, "a record of nothing");
	run_code(s);
	ambit_follow_free(f);
	host_ends(host_follow(s, n, 0), 3, "hello\nfrom the host\n"); /* and again */
}

static void its_end(struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };
	uint64_t n = host_run(s, "echo up; exec sleep 1000", 0);
	struct ambit_follow *f = host_follow(s, n, 0);
	char *argv[4];
	struct ambit_run_options o;

	until_written(s, f, "up\n");
	host_is(ambit_follow_wait(f, 10, &e), 0, &e, "waiting for what goes on");
	host_is(ambit_follow_write(f, "x", 1, &e), -AMBIT_USAGE, &e, "writing without input");
	host_is(ambit_session_signal(s, n, 99, &e), -AMBIT_USAGE, &e, "no signal");
	host_is(ambit_session_signal(s, n, SIGTERM, &e), 0, &e, "a signal");
	host_ends(f, 128 + SIGTERM, "up\n");
	host_is(ambit_session_signal(s, n, SIGTERM, &e), -AMBIT_GONE, &e, "a signal for nobody");
	n = host_run(s, "echo up; exec sleep 1000", 0);
	f = host_follow(s, n, 0);
	until_written(s, f, "up\n");
	host_is(ambit_session_cancel(s, n, &e), 0, &e, "cancelling");
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting");
	host_is(ambit_follow_result(f, &info, &e), 0, &e, "the result");
	if (strcmp(info.cause, "killed") != 0 || info.exit_status != 128 + SIGKILL)
		host_problem("cancelled, it ended by %s with %d", info.cause, info.exit_status);
	ambit_follow_free(f);
	o = host_run_options("exec sleep 1000", argv);
	o.limits = "wall=300ms";
	n = run(s, &o).n;
	f = host_follow(s, n, 0);
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting");
	host_is(ambit_follow_result(f, &info, &e), 0, &e, "the result");
	if (strcmp(info.cause, "limit") != 0 || strcmp(info.limit, "wall") != 0 || info.exit_status != 124)
		host_problem("over its limit, it ended by %s with %d", info.cause, info.exit_status);
	ambit_follow_free(f);
	argv[0] = (char *)(uintptr_t) "/no/such/program";
	argv[1] = NULL;
	o = (struct ambit_run_options){ .size = sizeof o, .argv = argv };
	f = host_follow(s, run(s, &o).n, 0);
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting");
	host_is(ambit_follow_result(f, &info, &e), 0, &e, "the result");
	if (strcmp(info.cause, "refused") != 0 || info.message[0] == 0 || info.exit_status != 127 ||
	    info.code != AMBIT_NO_PROGRAM)
		host_problem("what is not there ended by %s with %d: %s", info.cause, info.exit_status, info.message);
	ambit_follow_free(f);
}

static void a_stop(struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };
	const uint64_t n = host_run(s, "kill -STOP $$; echo on", 0);
	struct ambit_follow *f = host_follow(s, n, 0);

	while (!info.stopped && ambit_session_next_event(s, n, &info, &e) == 1 && info.state < AMBIT_EVENT_OVER)
		;
	if (!info.stopped || info.state != AMBIT_EVENT_RUNS)
		host_problem("stopped, it is in state %d", info.state);
	host_is(ambit_session_signal(s, n, SIGCONT, &e), 0, &e, "having it go on");
	host_ends(f, 0, "on\n");
}

static void a_terminal(struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	char *argv[4], room[512];
	struct ambit_run_options o = host_run_options("stty size; read line; echo got $line; stty size", argv);
	struct ambit_follow *f;
	uint64_t n;

	o.terminal = 1;
	o.rows = 33;
	o.columns = 44;
	n = run(s, &o).n;
	f = host_follow(s, n, 1);
	until_written(s, f, "33 44");
	host_is(ambit_session_resize(s, n, 50, 60, &e), 0, &e, "another size");
	write_all(f, "me\n");
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting");
	if (strstr(host_read(f, 1, 0, room, sizeof room), "got me") == NULL || strstr(room, "50 60") == NULL)
		host_problem("its terminal shows '%s'", room);
	ambit_follow_free(f);
}

static void keys(struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	char *argv[4];
	struct ambit_run_options o = host_run_options("echo once >>once; echo $GREETING", argv);
	char *environment[] = { (char *)(uintptr_t) "GREETING=good day", NULL };
	struct ambit_run first, second;

	o.key = "the key";
	o.environment = environment;
	first = run(s, &o);
	second = run(s, &o);
	if (first.n == 0 || first.n != second.n || first.replayed || !second.replayed ||
	    strcmp(first.event, second.event) != 0)
		host_problem("the same key gave %llu and %llu", (unsigned long long)first.n,
			     (unsigned long long)second.n);
	host_ends(host_follow(s, first.n, 0), 0, "good day\n");
	host_ends(host_follow(s, host_run(s, "cat once", 0), 0), 0, "once\n");
	o.limits = "wall=5s";
	host_is(ambit_session_run(s, &o, NULL, &e), -AMBIT_CONFLICT, &e, "the key with something else");
}

static void lists(struct ambit_daemon *d, struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_session_info about = { .size = sizeof about }, next = { .size = sizeof next };
	struct ambit_event_info info = { .size = sizeof info };
	unsigned seen = 0, sessions = 0;
	uint64_t n = 0;
	int r;

	for (int i = 0; i < 70; i++) /* more than a page */
		n = host_run(s, "true", 0);
	host_ends(host_follow(s, n, 0), 0, "");
	for (uint64_t from = 1; (r = ambit_session_next_event(s, from, &info, &e)) == 1; from = info.n + 1) {
		if (info.n != from || info.state != AMBIT_EVENT_OVER || info.taken_ms == 0 ||
		    info.ended_ms < info.taken_ms)
			host_problem("event %llu is listed as %llu in state %d", (unsigned long long)from,
				     (unsigned long long)info.n, info.state);
		seen++;
	}
	if (r != 0 || seen != n)
		host_problem("%u of %llu events are listed: %d %s", seen, (unsigned long long)n, r, e.message);
	host_is(ambit_session_look(s, &about, &e), 0, &e, "looking");
	if (strcmp(about.session, ambit_session_id(s)) != 0 || about.events != 0 || about.made_ms == 0)
		host_problem("it says that it is %s with %llu events", about.session, (unsigned long long)about.events);
	for (int i = 0; i < 66; i++)
		ambit_session_free(host_session(d));
	while ((r = ambit_daemon_next_session(d, next.session, &next, &e)) == 1)
		sessions += next.state == AMBIT_SESSION_IDLE && strcmp(next.workspace, about.workspace) == 0;
	if (r != 0 || sessions < 67)
		host_problem("%u sessions are listed: %d %s", sessions, r, e.message);
}

static void ended(struct ambit_daemon *d, struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };
	char *argv[4];
	const struct ambit_run_options o = host_run_options("true", argv);
	struct ambit_follow *f = host_follow(s, host_run(s, "exec sleep 1000", 0), 0);
	struct ambit_session *again;

	host_is(ambit_session_end(s, &e), 0, &e, "ending");
	host_ends(f, 128 + SIGKILL, "");
	host_is(ambit_session_run(s, &o, NULL, &e), -AMBIT_GONE, &e, "an event after the end");
	host_is(ambit_session_next_event(s, 1, &info, &e), 1, &e, "the list after the end"); /* it is of use still */
	again = host_opened(d, ambit_session_id(s));
	host_ends(host_follow(again, 1, 0), 3, "hello\nfrom the host\n");
	ambit_session_free(again);
}

static void whole(int argc, char **argv)
{
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);

	(void)argc;
	(void)argv;
	an_event(s);
	its_end(s);
	a_stop(s);
	a_terminal(s);
	keys(s);
	lists(d, s);
	ended(d, s);
	ambit_session_free(s);
	ambit_daemon_free(d);
}

/* ---- labels ---- */

static const char *or_none(const char *labels)
{
	return labels != NULL ? labels : "(null)";
}

static void run_labelled(struct ambit_session *s, const char *given, const char *told)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info }, listed = { .size = sizeof listed };
	char *argv[4];
	struct ambit_run_options o = host_run_options("echo one", argv);
	struct ambit_follow *f;
	uint64_t n;

	o.labels = given;
	n = run(s, &o).n;
	f = host_follow(s, n, 0);
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting");
	host_is(ambit_follow_result(f, &info, &e), 0, &e, "the result");
	host_is(ambit_session_next_event(s, n, &listed, &e), 1, &e, "the list");
	if (strcmp(or_none(info.labels), told) != 0 || strcmp(or_none(listed.labels), told) != 0)
		host_problem("labels '%s', '%s', and not '%s'", or_none(info.labels), or_none(listed.labels), told);
	ambit_follow_free(f);
}

static void labels(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);
	struct ambit_event_info info = { .size = sizeof info };
	char *words[4];
	struct ambit_run_options o = host_run_options("sleep 1000", words);
	uint64_t n;

	(void)argc;
	(void)argv;
	run_labelled(s, NULL, "");
	run_labelled(s, "private", "private");
	run_labelled(s, "", "private"); /* of its stream */
	run_labelled(s, "untrusted,private", "private,untrusted");
	o.labels = "Private";
	host_is(ambit_session_run(s, &o, NULL, &e), -AMBIT_MALFORMED, &e, "no label");
	o.labels = "private";
	n = run(s, &o).n;
	host_is(ambit_session_next_event(s, n, &info, &e), 1, &e, "the list");
	if (info.n != n || info.labels != NULL)
		host_problem("labels of one that is not over: '%s'", or_none(info.labels));
	host_is(ambit_session_end(s, &e), 0, &e, "ending");
	ambit_session_free(s);
	ambit_daemon_free(d);
}

/* ---- words and sizes ---- */

static int connect_of_size(size_t size, struct ambit_error *e)
{
	const struct ambit_daemon_options o = { .size = size, .start = 1 };
	struct ambit_daemon *d = NULL;
	const int r = ambit_daemon_connect(&o, &d, e);

	ambit_daemon_free(d);
	return r;
}

static int run_of_size(struct ambit_session *s, size_t size, struct ambit_error *e)
{
	char *argv[4];
	struct ambit_run_options o = host_run_options("true", argv);

	o.environment = (char *const *)(uintptr_t)1; /* who does not know it has something else there */
	o.size = size;
	return ambit_session_run(s, &o, NULL, e);
}

static int run_with(struct ambit_session *s, const char *key, const char *limits, unsigned changes,
		    struct ambit_error *e)
{
	char *argv[4];
	struct ambit_run_options o = host_run_options("true", argv);

	o.key = key;
	o.limits = limits;
	o.changes = changes;
	return ambit_session_run(s, &o, NULL, e);
}

static void same_key_same_session(struct ambit_daemon *d)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_session_options o = { .size = sizeof o, .key = "mine", .events_max = 1 };
	struct ambit_session *first = make(d, &o), *second = make(d, &o), *none = NULL;
	struct ambit_policy *p = host_policy();

	if (strcmp(ambit_session_id(first), ambit_session_id(second)) != 0)
		host_problem("the same key gives two sessions");
	host_is(ambit_session_new(d, p, &o, &none, &e), -AMBIT_CONFLICT, &e, "the key with another policy");
	host_ends(host_follow(first, host_run(first, "echo one", 0), 0), 0, "one\n");
	host_is(run_with(first, NULL, NULL, 0, &e), -AMBIT_LIMIT, &e, "more events than there may be");
	o.workspace = "/no/such/place";
	host_is(ambit_session_new(d, p, &o, &none, &e), -AMBIT_USAGE, &e, "a workspace that is not there");
	ambit_policy_free(p);
	ambit_session_free(first);
	ambit_session_free(second);
}

/* What a session passes on is the process's own, or what it is told. */
static void greetings(struct ambit_daemon *d)
{
	char *given[] = { (char *)(uintptr_t) "GREETING=given", (char *)(uintptr_t) "OTHER=given", NULL };
	struct ambit_session_options o = { .size = sizeof o };
	struct ambit_session *s;

	(void)setenv("GREETING", "own", 1);
	(void)setenv("OTHER", "own", 1);
	for (int i = 0; i < 2; i++) {
		s = make(d, &o);
		host_ends(host_follow(s, host_run(s, "echo $GREETING $OTHER", 0), 0), 0, i == 0 ? "own\n" : "given\n");
		ambit_session_free(s);
		o.environment = given;
	}
	(void)unsetenv("GREETING");
	(void)unsetenv("OTHER");
}

static void words(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d), *none = NULL;
	struct ambit_event_info info = { .size = offsetof(struct ambit_event_info, exit_status), .exit_status = 99 };
	struct ambit_follow *followed[65] = { NULL };
	char key[130], id[32];

	(void)argc;
	(void)argv;
	host_is(connect_of_size(0, &e), -AMBIT_USAGE, &e, "no size");
	host_is(connect_of_size(sizeof(struct ambit_daemon_options) + 8, &e), -AMBIT_USAGE, &e, "a newer size");
	host_is(connect_of_size(sizeof(size_t) - 1, &e), -AMBIT_USAGE, &e, "a size without itself");
	host_is(run_of_size(s, offsetof(struct ambit_run_options, environment), &e), 0, &e, "an older size");
	host_is(run_of_size(s, sizeof(struct ambit_run_options) + 8, &e), -AMBIT_USAGE, &e, "a newer size");
	memset(key, 'k', sizeof key);
	key[129] = 0;
	host_is(run_with(s, key, NULL, 0, &e), -AMBIT_LIMIT, &e, "a key of 129 bytes");
	key[128] = 0;
	host_is(run_with(s, key, NULL, 0, &e), 0, &e, "a key of 128 bytes");
	host_is(run_with(s, NULL, NULL, AMBIT_CHANGES_DIRECT, &e), -AMBIT_USAGE, &e, "an event in place");
	host_is(ambit_session_open(d, "last", &none, &e), -AMBIT_USAGE, &e, "no id");
	(void)snprintf(id, sizeof id, "%.27sZ", ambit_session_id(s));
	if (strcmp(id, ambit_session_id(s)) == 0)
		id[27] = '0';
	host_is(ambit_session_open(d, id, &none, &e), -AMBIT_NOT_FOUND, &e, "nobody's id");
	host_is(ambit_session_follow(s, 999, 0, &followed[0], &e), -AMBIT_NOT_FOUND, &e, "following nothing");
	host_is(ambit_session_next_event(s, 1, &info, &e), 1, &e, "an older size to fill");
	if (info.n != 1 || info.exit_status != 99)
		host_problem("it fills what there is no room for");
	info.size = 0;
	host_is(ambit_session_next_event(s, 1, &info, &e), -AMBIT_USAGE, &e, "no size to fill");
	for (int i = 0; i < 65; i++) { /* one of them runs, the others wait */
		const uint64_t n = host_run(s, "exec sleep 1000", 0);

		host_is(ambit_session_follow(s, n, 0, &followed[i], &e), i < 64 ? 0 : -AMBIT_LIMIT, &e, "following");
	}
	same_key_same_session(d);
	greetings(d);
	host_is(ambit_session_end(s, &e), 0, &e, "ending");
	ambit_session_free(s);
	if (ambit_follow_wait(followed[0], -1, &e) != -AMBIT_USAGE)
		host_problem("it waits for a session that was freed");
	for (int i = 0; i < 65; i++)
		ambit_follow_free(followed[i]);
	ambit_daemon_free(d);
}

/* ---- a loop ---- */

#define MUCH (6u << 20)

/* Through `cat`: what goes in comes out, a bit at a time, with nothing that blocks; and another event in the same loop. */
static void loop(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);
	char *run_argv[4];
	struct ambit_run_options beside = host_run_options("for i in 1 2 3; do echo $i; sleep 0.1; done", run_argv);
	struct ambit_follow *f = host_follow(s, host_run(s, "cat", 1), 1), *other;
	size_t in = 0, out = 0, turns = 0;
	char room[5000], bytes[100000];
	bool wrong = false;
	int n;

	(void)argc;
	(void)argv;
	beside.background = 1;
	other = host_follow(s, run(s, &beside).n, 0);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)('a' + i % 26);
	while (!(ambit_follow_is_over(f) && ambit_follow_is_over(other) && out == MUCH) && turns++ < 100000) {
		struct pollfd p = { .fd = ambit_session_fd(s), .events = POLLIN };

		while (in < MUCH) {
			const size_t left = MUCH - in, at = in % 26, most = sizeof bytes - 26;

			n = ambit_follow_write(f, bytes + at, left < most ? left : most, &e);
			if (n <= 0)
				break;
			in += (size_t)n;
			if (in == MUCH)
				host_is(ambit_follow_end_input(f, &e), 0, &e, "the end of input");
		}
		while ((n = ambit_follow_read(f, 1, out, room, sizeof room, &e)) > 0)
			for (int i = 0; i < n; i++, out++)
				wrong = wrong || room[i] != (char)('a' + out % 26);
		if (ambit_follow_is_over(f) && ambit_follow_is_over(other))
			continue;
		if (poll(&p, 1, PATIENCE_MS) != 1) {
			host_problem("nobody tells: %zu went in, %zu came out", in, out);
			break;
		}
		if (ambit_session_step(s, &e) < 0) {
			host_problem("a step fails: %s", e.message);
			break;
		}
	}
	if (in != MUCH || out != MUCH || wrong || turns > 90000)
		host_problem("%zu went in, and %zu %s came out, in %zu turns", in, out, wrong ? "others" : "of it",
			     turns);
	host_ends(f, 0, host_read(f, 1, 0, room, 1024));
	host_ends(other, 0, "1\n2\n3\n");
	ambit_session_free(s);
	ambit_daemon_free(d);
}

/* What is told while something is asked makes the descriptor readable like the rest. */
static void asked(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);
	struct ambit_follow *f = host_follow(s, host_run(s, "echo told", 0), 0);
	struct ambit_event_info info = { .size = sizeof info };
	struct pollfd p = { .fd = ambit_session_fd(s), .events = POLLIN };

	(void)argc;
	(void)argv;
	while (info.state != AMBIT_EVENT_OVER && ambit_session_next_event(s, 1, &info, &e) == 1)
		;
	while (!ambit_follow_is_over(f)) /* whatever came is taken in by this */
		host_is(ambit_session_next_event(s, 1, &info, &e), 1, &e, "the list");
	if (poll(&p, 1, 0) != 1)
		host_problem("the end was told, and the descriptor does not say it");
	host_is(ambit_session_step(s, &e), 1, &e, "a step with news");
	if (poll(&p, 1, 0) != 0)
		host_problem("there is nothing to do, and the descriptor says that there is");
	host_is(ambit_session_step(s, &e), 0, &e, "a step without news");
	host_ends(f, 0, "told\n");
	ambit_session_free(s);
	ambit_daemon_free(d);
}

/* Until it takes no more. */
/* ---- what stands still ---- */

static uint64_t written(struct ambit_session *s, uint64_t n)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };

	host_is(ambit_session_next_event(s, n, &info, &e), 1, &e, "looking");
	return info.out_bytes;
}

static void goes_on(struct ambit_session *s, uint64_t n)
{
	const uint64_t before = written(s, n);
	int looks = PATIENCE_MS / 10;

	while (written(s, n) <= before && --looks > 0)
		(void)usleep(10000);
	if (looks == 0)
		host_problem("event %llu does not go on", (unsigned long long)n);
}

static void stands(struct ambit_session *s, uint64_t n)
{
	const uint64_t before = written(s, n);

	(void)usleep(300000);
	if (written(s, n) != before)
		host_problem("event %llu goes on", (unsigned long long)n);
}

static void by_its_id(struct ambit_session *s, struct ambit_session *other, uint64_t n, uint64_t beside)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };
	char *argv[4];
	struct ambit_run_options o = host_run_options("true", argv);

	host_is(ambit_freeze(ambit_session_id(s), "have a look", &e), 1, &e, "freezing a session");
	stands(s, n);
	goes_on(other, beside);
	host_is(ambit_session_run(s, &o, NULL, &e), -AMBIT_FROZEN, &e, "running in it");
	if (strstr(e.why, "have a look") == NULL)
		host_problem("no reason: %s", e.why);
	host_is(ambit_thaw(ambit_session_id(s), &e), 1, &e, "thawing it");
	goes_on(s, n);
	host_is(ambit_session_next_event(s, n, &info, &e), 1, &e, "looking");
	host_is(ambit_freeze(info.event, NULL, &e), 1, &e, "freezing an event");
	stands(s, n);
	host_is(ambit_freeze(NULL, NULL, &e), 2, &e, "freezing everything");
	stands(other, beside);
	host_is(ambit_thaw(info.event, &e), -AMBIT_FROZEN, &e, "thawing an event of that");
	host_is(ambit_thaw(NULL, &e), 2, &e, "thawing everything");
	goes_on(s, n);
	goes_on(other, beside);
	host_is(ambit_kill(info.event, NULL, 0, &e), 1, &e, "killing an event");
	host_is(ambit_freeze(info.event, NULL, &e), -AMBIT_NOT_FOUND, &e, "freezing it then");
	goes_on(other, beside);
	host_is(ambit_kill(NULL, "enough", 1, &e), 1, &e, "killing everything");
	host_is(ambit_session_run(s, &o, NULL, &e), -AMBIT_FROZEN, &e, "running then");
	host_is(ambit_thaw(NULL, &e), 0, &e, "thawing what is gone");
	host_is(ambit_session_run(s, &o, NULL, &e), 0, &e, "running");
}

static void halted(int argc, char **argv)
{
	static const char command[] = "while :; do echo x; sleep 0.01; done";
	static const char *const none[] = { "", "all", "s_1", "last", "e_01HZZZZZZZ000000000000000" };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d), *other = host_session(d);
	const uint64_t n = host_run(s, command, 0), beside = host_run(other, command, 0);
	char reason[202];

	(void)argc;
	(void)argv;
	goes_on(s, n);
	goes_on(other, beside);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		host_is(ambit_freeze(none[i], NULL, &e), -AMBIT_USAGE, &e, none[i]);
		host_is(ambit_thaw(none[i], &e), -AMBIT_USAGE, &e, none[i]);
		host_is(ambit_kill(none[i], NULL, 0, &e), -AMBIT_USAGE, &e, none[i]);
	}
	host_is(ambit_kill("e_01HZZZZZZZ0000000000000000", NULL, 0, &e), -AMBIT_NOT_FOUND, &e,
		"an event that is not there");
	host_is(ambit_freeze("s_01HZZZZZZZ0000000000000000", NULL, &e), -AMBIT_NOT_FOUND, &e, "a session likewise");
	memset(reason, 'x', sizeof reason - 1);
	reason[sizeof reason - 1] = 0;
	host_is(ambit_freeze(NULL, reason, &e), -AMBIT_LIMIT, &e, "a long reason");
	by_its_id(s, other, n, beside);
	ambit_session_free(s);
	ambit_session_free(other);
	ambit_daemon_free(d);
}

static void fill_up(struct ambit_follow *f)
{
	static const char bytes[10000];
	struct ambit_error e = { .size = sizeof e };
	int n;

	while ((n = ambit_follow_write(f, bytes, sizeof bytes, &e)) > 0)
		;
	host_is(n, 0, &e, "writing until there is no room");
}

static void is_readable(struct ambit_session *s, int wanted, int wait_ms, const char *when)
{
	struct pollfd p = { .fd = ambit_session_fd(s), .events = POLLIN };

	if (poll(&p, 1, wait_ms) != wanted)
		host_problem("the descriptor is %sreadable: %s", wanted ? "not " : "", when);
}

/* That an input has room is told once; and of one that was freed nothing is told, also if a fork has it open still. */
static void room(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);
	struct ambit_follow *f = host_follow(s, host_run(s, "sleep 0.3; head -c 50000 >/dev/null; exec sleep 1000", 1),
					     1);
	pid_t pid;

	(void)argc;
	(void)argv;
	fill_up(f);
	is_readable(s, 1, PATIENCE_MS, "there is room");
	host_is(ambit_session_step(s, &e), 1, &e, "a step with room");
	is_readable(s, 0, 0, "that there is room was told");
	fill_up(f);
	is_readable(s, 0, 0, "there is no room");
	pid = fork();
	if (pid == 0)
		for (;;)
			(void)pause();
	ambit_follow_free(f);
	host_is(ambit_session_cancel(s, 1, &e), 0, &e, "cancelling");
	host_ends(host_follow(s, 1, 0), 128 + SIGKILL, ""); /* the pipe has no reader now */
	while (ambit_session_step(s, &e) > 0)
		;
	is_readable(s, 0, 0, "nobody follows");
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	ambit_session_free(s);
	ambit_daemon_free(d);
}

static long peak_kib(void)
{
	struct rusage used;

	return getrusage(RUSAGE_SELF, &used) == 0 ? used.ru_maxrss : 0;
}

/* 50 MB of output, which nobody reads until its end. */
static void large(int argc, char **argv)
{
	static char room[65536];
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);
	struct ambit_follow *f = host_follow(s, host_run(s, "head -c 50000000 /dev/zero", 0), 0);
	const long before = peak_kib();
	uint64_t at = 0;
	int n;

	(void)argc;
	(void)argv;
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting");
	while ((n = ambit_follow_read(f, 1, at, room, sizeof room, &e)) > 0)
		at += (uint64_t)n;
	if (at != 50000000)
		host_problem("%llu bytes came", (unsigned long long)at);
	if (peak_kib() - before > 4096)
		host_problem("following them took %ld KiB", peak_kib() - before);
	ambit_follow_free(f);
	ambit_session_free(s);
	ambit_daemon_free(d);
}

static void *on_small_stack(void *unused)
{
	whole(0, NULL);
	return unused;
}

static void stack(int argc, char **argv)
{
	pthread_attr_t attributes;
	pthread_t thread;

	(void)argc;
	(void)argv;
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, 256u << 10);
	if (pthread_create(&thread, &attributes, on_small_stack, NULL) != 0)
		abort();
	(void)pthread_join(thread, NULL);
	(void)pthread_attr_destroy(&attributes);
}

/* ---- all of them ---- */

static void *nothing(void *unused)
{
	return unused;
}

/* The first thread of a process leaves handlers of the C library's, and a sanitizer's own thread. */
static void have_threads(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) != 0)
		abort();
	(void)pthread_join(thread, NULL);
}

static bool run_one(const struct host_scenario *all, int argc, char **argv)
{
	for (; all->name != NULL; all++)
		if (strcmp(all->name, argv[0]) == 0) {
			char *before, *after;

			have_threads();
			before = host_state();
			all->run(argc, argv);
			after = host_state();
			host_compare(before, after);
			free(before);
			free(after);
			return true;
		}
	return false;
}

bool host_session_scenario(int argc, char **argv)
{
	static const struct host_scenario own[] = { { "whole", whole }, { "words", words }, { "labels", labels },
						    { "loop", loop },   { "asked", asked }, { "room", room },
						    { "large", large }, { "stack", stack }, { "halted", halted },
						    { NULL, NULL } };

	return run_one(own, argc, argv) || run_one(host_hard, argc, argv);
}
