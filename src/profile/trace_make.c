/* A trace of what the eye left. Entries that have the same symbol are one; symbols and threads get their numbers as steps come to them. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/effect.h"
#include "profile/trace.h"

#define KINDS 16u /* of effects, with room */
#define NOT_YET UINT16_MAX

_Static_assert(EFFECT_REQUEST < KINDS && TRACE_SYMBOLS_MAX <= NOT_YET, "numbers that do not fit");

/* Behind the entries stand the kinds whose object was not kept, and the gap. */
struct making {
	struct trace *t;
	const char (*texts)[SYMBOL_MAX]; /* of entries, borrowed */
	size_t n;
	char more[KINDS + 1][SYMBOL_MAX];
	struct named {
		const char *text;
		size_t place;
	} * sorted;       /* owned: all texts */
	uint16_t *group;  /* owned: of each place, which text it has */
	uint16_t *symbol; /* owned: of each text, its number in the trace */
	uint16_t threads[TRACE_THREADS_MAX];
	uint32_t n_threads;
};

static size_t all_of(const struct making *m)
{
	return m->n + KINDS + 1;
}

static const char *text_at(const struct making *m, size_t i)
{
	return i < m->n ? m->texts[i] : m->more[i - m->n];
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->text, ((const struct named *)b)->text);
}

/* By sorting: a table would have to be keyed, since a workload chooses what stands in it. */
static void group(struct making *m)
{
	uint16_t at = 0;

	for (size_t i = 0; i < all_of(m); i++)
		m->sorted[i] = (struct named){ .text = text_at(m, i), .place = i };
	qsort(m->sorted, all_of(m), sizeof *m->sorted, by_text);
	for (size_t i = 0; i < all_of(m); i++) {
		at = (uint16_t)(at + (i > 0 && strcmp(m->sorted[i - 1].text, m->sorted[i].text) != 0));
		m->group[m->sorted[i].place] = at;
		m->symbol[i] = NOT_YET;
	}
}

/* Of what a step names; false: nothing. */
static bool find_place(const struct making *m, uint16_t name, size_t *ret)
{
	const bool is_kind = name >= TRACE_UNKEPT && name < TRACE_UNKEPT + KINDS;

	*ret = name == TRACE_GAP ? m->n + KINDS : is_kind ? m->n + (name - TRACE_UNKEPT) : name;
	return name == TRACE_GAP || (is_kind && effect_word((uint8_t)(name - TRACE_UNKEPT)) != NULL) || name < m->n;
}

static void add(struct making *m, const struct trace_step *step, size_t place)
{
	struct trace *t = m->t;
	const uint16_t text = m->group[place];

	if (m->symbol[text] == NOT_YET) {
		m->symbol[text] = (uint16_t)t->n_symbols;
		memcpy(t->symbols[t->n_symbols++], text_at(m, place), SYMBOL_MAX);
	}
	if (m->threads[step->thread] == NOT_YET)
		m->threads[step->thread] = (uint16_t)m->n_threads++;
	t->steps[t->n_steps++] = (struct trace_step){ .thread = m->threads[step->thread], .symbol = m->symbol[text] };
}

static void add_all(struct making *m, const struct trace_step *steps, size_t n)
{
	struct trace *t = m->t;
	size_t gaps = 0, place;

	memset(m->threads, 0xff, sizeof m->threads);
	for (size_t i = 0; i < n; i++) {
		if (steps[i].thread >= TRACE_THREADS_MAX || !find_place(m, steps[i].symbol, &place))
			continue;
		gaps += place == m->n + KINDS;
		add(m, &steps[i], place);
	}
	t->threads = t->threads < m->n_threads ? m->n_threads : t->threads;
	t->threads = t->threads > TRACE_THREADS_MAX ? TRACE_THREADS_MAX : t->threads;
	t->calls = t->calls < t->n_steps - gaps ? t->n_steps - gaps : t->calls;
	t->calls = t->calls > TRACE_CALLS_MAX ? TRACE_CALLS_MAX : t->calls;
	t->dropped = t->calls - (t->n_steps - gaps);
}

static int make(struct making *m, const struct trace_step *steps, size_t n_steps)
{
	struct trace *t = m->t;

	for (size_t i = 0; i < KINDS; i++)
		symbol_unkept((uint8_t)i, m->more[i]);
	strcpy(m->more[KINDS], SYMBOL_GAP); /* fits */
	m->sorted = calloc(all_of(m), sizeof *m->sorted);
	m->group = calloc(all_of(m), sizeof *m->group);
	m->symbol = calloc(all_of(m), sizeof *m->symbol);
	t->symbols = calloc(all_of(m), sizeof *t->symbols);
	t->steps = calloc(n_steps + 1, sizeof *t->steps);
	if (m->sorted == NULL || m->group == NULL || m->symbol == NULL || t->symbols == NULL || t->steps == NULL)
		return -AMBIT_MEMORY;
	group(m);
	add_all(m, steps, n_steps);
	return 0;
}

int trace_make(struct trace *t, const char (*entries)[SYMBOL_MAX], size_t n_entries, const struct trace_step *steps,
	       size_t n_steps)
{
	auto_free struct making *m = calloc(1, sizeof *m);
	int r = -AMBIT_MEMORY;

	t->symbols = NULL;
	t->steps = NULL;
	t->n_symbols = t->n_steps = 0;
	if (m != NULL && n_entries <= TRACE_SYMBOLS_MAX - KINDS - 1 && n_steps <= TRACE_STEPS_MAX) {
		*m = (struct making){ .t = t, .texts = entries, .n = n_entries };
		r = make(m, steps, n_steps);
		free(m->sorted);
		free(m->group);
		free(m->symbol);
	}
	if (r < 0)
		trace_finish(t);
	return r;
}
