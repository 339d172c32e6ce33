#include "core/match.h"

#include <string.h>

#include "base/text.h"

enum class { DIGIT, WORD, BLANK, CLASS_COUNT }; /* and again, for what is not of them */

/* All states that what was seen so far leads to, at once. */

#define WORDS (MATCH_STATES_MAX / 64 + 1) /* and the end */
#define SET_WORDS (MATCH_TEXT_MAX / 64 + 1)

struct states {
	uint64_t bits[WORDS];
};

struct run {
	const struct match *m;
	uint32_t c;                                  /* the character */
	uint64_t known[SET_WORDS], holds[SET_WORDS]; /* of it, by set */
	uint64_t steps;
	uint16_t waiting[MATCH_STATES_MAX + 1]; /* of reach(): here, since a local one is zeroed in each call */
};

static bool is_of_class(unsigned which, uint32_t c)
{
	const bool is[CLASS_COUNT] = {
		[DIGIT] = c >= '0' && c <= '9',
		[WORD] = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_',
		[BLANK] = c == ' ' || (c >= '\t' && c <= '\r'),
	};

	return which < CLASS_COUNT ? is[which] : !is[which - CLASS_COUNT];
}

static bool is_in(struct run *r, const struct match_set *s)
{
	bool is = false;

	for (unsigned i = 0; i < 2 * CLASS_COUNT; i++)
		is = is || ((s->classes >> i & 1) != 0 && is_of_class(i, r->c));
	for (unsigned i = 0; i < s->n && !is; i++, r->steps++)
		is = r->c >= r->m->ranges[s->first + i].from && r->c <= r->m->ranges[s->first + i].to;
	return is != s->is_not;
}

/* Many states may have one set: it is looked at once. */
static bool holds(struct run *r, unsigned set)
{
	const uint64_t bit = UINT64_C(1) << set % 64;

	if ((r->known[set / 64] & bit) == 0) {
		r->steps++;
		r->known[set / 64] |= bit;
		if (is_in(r, &r->m->sets[set]))
			r->holds[set / 64] |= bit;
	}
	return (r->holds[set / 64] & bit) != 0;
}

static bool add(struct states *s, unsigned state)
{
	const uint64_t bit = UINT64_C(1) << state % 64;
	const bool is_new = (s->bits[state / 64] & bit) == 0;

	s->bits[state / 64] |= bit;
	return is_new;
}

/* That state, and where it leads to without a character. Each waits once at most. */
static void reach(struct run *r, struct states *to, unsigned state)
{
	unsigned n = 0;

	if (add(to, state))
		r->waiting[n++] = (uint16_t)state;
	while (n > 0) {
		const unsigned at = r->waiting[--n];
		const struct match_state *s = &r->m->states[at];
		const unsigned other = at < r->m->n_states && s->kind != MATCH_SET ? (unsigned)((int)at + s->to) : at;

		r->steps++;
		if (add(to, other))
			r->waiting[n++] = (uint16_t)other;
		if (other != at && s->kind == MATCH_FORK && add(to, at + 1))
			r->waiting[n++] = (uint16_t)(at + 1);
	}
}

static bool step(struct run *r, const struct states *from, struct states *to)
{
	bool any = false;

	memset(to, 0, sizeof *to);
	memset(r->known, 0, sizeof r->known);
	memset(r->holds, 0, sizeof r->holds);
	for (unsigned i = 0; i < WORDS; i++)
		for (uint64_t left = from->bits[i]; left != 0; left &= left - 1) {
			const unsigned at = i * 64 + (unsigned)__builtin_ctzll(left);

			r->steps++;
			if (at == r->m->n_states || r->m->states[at].kind != MATCH_SET ||
			    !holds(r, r->m->states[at].set))
				continue;
			reach(r, to, at + 1);
			any = true;
		}
	return any;
}

static bool has_ended(const struct run *r, const struct states *s)
{
	return (s->bits[r->m->n_states / 64] >> r->m->n_states % 64 & 1) != 0;
}

static bool run(struct run *r, const char *text, size_t n)
{
	struct states sets[2] = { { { 0 } } };
	unsigned now = 0;

	reach(r, &sets[now], 0);
	for (size_t at = 0; at < n; now = 1 - now) {
		const size_t bytes = text_decode(text + at, n - at, &r->c);

		if (bytes == 0 || !step(r, &sets[now], &sets[1 - now]))
			return false;
		at += bytes;
	}
	return has_ended(r, &sets[now]);
}

/* A part may begin before each character. */
bool match_is_in(const struct match *m, const char *text, size_t n)
{
	struct run r = { .m = m };
	struct states sets[2] = { { { 0 } } };
	unsigned now = 0;

	reach(&r, &sets[now], 0);
	for (size_t at = 0; at < n && !has_ended(&r, &sets[now]); now = 1 - now) {
		const size_t bytes = text_decode(text + at, n - at, &r.c);

		if (bytes == 0)
			return false;
		(void)step(&r, &sets[now], &sets[1 - now]);
		reach(&r, &sets[1 - now], 0);
		at += bytes;
	}
	return has_ended(&r, &sets[now]);
}

bool match_counted(const struct match *m, const char *text, size_t n, uint64_t *ret_steps)
{
	struct run r = { .m = m };
	const bool is = run(&r, text, n);

	*ret_steps = r.steps;
	return is;
}

bool match_is(const struct match *m, const char *text, size_t n)
{
	uint64_t steps;

	return match_counted(m, text, n, &steps);
}
