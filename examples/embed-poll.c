/* Several events at once in one loop, with no thread: each has a descriptor that is readable when there is something to do for it.
 *
 *     cc embed-poll.c $(pkg-config --cflags --libs ambit) -o embed-poll
 *     ./embed-poll 'echo one' 'sleep 1; echo two' 'exit 3' */
#include <ambit/ambit.h>
#include <poll.h>
#include <stdio.h>

#define EVENTS_MAX 16

static int complain(const struct ambit_error *e)
{
	fprintf(stderr, "%s (%s)\n", e->message, e->hint);
	return 1;
}

static int start(const struct ambit_policy *p, char *command, struct ambit_event **ret)
{
	char *argv[] = { "/bin/sh", "-c", command, NULL };
	const struct ambit_event_options o = {
		.size = sizeof o,
		.argv = argv,
		.stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_CAPTURE, AMBIT_STREAM_NULL },
	};
	struct ambit_error e = { .size = sizeof e };

	return ambit_event_start(p, &o, ret, &e) < 0 ? complain(&e) : 0;
}

static void tell(const struct ambit_event *ev, const char *command)
{
	struct ambit_error e = { .size = sizeof e };
	const void *text = "";
	size_t n = 0;

	(void)ambit_event_output(ev, 1, &text, &n, NULL, &e);
	printf("%s: status %d: %.*s\n", command, ambit_event_exit_status(ev), (int)n, (const char *)text);
	if (ambit_event_failure(ev, &e) < 0)
		complain(&e);
}

/* Until none is left. A host's own descriptors would stand in the same list. */
static void loop(struct ambit_event **events, char **commands, int n)
{
	struct pollfd wait[EVENTS_MAX];
	int left = n;

	for (int i = 0; i < n; i++)
		wait[i] = (struct pollfd){ .fd = ambit_event_fd(events[i]), .events = POLLIN };
	while (left > 0 && poll(wait, (nfds_t)n, -1) > 0)
		for (int i = 0; i < n; i++) {
			if (wait[i].revents == 0 || ambit_event_step(events[i], NULL) == 0)
				continue;
			tell(events[i], commands[i]);
			wait[i].fd = -1; /* poll passes it over */
			left--;
		}
}

int main(int argc, char **argv)
{
	char *own[] = { "sleep 1; echo slow", "echo quick", "exit 3" };
	char **commands = argc > 1 ? argv + 1 : own;
	const int n = argc > 1 ? argc - 1 : 3;
	struct ambit_event *events[EVENTS_MAX] = { NULL };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = NULL;
	int failed;

	if (n > EVENTS_MAX)
		return 2;
	failed = ambit_policy_new(&p, &e) < 0 ? complain(&e) : 0;
	for (int i = 0; i < n && !failed; i++)
		failed = start(p, commands[i], &events[i]);
	if (!failed)
		loop(events, commands, n);
	for (int i = 0; i < n; i++)
		ambit_event_free(events[i]);
	ambit_policy_free(p);
	return failed;
}
