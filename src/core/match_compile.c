#include "core/match.h"

#include <string.h>

#include "base/text.h"

#define CLASSES "dwsDWS" /* in the order of struct match_set */
#define PUNCTUATION "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

/* ---- reading: one token after the other, each turned into states as it is read ---- */

struct group {
	uint16_t begin;    /* its first state */
	uint16_t jump;     /* behind the branch before this one, to where the group ends; 0: there is none */
	uint8_t opened_at; /* the byte */
};

struct compiler {
	const char *text;
	size_t n, at;
	struct match m;
	struct err *e;
	enum { NOTHING, ATOM, REPEATED } last; /* what stands before, in this branch */
	uint16_t atom;                         /* its first state */
	uint16_t depth;
	struct group groups[MATCH_TEXT_MAX + 1]; /* the first is all of it */
};

static int wrong_at(const struct compiler *c, size_t at, const char *why, const char *hint)
{
	return err_set(c->e, AMBIT_MALFORMED, hint, "match: byte %zu of the expression %s", at, why);
}

static int wrong(const struct compiler *c, const char *why, const char *hint)
{
	return wrong_at(c, c->at, why, hint);
}

static int too_many(const struct compiler *c, size_t at)
{
	return err_set(c->e, AMBIT_LIMIT, "repeat less, and shorter things, or write a length beside it",
		       "match: byte %zu of the expression: it has more than %d states, with what is repeated", at,
		       MATCH_STATES_MAX);
}

static bool is_at(const struct compiler *c, size_t at, char what)
{
	return at < c->n && c->text[at] == what;
}

/* There is room. */
static void add_state(struct compiler *c, enum match_kind kind, uint8_t set, int to)
{
	c->m.states[c->m.n_states++] = (struct match_state){
		.kind = (uint8_t)kind, .set = set, .to = (int16_t)to /* within MATCH_STATES_MAX, either way */
	};
}

/* Sets and ranges have a byte each, of which there are no more than there is room. */
static struct match_set *add_set(struct compiler *c)
{
	struct match_set *s = &c->m.sets[c->m.n_sets++];

	*s = (struct match_set){ .first = c->m.n_ranges };
	return s;
}

static void add_range(struct compiler *c, struct match_set *s, uint32_t from, uint32_t to)
{
	c->m.ranges[c->m.n_ranges++] = (struct match_range){ from, to };
	s->n++;
}

static int read_character(struct compiler *c, uint32_t *ret)
{
	const size_t n = text_decode(c->text + c->at, c->n - c->at, ret);

	if (n == 0 || *ret == 0)
		return wrong(c, "is no character of UTF-8", "write it as UTF-8, without a NUL");
	c->at += n;
	return 0;
}

/* Behind the \: a class that s has then, or *ret a character. *ret is 0 for a class. */
static int read_escape(struct compiler *c, struct match_set *s, uint32_t *ret)
{
	const char what = c->at + 1 < c->n ? c->text[c->at + 1] : 0;
	const char *class = what != 0 ? strchr(CLASSES, what) : NULL;

	if (class == NULL && (what == 0 || strchr(PUNCTUATION, what) == NULL))
		return wrong(
			c, "begins an escape that there is not",
			"there are \\d \\w \\s \\D \\W \\S, and a \\ before punctuation; in JSON and within \"\" of YAML each \\ is written \\\\");
	if (class != NULL)
		s->classes |= (uint8_t)(1u << (class - CLASSES));
	*ret = class != NULL ? 0 : (uint32_t)what;
	c->at += 2;
	return 0;
}

/* One of a class, or one end of a range: *ret 0: it was \d or the like. */
static int read_one(struct compiler *c, struct match_set *s, uint32_t *ret)
{
	if (is_at(c, c->at, '\\'))
		return read_escape(c, s, ret);
	if (is_at(c, c->at, '['))
		return wrong(c, "is a [ within [ ]", "write \\[ for one; there is no [:alpha:] or the like");
	return read_character(c, ret);
}

static bool is_range(const struct compiler *c)
{
	return is_at(c, c->at, '-') && c->at + 1 < c->n && c->text[c->at + 1] != ']';
}

static int read_item(struct compiler *c, struct match_set *s, bool is_first)
{
	static const char hint[] = "write \\- for one, or put it first or last";
	uint32_t from = 0, to;
	const size_t begun = c->at;
	int rc;

	if (is_at(c, c->at, '-')) {
		if (!is_first && !is_at(c, c->at + 1, ']'))
			return wrong(c, "is a - that makes no range", hint);
		c->at++;
		add_range(c, s, '-', '-');
		return 0;
	}
	rc = read_one(c, s, &from);
	if (rc < 0 || from == 0)
		return rc;
	to = from;
	if (is_range(c)) {
		c->at++;
		if (is_at(c, c->at, '-'))
			return wrong(c, "is a - that makes no range", hint);
		rc = read_one(c, s, &to);
		if (rc < 0)
			return rc;
		if (to < from) /* also where it is a class */
			return wrong_at(c, begun, "begins a range that ends before it begins",
					"write the lower one first, and characters on both sides");
	}
	add_range(c, s, from, to);
	return 0;
}

/* Behind the [ */
static int read_class(struct compiler *c, size_t begun)
{
	struct match_set *s = add_set(c);
	int rc = 0;

	if (is_at(c, c->at, '^')) {
		s->is_not = true;
		c->at++;
	}
	if (is_at(c, c->at, ']'))
		return wrong(c, "is a ] with nothing before it", "write \\] for one, and something within [ ]");
	for (bool is_first = true; rc == 0 && c->at < c->n && c->text[c->at] != ']'; is_first = false)
		rc = read_item(c, s, is_first);
	if (rc == 0 && c->at == c->n)
		return wrong_at(c, begun, "begins what no ] ends", "write the ], or \\[ for a bracket");
	c->at++;
	return rc;
}

static int read_set(struct compiler *c)
{
	const size_t begun = c->at;
	struct match_set *s;
	uint32_t one = 0;
	int rc;

	if (is_at(c, begun, '[')) {
		c->at++;
		return read_class(c, begun);
	}
	s = add_set(c);
	if (is_at(c, begun, '\\')) {
		rc = read_escape(c, s, &one);
	} else {
		rc = read_character(c, &one);
		if (rc == 0 && one == '.') {
			s->is_not = true;
			one = '\n';
		}
	}
	if (rc == 0 && one != 0)
		add_range(c, s, one, one);
	return rc;
}

static int read_atom(struct compiler *c)
{
	const size_t begun = c->at;
	const int rc = read_set(c);

	if (rc < 0)
		return rc;
	if (c->m.n_states == MATCH_STATES_MAX)
		return too_many(c, begun);
	c->last = ATOM;
	c->atom = c->m.n_states;
	add_state(c, MATCH_SET, (uint8_t)(c->m.n_sets - 1), 0);
	return 0;
}

/* ---- what is repeated ---- */

#define EVER UINT32_MAX

static bool take_number(struct compiler *c, uint32_t *ret)
{
	const size_t begun = c->at;

	*ret = 0;
	for (; c->at < c->n && c->text[c->at] >= '0' && c->text[c->at] <= '9' && *ret <= MATCH_REPEAT_MAX; c->at++)
		*ret = *ret * 10 + (uint32_t)(c->text[c->at] - '0');
	return c->at > begun && (c->text[begun] != '0' || c->at == begun + 1) && *ret <= MATCH_REPEAT_MAX;
}

/* {n}, {n,}, {n,m} */
static bool take_braces(struct compiler *c, uint32_t *ret_min, uint32_t *ret_max)
{
	c->at++;
	if (!take_number(c, ret_min))
		return false;
	*ret_max = *ret_min;
	if (is_at(c, c->at, ',')) {
		c->at++;
		*ret_max = EVER;
		if (!is_at(c, c->at, '}') && (!take_number(c, ret_max) || *ret_max < *ret_min))
			return false;
	}
	return is_at(c, c->at++, '}');
}

static size_t states_repeated(size_t n, uint32_t min, uint32_t max)
{
	if (max == EVER)
		return min == 0 ? n + 2 : min * n + 1;
	return min * n + (max - min) * (n + 1);
}

static void add_states(struct compiler *c, const struct match_state *states, size_t n)
{
	memcpy(c->m.states + c->m.n_states, states, n * sizeof states[0]);
	c->m.n_states = (uint16_t)(c->m.n_states + n);
}

/* States lead to others by how far these are, so they can be copied. */
static void repeat(struct compiler *c, uint32_t min, uint32_t max)
{
	struct match_state piece[MATCH_STATES_MAX];
	const int n = c->m.n_states - c->atom;

	memcpy(piece, c->m.states + c->atom, (size_t)n * sizeof piece[0]);
	c->m.n_states = c->atom;
	if (max == EVER && min == 0)
		add_state(c, MATCH_FORK, 0, n + 2);
	for (uint32_t i = 0; i < min || (i == 0 && max == EVER); i++)
		add_states(c, piece, (size_t)n);
	if (max == EVER)
		add_state(c, min == 0 ? MATCH_JUMP : MATCH_FORK, 0, min == 0 ? -n - 1 : -n);
	for (uint32_t i = min; i < max && max != EVER; i++) {
		add_state(c, MATCH_FORK, 0, n + 1);
		add_states(c, piece, (size_t)n);
	}
}

static int read_repeat(struct compiler *c)
{
	static const char once[] = "is a * + ? or { with nothing before it, or another one";
	const size_t begun = c->at;
	const char what = c->text[begun];
	uint32_t min = what == '+', max = what == '?' ? 1 : EVER;
	size_t n;

	if (c->last != ATOM)
		return wrong(c, once,
			     "write \\* \\+ \\? or \\{ for the character; none is lazy, and groups have no (?");
	if (what != '{')
		c->at++;
	else if (!take_braces(c, &min, &max))
		return wrong_at(c, begun, "begins no {n}, {n,} or {n,m}",
				"write \\{ for a brace; n is no more than m, and both at most 255");
	c->last = REPEATED;
	n = (size_t)(c->m.n_states - c->atom);
	if (n == 0)
		return 0; /* nothing, any number of times */
	if (c->atom + states_repeated(n, min, max) > MATCH_STATES_MAX)
		return too_many(c, begun);
	repeat(c, min, max);
	return 0;
}

/* ---- branches and groups ---- */

static int end_branch(struct compiler *c)
{
	struct group *g = &c->groups[c->depth];

	if (c->last == NOTHING)
		return wrong(c, "ends a branch with nothing in it",
			     "write (x)? for one that may be missing, and \\| \\( or \\) for the character");
	if (g->jump != 0)
		c->m.states[g->jump].to = (int16_t)(c->m.n_states - g->jump);
	g->jump = 0;
	return 0;
}

/* Before all that the group has there is a fork to what comes now, and behind it a jump over that. */
static int begin_branch(struct compiler *c)
{
	struct group *g = &c->groups[c->depth];
	const size_t n = (size_t)(c->m.n_states - g->begin);
	int rc = end_branch(c);

	if (rc < 0)
		return rc;
	if (c->m.n_states + 2 > MATCH_STATES_MAX)
		return too_many(c, c->at);
	memmove(c->m.states + g->begin + 1, c->m.states + g->begin, n * sizeof c->m.states[0]);
	c->m.states[g->begin] = (struct match_state){ .kind = MATCH_FORK, .to = (int16_t)(n + 2) };
	c->m.n_states++;
	g->jump = c->m.n_states;
	add_state(c, MATCH_JUMP, 0, 0);
	c->last = NOTHING;
	c->at++;
	return 0;
}

static int begin_group(struct compiler *c)
{
	c->groups[++c->depth] = (struct group){ .begin = c->m.n_states, .opened_at = (uint8_t)c->at };
	c->last = NOTHING;
	c->at++;
	return 0;
}

static int end_group(struct compiler *c)
{
	int rc;

	if (c->depth == 0)
		return wrong(c, "is a ) without its (", "write \\) for the character");
	rc = end_branch(c);
	c->atom = c->groups[c->depth--].begin;
	c->last = ATOM;
	c->at++;
	return rc;
}

static int read_next(struct compiler *c)
{
	switch (c->text[c->at]) {
	case '|': return begin_branch(c);
	case '(': return begin_group(c);
	case ')': return end_group(c);
	case '*':
	case '+':
	case '?':
	case '{': return read_repeat(c);
	case '^':
	case '$':
		return wrong(c, "is a ^ or $, which there is not",
			     "leave it out: all of the text has to match; write \\^ or \\$ for the character");
	case ']':
	case '}': return wrong(c, "is a ] or } that ends nothing", "write \\] or \\} for the character");
	default: return read_atom(c);
	}
}

int match_compile(const char *text, size_t n, struct match *ret, struct err *e)
{
	struct compiler c = { .text = text, .n = n, .e = e };
	int rc = 0;

	if (n > MATCH_TEXT_MAX)
		return err_set(e, AMBIT_LIMIT, "write it shorter, or several grants of the tool",
			       "match: the expression has more than %d bytes", MATCH_TEXT_MAX);
	while (rc == 0 && c.at < n)
		rc = read_next(&c);
	if (rc == 0 && c.depth > 0)
		return wrong_at(&c, c.groups[c.depth].opened_at, "begins what no ) ends",
				"write the ), or \\( for the character");
	if (rc == 0)
		rc = end_branch(&c);
	if (rc == 0)
		*ret = c.m;
	return rc;
}
