/* The steps of a kernel: an event whose interpreter takes one source after the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/sha256.h"
#include "lib/event.h"
#include "wire/wire.h"

static uint64_t unix_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The place of the next among those that the record tells; NULL: it is counted alone. */
static struct result_step *next_told(struct result_kernel *k)
{
	if (k->n == RESULT_STEPS_MAX)
		return NULL;
	if ((k->n & (k->n - 1)) == 0) { /* grows at powers of two */
		struct result_step *grown = realloc(k->told, (k->n == 0 ? 1 : 2 * k->n) * sizeof *grown);

		if (grown == NULL)
			return NULL;
		k->told = grown;
	}
	return &k->told[k->n++];
}

static void note(struct ambit_event *ev, const char *source, size_t n)
{
	struct result_kernel *k = &ev->result.kernel;
	struct result_step *s = next_told(k);

	k->steps = ev->step.number;
	if (s == NULL)
		return;
	*s = (struct result_step){ .step = ev->step.number, .bytes = n, .begun_ns = unix_ns() };
	memcpy(s->sha256, ev->step.sha256, sizeof s->sha256);
	if (n <= RESULT_SOURCES_MAX - k->source_bytes)
		s->source = strndup(source, n);
	if (s->source != NULL)
		k->source_bytes += n;
}

int event_step_give(struct ambit_event *ev, uint32_t step, const char *source, bool shows)
{
	const size_t n = strlen(source);
	uint8_t body[48], digest[SHA256_BYTES];
	struct sha256 sum;
	struct buf b;
	char *copy;
	int r;

	if (ev->told_end)
		return -EPIPE;
	if (!ev->started)
		return -EAGAIN;
	copy = strdup(source);
	if (copy == NULL)
		return -ENOMEM;
	sha256_init(&sum);
	sha256_add(&sum, source, n);
	sha256_end(&sum, digest);
	buf_init_in(&b, body, sizeof body);
	buf_put_u64(&b, step);
	buf_put_u64(&b, n);
	buf_put(&b, digest, sizeof digest);
	r = wire_send(ev->sock, WIRE_EVENT_STEP, &b, NULL, 0);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(ev->step.source);
	ev->step.source = copy;
	ev->step.number = step;
	ev->step.shows = shows;
	memcpy(ev->step.sha256, digest, sizeof digest);
	return 0;
}

void event_step_told(struct ambit_event *ev, struct wire_message *m)
{
	const uint64_t step = rbuf_u64(&m->body);
	size_t n;

	if (ev->step.source == NULL || step != ev->step.number)
		return; /* nobody asked */
	n = strlen(ev->step.source);
	note(ev, ev->step.source, n);
	(void)streams_give_step(&ev->streams, ev->step.number, ev->step.source, n,
				ev->step.shows); /* it was bounded when it was taken */
	free(ev->step.source);
	ev->step.source = NULL;
}

bool event_step_is_given(const struct ambit_event *ev)
{
	return ev->step.source == NULL;
}

bool event_step_is_read(const struct ambit_event *ev)
{
	return event_step_is_given(ev) && streams_step_is_read(&ev->streams);
}

int event_step_over(struct ambit_event *ev, struct step_end *ret)
{
	struct result_kernel *k = &ev->result.kernel;
	const int r = ev->step.source != NULL ? 0 : streams_step_over(&ev->streams, ret);

	if (r == 1 && k->n > 0 && k->told[k->n - 1].step == ev->step.number) {
		k->told[k->n - 1].ended_ns = unix_ns();
		k->told[k->n - 1].how = 1 + (uint32_t)ret->how;
	}
	return r;
}
