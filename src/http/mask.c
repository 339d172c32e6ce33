#include "http/mask.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Each text has an automaton of its own (Knuth, Morris, Pratt): few texts, and a table of all transitions would be a kilobyte for each byte of a
 * secret. What is held back is the beginning of a text, so it is told again from there, and not kept a second time. */
struct text {
	const uint8_t *at;
	uint32_t n;
	uint32_t *border; /* of the first i bytes: the longest beginning that is also their end, and not all of them */
	uint32_t *ends;   /* the longest text that ends where the first i bytes do, and lies in them; 0: none */
};

/* Bit k: text k has this byte there. Two bytes leave of ordinary text hardly anything to look at. */
struct mask_set {
	size_t size; /* of all of this memory */
	const struct memory *memory;
	size_t n;
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

/* Which of the texts ends at each place of t: they are run over it. */
static void find_ends(const struct mask_set *s, const struct text *t)
{
	for (size_t k = 0; k < s->n; k++) {
		const struct text *other = &s->texts[k];
		uint32_t state = 0;

		for (uint32_t i = 0; i < t->n; i++) {
			state = advance(other, state, t->at[i]);
			if (state < other->n)
				continue;
			if (t->ends[i + 1] < other->n)
				t->ends[i + 1] = other->n;
			state = other->border[state];
		}
	}
}

/* ---- the set ---- */

/* The memory of all texts behind the set, or 0 if a length is out of range. */
static size_t size_of_texts(const struct mask_text *texts, size_t n)
{
	size_t size = 0;

	if (n == 0 || n > MASK_TEXTS_MAX)
		return 0;
	for (size_t k = 0; k < n; k++) {
		if (texts[k].n < MASK_TEXT_LEAST || texts[k].n > MASK_TEXT_MAX)
			return 0;
		size += 2 * (texts[k].n + 1) * sizeof(uint32_t) + texts[k].n;
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
		t->ends = numbers + t->n + 1;
		numbers += 2 * (t->n + 1);
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
	for (size_t k = 0; k < n; k++)
		find_ends(s, &s->texts[k]);
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

/* ---- what is held, told again from its end ---- */

struct teller {
	const struct text *text;
	uint32_t at;
	uint32_t covered; /* how many bytes before `at` are of a text that is whole */
};

/* From the text that is matched farthest: what is held is the end of that much of it. */
static struct teller tell(const struct mask *m)
{
	struct teller ret = { .text = &m->set->texts[0], .at = m->state[0] };

	for (size_t k = 1; k < m->set->n; k++)
		if (m->state[k] > ret.at) {
			ret.text = &m->set->texts[k];
			ret.at = m->state[k];
		}
	return ret;
}

static uint8_t told_before(struct teller *t)
{
	if (t->covered < t->text->ends[t->at])
		t->covered = t->text->ends[t->at];
	t->at--;
	if (t->covered == 0)
		return t->text->at[t->at];
	t->covered--;
	return '*';
}

static void tell_held(const struct mask *m, uint8_t *out)
{
	struct teller t = tell(m);

	for (size_t i = m->held; i > 0; i--)
		out[i - 1] = told_before(&t);
}

/* How much of the end of out could be told again. A byte that could not is covered by a text that begins before all that may become one:
 * it and what is before it is decided. */
static size_t may_hold(const struct mask *m, const uint8_t *out, size_t n)
{
	struct teller t = tell(m);
	size_t held = 0;

	while (held < n && t.at > 0 && out[n - 1 - held] == told_before(&t))
		held++;
	return held;
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
static uint32_t step(struct mask *m, uint8_t byte, uint32_t *ret_whole)
{
	uint32_t farthest = 0;

	*ret_whole = 0;
	for (size_t k = 0; k < m->set->n; k++) {
		const struct text *t = &m->set->texts[k];
		uint32_t state = advance(t, m->state[k], byte);

		if (state == t->n) {
			*ret_whole = t->n > *ret_whole ? t->n : *ret_whole;
			state = t->border[state];
		}
		m->state[k] = state;
		farthest = state > farthest ? state : farthest;
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

/* The bytes from `at` on in out. */
static void cover_new(struct mask *m, uint8_t *out, size_t at, size_t n)
{
	struct covered covered = { 0, 0 };
	uint32_t farthest = tell(m).at, whole = 0;

	while (at < n) {
		if (farthest == 0)
			at = skip(m->set, out, at, n);
		if (at == n)
			return;
		farthest = step(m, out[at++], &whole);
		if (whole > 0)
			cover(out, &covered, at, whole);
	}
}

void mask_init(struct mask *m, const struct mask_set *set)
{
	*m = (struct mask){ .set = set };
}

size_t mask_room(const struct mask *m, size_t n)
{
	return m->held + n;
}

size_t mask_run(struct mask *m, const uint8_t *bytes, size_t n, uint8_t *out)
{
	const size_t all = m->held + n, held_before = m->held;

	if (n == 0)
		return 0;
	if (m->set == NULL) {
		memcpy(out, bytes, n);
		return n;
	}
	tell_held(m, out);
	memcpy(out + held_before, bytes, n);
	cover_new(m, out, held_before, all);
	m->held = may_hold(m, out, all);
	return all - m->held;
}

size_t mask_let_go(struct mask *m, uint8_t *out)
{
	const size_t held = m->held;

	if (held > 0)
		tell_held(m, out);
	m->held = 0;
	return held;
}

size_t mask_end(struct mask *m, uint8_t *out)
{
	const size_t held = mask_let_go(m, out);

	mask_init(m, m->set);
	return held;
}
