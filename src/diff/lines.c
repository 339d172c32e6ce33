#include "diff/lines.h"

#include <stdlib.h>
#include <string.h>

#include "ambit/codes.h"
#include "base/cleanup.h"

#define STEP 4096

/* What one number stands for. */
struct class
{
	const uint8_t *bytes;
	uint32_t len, hash;
};

size_t text_line_end(const struct text *t, size_t at)
{
	const uint8_t *newline = at < t->len ? memchr(t->data + at, '\n', t->len - at) : NULL;

	return newline == NULL ? t->len : (size_t)(newline - t->data) + 1;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t common_start(const struct text *a, const struct text *b)
{
	const size_t n = least(a->len, b->len);
	size_t at = 0;

	while (n - at >= STEP && memcmp(a->data + at, b->data + at, STEP) == 0)
		at += STEP;
	while (at < n && a->data[at] == b->data[at])
		at++;
	return at;
}

/* At most n bytes. */
static size_t common_end(const struct text *a, const struct text *b, size_t n)
{
	const uint8_t *a_end = a->data + a->len, *b_end = b->data + b->len;
	size_t at = 0;

	while (n - at >= STEP && memcmp(a_end - at - STEP, b_end - at - STEP, STEP) == 0)
		at += STEP;
	while (at < n && a_end[-1 - (ptrdiff_t)at] == b_end[-1 - (ptrdiff_t)at])
		at++;
	return at;
}

/* The start of the line that is n lines above the one in which `at` lies. */
static size_t lines_up(const struct text *t, size_t at, size_t n)
{
	for (;;) {
		const uint8_t *newline = at > 0 ? memrchr(t->data, '\n', at) : NULL;

		if (newline == NULL)
			return 0;
		at = (size_t)(newline - t->data);
		if (n-- == 0)
			return at + 1;
	}
}

static size_t lines_down(const struct text *t, size_t at, size_t n)
{
	while (n-- > 0 && at < t->len)
		at = text_line_end(t, at);
	return at;
}

uint32_t text_lines(const struct text *t, size_t from, size_t to)
{
	uint32_t n = 0;

	for (size_t i = from; i < to; i++)
		n += t->data[i] == '\n';
	return n + (from < to && t->data[to - 1] != '\n');
}

static bool is_line_start(const struct text *t, size_t at)
{
	return at == 0 || t->data[at - 1] == '\n';
}

/* The start is cut back to the start of a line, the end to one that is a start on both sides; then both let go of the margin. */
void lines_find(struct lines *l, const struct text *old, const struct text *new, size_t margin)
{
	struct lines_side *a = &l->side[0], *b = &l->side[1];
	const size_t start = lines_up(old, common_start(old, new), 0);
	const size_t end = common_end(old, new, least(old->len, new->len) - start);

	memset(l, 0, sizeof *l);
	a->text = old;
	b->text = new;
	a->to = old->len - end;
	b->to = new->len - end;
	if (!is_line_start(old, a->to) || !is_line_start(new, b->to)) {
		const size_t more = text_line_end(old, a->to) - a->to;

		a->to += more;
		b->to += more;
	}
	a->from = b->from = lines_up(old, start, margin);
	a->to = lines_down(old, a->to, margin);
	b->to = lines_down(new, b->to, margin);
	l->before = text_lines(old, 0, a->from);
	a->n = text_lines(old, a->from, a->to);
	b->n = text_lines(new, b->from, b->to);
}

static int side_allocate(struct lines_side *s)
{
	s->start = calloc((size_t)s->n + 1, sizeof *s->start);
	s->number = calloc((size_t)s->n + 1, sizeof *s->number);
	s->changed = calloc((size_t)s->n + 1, 1);
	return s->start == NULL || s->number == NULL || s->changed == NULL ? -AMBIT_MEMORY : 0;
}

static uint32_t hash_of(const uint8_t *bytes, size_t n)
{
	uint64_t h = n, word;

	for (; n >= sizeof word; bytes += sizeof word, n -= sizeof word) {
		memcpy(&word, bytes, sizeof word);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	word = 0;
	memcpy(&word, bytes, n);
	h = (h ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(h ^ h >> 32);
}

struct numbering {
	struct class *classes; /* owned */
	uint32_t *slots;       /* owned: a number and 1, 0 where there is none */
	uint32_t n_slots;      /* a power of two */
	uint32_t n;
};

static void numbering_finish(struct numbering *g)
{
	free(g->classes);
	free(g->slots);
}

static int numbering_allocate(struct numbering *g, size_t n_lines)
{
	g->n_slots = 16;
	while (g->n_slots < 2 * n_lines)
		g->n_slots *= 2;
	g->classes = calloc(n_lines + 1, sizeof *g->classes);
	g->slots = calloc(g->n_slots, sizeof *g->slots);
	return g->classes == NULL || g->slots == NULL ? -AMBIT_MEMORY : 0;
}

/* The number of a line, a new one if it is the first of its kind. Hostile lines may share a hash: whoever makes them runs out
 * of work. */
static uint32_t number_of(struct numbering *g, const uint8_t *bytes, uint32_t len, uint64_t *work)
{
	const uint32_t hash = hash_of(bytes, len);

	for (uint32_t at = hash;; at++) {
		uint32_t *slot = &g->slots[at & (g->n_slots - 1)];
		const struct class *c;

		if (*slot == 0) {
			g->classes[g->n] = (struct class){ .bytes = bytes, .len = len, .hash = hash };
			*slot = ++g->n;
			return g->n - 1;
		}
		if (!work_spend(work, 1))
			return 0;
		c = &g->classes[*slot - 1];
		if (c->hash != hash || c->len != len)
			continue;
		(void)work_spend(work, len / 32);
		if (memcmp(c->bytes, bytes, len) == 0)
			return *slot - 1;
	}
}

static bool number_side(struct numbering *g, struct lines_side *s, uint64_t *work)
{
	size_t at = s->from;

	for (uint32_t i = 0; i < s->n; i++) {
		const size_t end = text_line_end(s->text, at);

		s->start[i] = (uint32_t)at;
		s->number[i] = number_of(g, s->text->data + at, (uint32_t)(end - at), work);
		at = end;
	}
	s->start[s->n] = (uint32_t)at;
	return *work > 0;
}

static int count(struct lines *l)
{
	for (size_t i = 0; i < 2; i++) {
		const struct lines_side *s = &l->side[i];

		l->count[i] = calloc((size_t)l->n_numbers + 1, sizeof *l->count[i]);
		if (l->count[i] == NULL)
			return -AMBIT_MEMORY;
		for (uint32_t k = 0; k < s->n; k++)
			l->count[i][s->number[k]]++;
	}
	return 0;
}

int lines_number(struct lines *l, uint64_t *work)
{
	__attribute__((cleanup(numbering_finish))) struct numbering g = { .classes = NULL };
	bool done;

	if (side_allocate(&l->side[0]) < 0 || side_allocate(&l->side[1]) < 0 ||
	    numbering_allocate(&g, (size_t)l->side[0].n + l->side[1].n) < 0)
		return -AMBIT_MEMORY;
	done = number_side(&g, &l->side[0], work) && number_side(&g, &l->side[1], work);
	l->n_numbers = g.n;
	return done ? count(l) : 1;
}

void lines_finish(struct lines *l)
{
	for (size_t i = 0; i < 2; i++) {
		free(l->side[i].start);
		free(l->side[i].number);
		free(l->side[i].changed);
		free(l->count[i]);
	}
}
