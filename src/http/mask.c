#include "http/mask.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Each text has an automaton of its own (Knuth, Morris, Pratt): few texts, and a table of all transitions would be a kilobyte for each byte of a
 * secret. */
struct text {
	const uint8_t *at;
	uint32_t n;
	uint32_t *border; /* of the first i bytes: the longest beginning that is also their end, and not all of them */
};

/* Bit k: text k has this byte there. Two bytes leave of ordinary text hardly anything to look at. */
struct mask_set {
	size_t size; /* of all of this memory */
	const struct memory *memory;
	size_t n;
	size_t hold; /* how many bytes of a text may have come, without it being whole */
	uint64_t first[256], second[256];
	struct text texts[MASK_TEXTS_MAX];
};
_Static_assert(MASK_TEXTS_MAX <= 64, "a bit for each text");

/* ---- one text ---- */

static uint32_t advance(const struct text *t, uint32_t state, uint8_t byte)
{
	while (state > 0 && t->at[state] != byte)
		state = t->border[state];
	return state + (t->at[state] == byte);
}

static void find_borders(struct text *t)
{
	t->border[0] = t->border[1] = 0;
	for (uint32_t i = 1; i < t->n; i++)
		t->border[i + 1] = advance(t, t->border[i], t->at[i]);
}

/* ---- the set ---- */

static bool has_break(const struct mask_text *t)
{
	size_t i = 0;

	while (i < t->n && !mask_is_break(t->at[i]))
		i++;
	return i < t->n;
}

/* The memory of all texts behind the set, or 0 if there can be no such set. */
static size_t size_of_texts(const struct mask_text *texts, size_t n)
{
	size_t size = 0;

	if (n == 0 || n > MASK_TEXTS_MAX)
		return 0;
	for (size_t k = 0; k < n; k++) {
		if (texts[k].n < MASK_TEXT_LEAST || texts[k].n > MASK_TEXT_MAX || has_break(&texts[k]))
			return 0;
		size += (texts[k].n + 1) * sizeof(uint32_t) + texts[k].n;
	}
	return size;
}

/* Numbers first, for their alignment, and behind them the bytes. */
static void lay_out(struct mask_set *s, const struct mask_text *texts)
{
	uint32_t *numbers = (uint32_t *)(s + 1);
	uint8_t *bytes;

	for (size_t k = 0; k < s->n; k++) {
		struct text *t = &s->texts[k];

		t->n = (uint32_t)texts[k].n; /* at most MASK_TEXT_MAX */
		t->border = numbers;
		numbers += t->n + 1;
		if (s->hold < t->n - 1)
			s->hold = t->n - 1;
	}
	bytes = (uint8_t *)numbers;
	for (size_t k = 0; k < s->n; k++) {
		memcpy(bytes, texts[k].at, texts[k].n);
		s->texts[k].at = bytes;
		bytes += texts[k].n;
	}
}

struct mask_set *mask_set_create(const struct mask_text *texts, size_t n, const struct memory *memory)
{
	const size_t size = size_of_texts(texts, n);
	struct mask_set *s = NULL;

	if (size > 0)
		s = memory != NULL ? memory->grow(NULL, sizeof *s + size) : malloc(sizeof *s + size);
	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof *s + size);
	s->size = sizeof *s + size;
	s->memory = memory;
	s->n = n;
	lay_out(s, texts);
	for (size_t k = 0; k < n; k++) {
		s->first[s->texts[k].at[0]] |= UINT64_C(1) << k;
		s->second[s->texts[k].at[1]] |= UINT64_C(1) << k;
		find_borders(&s->texts[k]);
	}
	return s;
}

void mask_set_free(struct mask_set *s)
{
	const struct memory *memory;

	if (s == NULL)
		return;
	memory = s->memory;
	explicit_bzero(s, s->size);
	if (memory != NULL)
		memory->give(s);
	else
		free(s);
}

/* ---- covering ---- */

/* Where bytes were covered last, so that a text that repeats itself does not cover all of itself again with each byte. */
struct covered {
	size_t from, to;
};

static void cover(uint8_t *out, struct covered *c, size_t end, size_t n)
{
	const size_t start = end > n ? end - n : 0; /* what is before out was covered already, or let go */

	if (start > c->to) {
		memset(out + start, '*', end - start);
		*c = (struct covered){ start, end };
		return;
	}
	if (start < c->from) {
		memset(out + start, '*', c->from - start);
		c->from = start;
	}
	memset(out + c->to, '*', end - c->to);
	c->to = end;
}

/* One byte for each text. Gives how far the one is that is farthest; *ret_whole is the length of the longest that is whole, or 0. */
static uint32_t step(const struct mask_set *s, uint32_t *state, uint8_t byte, uint32_t *ret_whole)
{
	uint32_t farthest = 0;

	*ret_whole = 0;
	for (size_t k = 0; k < s->n; k++) {
		const struct text *t = &s->texts[k];

		state[k] = advance(t, state[k], byte);
		if (state[k] == t->n) {
			*ret_whole = t->n > *ret_whole ? t->n : *ret_whole;
			state[k] = t->border[t->n];
		}
		farthest = state[k] > farthest ? state[k] : farthest;
	}
	return farthest;
}

/* The first place where a text may begin. */
static size_t skip(const struct mask_set *s, const uint8_t *bytes, size_t at, size_t n)
{
	for (; at < n; at++) {
		const uint64_t begin = s->first[bytes[at]];

		if (begin != 0 && (at + 1 == n || (begin & s->second[bytes[at + 1]]) != 0))
			break;
	}
	return at;
}

/* The bytes from `at` on, and those before that end there. */
static void cover_new(const struct mask_set *s, uint32_t *state, uint8_t *bytes, size_t at, size_t n)
{
	struct covered covered = { 0, 0 };
	uint32_t farthest = 0, whole = 0;

	for (size_t k = 0; k < s->n; k++)
		farthest = state[k] > farthest ? state[k] : farthest;
	while (at < n) {
		if (farthest == 0)
			at = skip(s, bytes, at, n);
		if (at == n)
			return;
		farthest = step(s, state, bytes[at++], &whole);
		if (whole > 0)
			cover(bytes, &covered, at, whole);
	}
}

void mask_whole(const struct mask_set *set, uint8_t *bytes, size_t n)
{
	uint32_t state[MASK_TEXTS_MAX] = { 0 };

	if (set != NULL)
		cover_new(set, state, bytes, 0, n);
}

/* ---- in pieces ---- */

bool mask_begin(struct mask *m, const struct mask_set *set)
{
	if (m->set != set)
		mask_finish(m); /* another needs other room */
	memset(m->state, 0, sizeof m->state);
	m->set = set;
	if (set == NULL)
		return true;
	if (m->held.data == NULL)
		buf_init_of(&m->held, set->hold, set->memory);
	buf_reset(&m->held);
	return buf_room(&m->held, set->hold) != NULL;
}

void mask_finish(struct mask *m)
{
	buf_wipe(&m->held);
}

/* How many bytes of the end. */
static size_t holds(const struct mask_set *s, const uint8_t *bytes, size_t n)
{
	size_t held = 0;

	while (held < s->hold && held < n && !mask_is_break(bytes[n - 1 - held]))
		held++;
	return held;
}

size_t mask_run(struct mask *m, const uint8_t *bytes, size_t n, uint8_t *out)
{
	const size_t before = mask_let_go(m, out), all = before + n;
	size_t held;

	if (n > 0)
		memcpy(out + before, bytes, n);
	if (m->set == NULL)
		return n;
	cover_new(m->set, m->state, out, before, all);
	held = holds(m->set, out, all);
	buf_put(&m->held, out + all - held, held); /* there is room since mask_begin */
	return all - held;
}

size_t mask_let_go(struct mask *m, uint8_t *out)
{
	const size_t n = m->held.len;

	if (n > 0)
		memcpy(out, m->held.data, n);
	m->held.len = 0;
	return n;
}
