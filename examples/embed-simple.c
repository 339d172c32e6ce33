/* One command in a cell, from a program of your own: what it wrote, how it ended, and why if it was not its own doing.
 *
 *     cc embed-simple.c $(pkg-config --cflags --libs ambit) -o embed-simple
 *     ./embed-simple [PROGRAM [ARGUMENT...]] */
#include <ambit/ambit.h>
#include <stdio.h>

static int complain(const struct ambit_error *e)
{
	fprintf(stderr, "%s%s%s\n", e->message, e->why[0] != 0 ? ": " : "", e->why);
	if (e->hint[0] != 0)
		fprintf(stderr, "hint: %s\n", e->hint);
	return 125;
}

/* It may read the current directory, and needs no more than a few seconds for it. */
static int allow(struct ambit_policy *p, struct ambit_error *e)
{
	const int r = ambit_policy_grant(p, "read", ".", e);

	return r < 0 ? r : ambit_policy_limit(p, "wall=10s,memory=256M", e);
}

static int run(const struct ambit_policy *p, char **argv, struct ambit_event **ret, struct ambit_error *e)
{
	const struct ambit_event_options o = {
		.size = sizeof o,
		.argv = argv,
		.stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_CAPTURE, AMBIT_STREAM_PASS },
		.stream_fd = { -1, -1, 2 },
	};
	const int r = ambit_event_start(p, &o, ret, e);

	return r < 0 ? r : ambit_event_wait(*ret, e);
}

static int tell(const struct ambit_event *ev, struct ambit_error *e)
{
	const void *text;
	size_t n;

	if (ambit_event_output(ev, 1, &text, &n, NULL, e) == 0)
		fwrite(text, 1, n, stdout);
	if (ambit_event_failure(ev, e) < 0)
		complain(e);
	return ambit_event_exit_status(ev);
}

int main(int argc, char **argv)
{
	char *own[] = { "/bin/sh", "-c", "echo hello from $(hostname)", NULL };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = NULL;
	struct ambit_event *ev = NULL;
	int status;

	if (ambit_abi() != AMBIT_ABI) {
		fprintf(stderr, "libambit %s is of another ABI\n", ambit_version());
		return 125;
	}
	if (ambit_policy_new(&p, &e) < 0 || allow(p, &e) < 0 || run(p, argc > 1 ? argv + 1 : own, &ev, &e) < 0)
		status = complain(&e);
	else
		status = tell(ev, &e);
	ambit_event_free(ev);
	ambit_policy_free(p);
	return status;
}
