/* An event in a session, which goes on when this program does not: kill it, and follow the event again from where it was.
 *
 *     cc embed-session.c $(pkg-config --cflags --libs ambit) -o embed-session
 *     ./embed-session 'for i in 1 2 3 4 5; do echo $i; sleep 1; done'
 *     ./embed-session SESSION NUMBER BYTE        # as the first line of the other one says, and how much of its output was read
 *
 * The daemon that keeps sessions is started if it is not there (`ambit serve --stop` ends it). */
#include <ambit/ambit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static int complain(const struct ambit_error *e)
{
	fprintf(stderr, "%s (%s)\n", e->message, e->hint);
	return 1;
}

/* A session that may write in the current directory. */
static struct ambit_session *make(struct ambit_daemon *d, struct ambit_error *e)
{
	const struct ambit_session_options o = { .size = sizeof o };
	struct ambit_session *s = NULL;
	struct ambit_policy *p = NULL;

	if (ambit_policy_new(&p, e) == 0 && ambit_policy_grant(p, "work", ".", e) == 0)
		(void)ambit_session_new(d, p, &o, &s, e); /* s stays NULL, and *e says why */
	ambit_policy_free(p);
	return s;
}

/* The key: if this were said again, for want of an answer, it would not be begun again. */
static int run(struct ambit_session *s, char *command, struct ambit_run *ret, struct ambit_error *e)
{
	char *argv[] = { "/bin/sh", "-c", command, NULL };
	const struct ambit_run_options o = { .size = sizeof o, .argv = argv, .key = "the first" };

	return ambit_session_run(s, &o, ret, e);
}

/* What there is of its output. */
static int copy(struct ambit_follow *f, uint64_t *at, struct ambit_error *e)
{
	char room[4096];
	int n;

	while ((n = ambit_follow_read(f, 1, *at, room, sizeof room, e)) > 0) {
		fwrite(room, 1, (size_t)n, stdout);
		*at += (uint64_t)n;
	}
	fflush(stdout);
	return n;
}

/* Until it is over: its status. A host's own descriptors would stand in the same poll. */
static int follow(struct ambit_session *s, struct ambit_follow *f, uint64_t at, struct ambit_error *e)
{
	struct ambit_event_info info = { .size = sizeof info };
	struct pollfd wait = { .fd = ambit_session_fd(s), .events = POLLIN };

	while (!ambit_follow_is_over(f))
		if (copy(f, &at, e) < 0 || poll(&wait, 1, -1) < 0 || ambit_session_step(s, e) < 0)
			return complain(e);
	if (copy(f, &at, e) < 0 || ambit_follow_result(f, &info, e) < 0)
		return complain(e);
	if (info.message[0] != 0)
		fprintf(stderr, "%s (%s)\n", info.message, info.hint);
	return info.exit_status;
}

int main(int argc, char **argv)
{
	const struct ambit_daemon_options o = { .size = sizeof o, .start = 1 };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_run taken = { .size = sizeof taken };
	struct ambit_daemon *d = NULL;
	struct ambit_session *s = NULL;
	struct ambit_follow *f = NULL;
	uint64_t from = 0;
	int status;

	if (ambit_daemon_connect(&o, &d, &e) < 0)
		return complain(&e);
	if (argc == 4) {
		(void)ambit_session_open(d, argv[1], &s, &e);
		taken.n = strtoull(argv[2], NULL, 10);
		from = strtoull(argv[3], NULL, 10);
	} else if ((s = make(d, &e)) != NULL) {
		if (run(s, argc > 1 ? argv[1] : "echo hello from $(hostname)", &taken, &e) == 0)
			fprintf(stderr, "%s %llu\n", ambit_session_id(s), (unsigned long long)taken.n);
	}
	if (s == NULL || taken.n == 0 || ambit_session_follow(s, taken.n, 0, &f, &e) < 0)
		status = complain(&e);
	else
		status = follow(s, f, from, &e);
	ambit_follow_free(f);
	ambit_session_free(s);
	ambit_daemon_free(d);
	return status;
}
