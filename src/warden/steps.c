#include "warden/steps.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define THREAD_SLOTS (2u * TRACE_THREADS_MAX)
#define KNOWN_SLOTS (1u << 17) /* at most five eighths are used: one for each step */
#define NOTHING 0xfffeu        /* before the first call of a thread */

_Static_assert(TRACE_STEPS_MAX < KNOWN_SLOTS / 4 * 3 && (THREAD_SLOTS & (THREAD_SLOTS - 1)) == 0,
	       "tables that are too full");

struct steps_before {
	struct {
		uint32_t thread, number; /* of the kernel's, 0: a free place; and ours */
	} threads[THREAD_SLOTS];
	bool knows;                         /* from here on: what follows is looked at */
	bool left[TRACE_THREADS_MAX];       /* steps of it were left out just before */
	uint32_t before[TRACE_THREADS_MAX]; /* its last two calls */
	uint64_t known[KNOWN_SLOTS];        /* three calls in their order; 0: a free place */
};

static struct trace_step *steps_of(const struct steps *s)
{
	return (struct trace_step *)(s->head + 1);
}

int steps_init(struct steps *s, void *shared)
{
	void *own = mmap(NULL, sizeof *s->own, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (own == MAP_FAILED)
		return -ENOMEM;
	s->head = shared;
	s->own = own;
	*s->head = (struct steps_head){ .n = 0 };
	return 0;
}

void steps_finish(struct steps *s)
{
	if (s->own != NULL)
		(void)munmap(s->own, sizeof *s->own);
	s->own = NULL;
}

/* By multiplying: a workload that makes threads, or calls, meet slows only itself. */
static size_t slot_of(uint64_t key, size_t slots)
{
	return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (slots - 1);
}

static uint16_t number_of(struct steps *s, uint32_t thread)
{
	size_t at = slot_of(thread, THREAD_SLOTS);

	for (; s->own->threads[at].thread != 0; at = (at + 1) & (THREAD_SLOTS - 1))
		if (s->own->threads[at].thread == thread)
			return (uint16_t)s->own->threads[at].number;
	if (s->head->threads == TRACE_THREADS_MAX)
		return TRACE_THREADS_MAX - 1;
	s->own->threads[at].thread = thread;
	s->own->threads[at].number = s->head->threads++;
	return (uint16_t)s->own->threads[at].number;
}

/* Remembers its last three calls; false: they were there before. */
static bool is_new(struct steps_before *own, uint16_t number, uint16_t what)
{
	const uint64_t key = UINT64_C(1) << 48 | (uint64_t)own->before[number] << 16 | what;
	size_t at = slot_of(key, KNOWN_SLOTS);

	own->before[number] = own->before[number] << 16 | what;
	for (; own->known[at] != 0; at = (at + 1) & (KNOWN_SLOTS - 1))
		if (own->known[at] == key)
			return false;
	own->known[at] = key;
	return true;
}

/* What was kept so far: once, when there is no room for all. */
static void learn(struct steps *s)
{
	struct steps_before *own = s->own;
	const struct trace_step *steps = steps_of(s);

	for (size_t i = 0; i < TRACE_THREADS_MAX; i++)
		own->before[i] = NOTHING << 16 | NOTHING;
	for (uint32_t i = 0; i < s->head->n; i++)
		(void)is_new(own, steps[i].thread, steps[i].symbol);
	own->knows = true;
}

static void keep(struct steps *s, uint16_t number, uint16_t what)
{
	steps_of(s)[s->head->n] = (struct trace_step){ .thread = number, .symbol = what };
	s->head->n++; /* last: a killed warden leaves no step that is none */
}

static void keep_new(struct steps *s, uint16_t number, uint16_t what)
{
	bool *left = &s->own->left[number];

	if (!s->own->knows)
		learn(s);
	if (s->head->n == TRACE_STEPS_MAX || !is_new(s->own, number, what)) {
		*left = true;
		return;
	}
	if (*left && s->head->n + 2 <= TRACE_STEPS_MAX)
		keep(s, number, TRACE_GAP);
	*left = false;
	keep(s, number, what);
}

void steps_note(struct steps *s, uint32_t thread, uint16_t what)
{
	const uint16_t number = number_of(s, thread != 0 ? thread : UINT32_MAX); /* 0: it is not ours to see */

	if (s->head->n < TRACE_WHOLE_MAX)
		keep(s, number, what);
	else
		keep_new(s, number, what);
}

struct trace_step *steps_read(const void *shared, struct steps_head *ret)
{
	struct trace_step *copy = NULL;

	memcpy(ret, shared, sizeof *ret);
	if (ret->n > TRACE_STEPS_MAX)
		ret->n = 0;
	if (ret->n > 0)
		copy = malloc(ret->n * sizeof *copy);
	if (copy != NULL)
		memcpy(copy, (const char *)shared + sizeof *ret, ret->n * sizeof *copy);
	else
		ret->n = 0;
	return copy;
}
