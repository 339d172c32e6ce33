/* Events from many threads: they share a policy that nobody changes any more, and each has a handle of its own.
 *
 *     cc -pthread embed-threads.c $(pkg-config --cflags --libs ambit) -o embed-threads
 *     ./embed-threads [THREADS] */
#include <ambit/ambit.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS_MAX 64

struct work {
	const struct ambit_policy *policy;
	int number;
	int answer; /* -1: it failed, and e says why */
	struct ambit_error e;
};

static int take_answer(const struct ambit_event *ev, struct ambit_error *e)
{
	const void *text;
	size_t n;
	char line[32];

	if (ambit_event_failure(ev, e) < 0 || ambit_event_output(ev, 1, &text, &n, NULL, e) < 0)
		return -1;
	snprintf(line, sizeof line, "%.*s", (int)n, (const char *)text);
	return atoi(line);
}

static void *work(void *arg)
{
	struct work *w = arg;
	char sum[64];
	char *argv[] = { "/bin/sh", "-c", sum, NULL };
	const struct ambit_event_options o = {
		.size = sizeof o,
		.argv = argv,
		.stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_CAPTURE, AMBIT_STREAM_NULL },
	};
	struct ambit_event *ev = NULL;

	snprintf(sum, sizeof sum, "echo $((%d * %d))", w->number, w->number);
	w->answer = -1;
	if (ambit_event_start(w->policy, &o, &ev, &w->e) == 0 && ambit_event_wait(ev, &w->e) == 0)
		w->answer = take_answer(ev, &w->e);
	ambit_event_free(ev);
	return NULL;
}

static int run(const struct ambit_policy *p, int n)
{
	static struct work all[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	int started = 0, failed = 0;

	for (; started < n; started++) {
		all[started] =
			(struct work){ .policy = p, .number = started, .answer = -1, .e = { .size = sizeof all[0].e } };
		if (pthread_create(&threads[started], NULL, work, &all[started]) != 0)
			break;
	}
	for (int i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
		printf("%d * %d = %d\n", i, i, all[i].answer);
		if (all[i].answer < 0)
			fprintf(stderr, "%s (%s)\n", all[i].e.message, all[i].e.hint);
		failed |= all[i].answer < 0;
	}
	return failed || started < n;
}

int main(int argc, char **argv)
{
	const int n = argc > 1 ? atoi(argv[1]) : 4;
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = NULL;
	int failed = 1;

	if (n < 1 || n > THREADS_MAX)
		return 2;
	if (ambit_policy_new(&p, &e) == 0 && ambit_policy_limit(p, "wall=30s,memory=256M", &e) == 0)
		failed = run(p, n);
	else
		fprintf(stderr, "%s (%s)\n", e.message, e.hint);
	ambit_policy_free(p);
	return failed;
}
