/* A product that has sessions, where something goes wrong beside it: it is killed, the daemon is, or is none; it forks; it has many threads. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#define PATIENCE_MS 60000
#define WAIT_MS 700 /* of who asks liars */

static void say(const char *text)
{
	printf("%s\n", text);
	(void)fflush(stdout);
}

/* ---- killed and come again ---- */

#define TALK "echo 0123456789; read line; echo got $line"

static struct ambit_run talk(struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_run taken = { .size = sizeof taken };
	char *argv[4];
	struct ambit_run_options o = host_run_options(TALK, argv);

	o.key = "talk";
	o.input = 1;
	host_is(ambit_session_run(s, &o, &taken, &e), 0, &e, "running");
	return taken;
}

/* Until somebody kills us. */
static void begin(int argc, char **argv)
{
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);
	struct ambit_follow *f = host_follow(s, talk(s).n, 1);

	(void)argc;
	(void)argv;
	say(ambit_session_id(s));
	(void)ambit_follow_wait(f, PATIENCE_MS, NULL);
	host_problem("nobody killed it");
}

/* SESSION: from the fifth byte on. */
static void resume(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(0);
	struct ambit_session *s = host_opened(d, argc > 1 ? argv[1] : "");
	const struct ambit_run taken = talk(s);
	struct ambit_follow *f = host_follow(s, taken.n, 1);
	char room[64];

	if (!taken.replayed || taken.n != 1)
		host_problem("the key gives event %llu anew", (unsigned long long)taken.n);
	if (strcmp(host_read(f, 1, 4, room, sizeof room), "456789\n") != 0)
		host_problem("from byte 4 on there is '%s'", room);
	host_is(ambit_follow_write(f, "it\n", 3, &e), 3, &e, "writing");
	host_ends(f, 0, "0123456789\ngot it\n");
	ambit_session_free(s);
	ambit_daemon_free(d);
}

/* ---- the daemon killed ---- */

static struct ambit_run stay_long(struct ambit_session *s)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_run taken = { .size = sizeof taken };
	char *argv[4];
	struct ambit_run_options o = host_run_options("echo up; exec sleep 1000", argv);

	o.key = "long";
	host_is(ambit_session_run(s, &o, &taken, &e), 0, &e, "running");
	return taken;
}

/* Of no use any more, and it says so each time, at once. */
static void is_lost(struct ambit_session *s, int code)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };
	struct pollfd p = { .fd = ambit_session_fd(s), .events = POLLIN };

	host_is(ambit_session_step(s, &e), code, &e, "a step of what broke");
	if (poll(&p, 1, 0) != 0)
		host_problem("what broke is readable for ever");
	host_is(ambit_session_next_event(s, 1, &info, &e), code, &e, "a list of what broke");
	host_is(ambit_session_cancel(s, 1, &e), code, &e, "cancelling in what broke");
	host_is(ambit_session_end(s, &e), code, &e, "ending what broke");
	if (e.message[0] == 0)
		host_problem("it does not say why");
}

static void interrupted(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event_info info = { .size = sizeof info };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d), *again;
	struct ambit_follow *f = host_follow(s, stay_long(s).n, 0);
	char room[64] = "";

	(void)argc;
	(void)argv;
	while (strcmp(host_read(f, 1, 0, room, sizeof room), "up\n") != 0 && ambit_follow_wait(f, 20, &e) == 0)
		;
	say("up");
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), -AMBIT_GONE, &e, "waiting while the daemon dies");
	is_lost(s, -AMBIT_GONE);
	host_is(ambit_daemon_next_session(
			d, "", &(struct ambit_session_info){ .size = sizeof(struct ambit_session_info) }, &e),
		-AMBIT_GONE, &e, "asking the dead");
	if (strcmp(host_read(f, 1, 1, room, sizeof room), "p\n") != 0 || ambit_follow_is_over(f))
		host_problem("what was written before is '%s'", room);
	ambit_daemon_free(d);
	d = host_daemon(1);
	again = host_opened(d, ambit_session_id(s));
	ambit_follow_free(f);
	ambit_session_free(s);
	if (!stay_long(again).replayed)
		host_problem("it was begun once more");
	f = host_follow(again, 1, 0);
	host_is(ambit_follow_wait(f, PATIENCE_MS, &e), 1, &e, "waiting for what was interrupted");
	host_is(ambit_follow_result(f, &info, &e), 0, &e, "the result");
	if (info.state != AMBIT_EVENT_INTERRUPTED || info.exit_status != 125 || info.code != AMBIT_GONE ||
	    info.cause != NULL || strstr(info.message, "interrupted") == NULL || info.hint[0] == 0)
		host_problem("interrupted, it is in state %d with %d: %s", info.state, info.exit_status, info.message);
	host_ends(f, 125, "up\n");
	host_ends(host_follow(again, host_run(again, "echo on", 0), 0), 0, "on\n");
	ambit_session_free(again);
	ambit_daemon_free(d);
}

/* The daemon becomes another program meanwhile. */
static void reloaded(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_session_info info = { .size = sizeof info };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d), *other;
	struct ambit_follow *f = host_follow(s, talk(s).n, 1);
	char line[8];

	(void)argc;
	(void)argv;
	say("up");
	if (fgets(line, sizeof line, stdin) == NULL)
		host_problem("nobody went on");
	host_is(ambit_daemon_next_session(d, "", &info, &e), 1, &e, "a list");
	if (strcmp(info.session, ambit_session_id(s)) != 0)
		host_problem("the list has %s", info.session);
	other = host_session(d);
	ambit_session_free(other);
	host_is(ambit_follow_write(f, "it\n", 3, &e), 3, &e, "writing");
	host_ends(f, 0, "0123456789\ngot it\n");
	ambit_session_free(s);
	ambit_daemon_free(d);
}

/* Nobody is there, and nobody is to be started. */
static void alone(int argc, char **argv)
{
	const struct ambit_daemon_options o = { .size = sizeof o };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = NULL;

	(void)argc;
	(void)argv;
	host_is(ambit_daemon_connect(&o, &d, &e), -AMBIT_NOT_FOUND, &e, "connecting to nobody");
}

/* ---- liars ---- */

static long now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct asked {
	struct ambit_daemon *d;
	struct ambit_session *s;
	struct ambit_follow *f;
};

static int ask_connect(struct asked *a, struct ambit_error *e)
{
	const struct ambit_daemon_options o = { .size = sizeof o, .wait_ms = WAIT_MS };

	return ambit_daemon_connect(&o, &a->d, e);
}

static int ask_list(struct asked *a, struct ambit_error *e)
{
	struct ambit_session_info info = { .size = sizeof info };
	int r;

	while ((r = ambit_daemon_next_session(a->d, info.session, &info, e)) == 1)
		;
	return r;
}

static int ask_new(struct asked *a, struct ambit_error *e)
{
	const struct ambit_session_options o = { .size = sizeof o };
	struct ambit_session *s = NULL;
	struct ambit_policy *p = host_policy();
	const int r = ambit_session_new(a->d, p, &o, &s, e);

	ambit_policy_free(p);
	ambit_session_free(s);
	return r;
}

static int ask_open(struct asked *a, struct ambit_error *e)
{
	return ambit_session_open(a->d, "s_01ARZ3NDEKTSV4RRFFQ69G5FAV", &a->s, e);
}

static int ask_run(struct asked *a, struct ambit_error *e)
{
	char *argv[4];
	const struct ambit_run_options o = host_run_options("true", argv);

	return ambit_session_run(a->s, &o, NULL, e);
}

static int ask_events(struct asked *a, struct ambit_error *e)
{
	struct ambit_event_info info = { .size = sizeof info };
	uint64_t n = 1;
	int r;

	while ((r = ambit_session_next_event(a->s, n, &info, e)) == 1)
		n = info.n + 1;
	return r;
}

static int ask_follow(struct asked *a, struct ambit_error *e)
{
	return ambit_session_follow(a->s, 1, 1, &a->f, e);
}

static int ask_record(struct asked *a, struct ambit_error *e)
{
	const char *json;
	size_t n;

	return ambit_session_record(a->s, 1, &json, &n, e);
}

static int ask_signal(struct asked *a, struct ambit_error *e)
{
	return ambit_session_signal(a->s, 1, SIGTERM, e);
}

static int ask_end(struct asked *a, struct ambit_error *e)
{
	return ambit_session_end(a->s, e);
}

/* Which has no bound of its own. */
static int ask_wait(struct asked *a, struct ambit_error *e)
{
	const int r = ambit_follow_wait(a->f, WAIT_MS, e);

	return r > 0 ? 0 : r;
}

/* Everything in turn, until something fails: what, with which code, and whether it took longer than it may. */
static void lied(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*ask)(struct asked *a, struct ambit_error *e);
	} steps[] = { { "connect", ask_connect }, { "list", ask_list },     { "new", ask_new },
		      { "open", ask_open },       { "run", ask_run },       { "events", ask_events },
		      { "follow", ask_follow },   { "record", ask_record }, { "signal", ask_signal },
		      { "wait", ask_wait },       { "end", ask_end } };
	struct ambit_error e = { .size = sizeof e };
	struct asked a = { NULL, NULL, NULL };
	size_t i = 0;
	int r = 0;

	(void)argc;
	(void)argv;
	for (; i < sizeof steps / sizeof steps[0] && r == 0; i++) {
		const long before = now_ms();

		r = steps[i].ask(&a, &e);
		if (now_ms() - before > 10 * WAIT_MS)
			host_problem("%s takes %ld ms", steps[i].name, now_ms() - before);
		if (r < 0)
			printf("%s %d\n", steps[i].name, e.code);
	}
	if (r == 0)
		say("all");
	else if (e.message[0] == 0 || e.code != -r)
		host_problem("%d, and it says %d: '%s'", r, e.code, e.message);
	if (r < 0 && a.s != NULL)
		is_lost(a.s, r);
	ambit_follow_free(a.f);
	ambit_session_free(a.s);
	ambit_daemon_free(a.d);
}

/* ---- forks ---- */

static void end_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void forked(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);
	struct ambit_follow *f = host_follow(s, host_run(s, "read line; echo got $line", 1), 1);
	char line[8];
	int status = -1;
	pid_t pid = fork();

	(void)argc;
	(void)argv;
	if (pid == 0) { /* it frees its copies */
		ambit_follow_free(f);
		ambit_session_free(s);
		ambit_daemon_free(d);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	if (status != 0)
		host_problem("a fork that frees its copies ends with %d", status);
	host_is(ambit_follow_write(f, "it\n", 3, &e), 3, &e, "writing after that");
	host_ends(f, 0, "got it\n");
	ambit_session_free(host_session(d));
	/* one that keeps its copies holds no connection */
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	ambit_session_free(s);
	ambit_daemon_free(d);
	say("freed");
	if (fgets(line, sizeof line, stdin) == NULL)
		host_problem("nobody looked");
	end_child(pid);
}

/* SIGPIPE as it is by default ends a host in which it is raised. */
static void broken_pipe(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *s = host_session(d);
	struct ambit_follow *f = host_follow(s, host_run(s, "exec <&-; echo shut; exec sleep 1000", 1), 1);
	struct sigaction action;
	char room[64];
	int n = 0;

	(void)argc;
	(void)argv;
	if (sigaction(SIGPIPE, NULL, &action) < 0 || action.sa_handler != SIG_DFL)
		host_problem("it is not as by default: this shows nothing");
	while (strcmp(host_read(f, 1, 0, room, sizeof room), "shut\n") != 0 && ambit_follow_wait(f, 20, &e) == 0)
		;
	for (int i = 0; i < 1000 && n >= 0; i++)
		n = ambit_follow_write(f, "x", 1, &e);
	host_is(n, -AMBIT_GONE, &e, "writing to who reads no more");
	host_is(ambit_session_cancel(s, 1, &e), 0, &e, "cancelling");
	host_ends(f, 128 + SIGKILL, "shut\n");
	ambit_session_free(s);
	ambit_daemon_free(d);
}

/* ---- threads ---- */

static void *one_of_many(void *shared)
{
	struct ambit_daemon *d = host_daemon(1);
	struct ambit_session *own = host_session(d), *common = host_opened(d, shared);

	for (int i = 0; i < 4; i++) {
		struct ambit_follow *f = host_follow(own, host_run(own, "read line; echo own $line", 1), 1);
		struct ambit_follow *g = host_follow(common, host_run(common, "echo common", 0), 0);
		struct ambit_error e = { .size = sizeof e };

		host_is(ambit_follow_write(f, "x\n", 2, &e), 2, &e, "writing");
		host_ends(f, 0, "own x\n");
		host_ends(g, 0, "common\n");
	}
	ambit_session_free(common);
	ambit_session_free(own);
	ambit_daemon_free(d);
	return NULL;
}

#define THREADS 16

static void in_threads(void *(*run)(void *), void *shared)
{
	pthread_t all[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&all[i], NULL, run, shared) != 0)
			abort();
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(all[i], NULL);
}

static void *connects(void *unused)
{
	ambit_daemon_free(host_daemon(1));
	return unused;
}

/* All of them start the daemon at once; then each has what it has. */
static void threads(int argc, char **argv)
{
	struct ambit_daemon *d;
	struct ambit_session *s;

	(void)argc;
	(void)argv;
	in_threads(connects, NULL);
	d = host_daemon(0);
	s = host_session(d);
	in_threads(one_of_many, (void *)(uintptr_t)ambit_session_id(s)); /* only read */
	ambit_session_free(s);
	ambit_daemon_free(d);
}

const struct host_scenario host_hard[] = {
	{ "begin", begin },     { "resume", resume }, { "interrupted", interrupted }, { "reloaded", reloaded },
	{ "alone", alone },     { "lied", lied },     { "forked", forked },           { "broken-pipe", broken_pipe },
	{ "threads", threads }, { NULL, NULL }
};
