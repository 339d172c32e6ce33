#include "profile/novelty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { ROW_ITEM = 16, ROW_PLACE, ROW_SCOPE, ROW_PUPIL, ROW_STEP, ROW_CONTEXT };

struct novelty {
	uint8_t key[CALL_KEY_SIZE];
	uint32_t size, used; /* size: a power of two */
	bool full;
	struct novelty_row *rows; /* owned */
};

/* What is known of kinds before anything is: the share of runs with something new at a place of that kind, and how many runs that counts as. Orders of magnitude: an
 * address is new rarely, and takes many runs to be believed otherwise; a title or a time is new as often as not. */
#define NOVELTY_WEIGHT 10.0
#define NOVELTY_WEIGHT_ADDRESS 30.0
/* clang-format off */
static const struct {
	double share, weight;
} KINDS[ITEM_KINDS] = {
	[ITEM_TOOL] = { 0.02, NOVELTY_WEIGHT },
	[ITEM_TOOL_UNSURE] = { 0.1, NOVELTY_WEIGHT },
	[ITEM_ADDRESS] = { 0.03, NOVELTY_WEIGHT_ADDRESS },
	[ITEM_INSIDE] = { 0.05, NOVELTY_WEIGHT_ADDRESS },
	[ITEM_FETCH] = { 0.03, NOVELTY_WEIGHT_ADDRESS },
	[ITEM_SITE] = { 0.03, NOVELTY_WEIGHT_ADDRESS },
	[ITEM_NAME] = { 0.1, NOVELTY_WEIGHT },
	[ITEM_WORDS] = { 0.2, NOVELTY_WEIGHT },
	[ITEM_TITLE] = { 0.4, NOVELTY_WEIGHT },
	[ITEM_NUMBER] = { 0.2, NOVELTY_WEIGHT },
	[ITEM_TIME] = { 0.3, NOVELTY_WEIGHT },
	[ITEM_SWITCH] = { 0.3, NOVELTY_WEIGHT },
	[ITEM_MORE] = { 0.02, NOVELTY_WEIGHT },
};
/* clang-format on */

int novelty_create(const uint8_t key[CALL_KEY_SIZE], uint32_t rows, struct novelty **ret, struct err *e)
{
	struct novelty *n = calloc(1, sizeof *n);

	if (n == NULL || rows < 16 || rows > NOVELTY_ROWS_MAX || (rows & (rows - 1)) != 0) {
		free(n);
		return err_set(e, n == NULL ? AMBIT_MEMORY : AMBIT_INTERNAL, NULL, "a profile of %u rows", rows);
	}
	memcpy(n->key, key, CALL_KEY_SIZE);
	n->size = rows;
	n->rows = calloc(rows, sizeof *n->rows);
	if (n->rows == NULL) {
		free(n);
		return err_set(e, AMBIT_MEMORY, NULL, "a profile of %u rows", rows);
	}
	*ret = n;
	return 0;
}

void novelty_destroy(struct novelty *n)
{
	if (n != NULL)
		free(n->rows);
	free(n);
}

void novelty_forget(struct novelty *n)
{
	memset(n->rows, 0, n->size * sizeof *n->rows);
	n->used = 0;
	n->full = false;
}

bool novelty_is_full(const struct novelty *n)
{
	return n->full;
}

static struct novelty_row *find(const struct novelty *n, unsigned sort, uint64_t scope, uint64_t what,
				uint64_t *ret_tag)
{
	const uint64_t hash = call_hash(n->key, sort, scope, what, NULL, 0), tag = hash != 0 ? hash : 1;

	*ret_tag = tag;
	for (uint32_t i = (uint32_t)tag;; i++) {
		struct novelty_row *r = &n->rows[i & (n->size - 1)];

		if (r->tag == tag || r->tag == 0)
			return r; /* some are always free */
	}
}

static const struct novelty_row *seen(const struct novelty *n, unsigned sort, uint64_t scope, uint64_t what)
{
	uint64_t tag;
	const struct novelty_row *r = find(n, sort, scope, what, &tag);

	return r->tag != 0 ? r : NULL;
}

/* NULL: there is no room for another. */
static struct novelty_row *kept(struct novelty *n, unsigned sort, uint64_t scope, uint64_t what)
{
	uint64_t tag;
	struct novelty_row *r = find(n, sort, scope, what, &tag);

	if (r->tag != 0)
		return r;
	if (n->used >= n->size / 4 * 3) {
		n->full = true;
		return NULL;
	}
	n->used++;
	r->tag = tag;
	return r;
}

static unsigned support_of(const struct novelty_row *r)
{
	unsigned n = 0;

	while (r != NULL && n < NOVELTY_SUPPORT_MAX && r->principals[n] != 0)
		n++;
	return n;
}

static void support(struct novelty_row *r, uint64_t principal)
{
	const uint32_t p = (uint32_t)principal != 0 ? (uint32_t)principal : 1;

	for (unsigned i = 0; i < NOVELTY_SUPPORT_MAX; i++) {
		if (r->principals[i] == 0)
			r->principals[i] = p;
		if (r->principals[i] == p)
			return;
	}
}

/* The place of all tools that act is one: how often there is a new one. Those that may not act have another. */
static uint64_t place_of(const struct mark *m)
{
	return m->kind <= ITEM_TOOL_UNSURE ? m->kind : m->place;
}

static bool is_tools(uint64_t place)
{
	return place <= ITEM_TOOL_UNSURE;
}

static bool is_known(const struct novelty *n, uint64_t scope, unsigned wanted, const struct mark *m)
{
	return support_of(seen(n, ROW_ITEM, scope, m->item)) >= wanted;
}

/* Each place of the run counts once in each scope; whether something was new there is what the narrowest says. */
static void learn_place(struct novelty *n, const struct scopes *s, const struct doings *d, size_t at)
{
	const uint64_t place = place_of(&d->marks[at]);
	bool fresh = false;

	for (size_t i = 0; i < d->n_marks; i++) {
		if (place_of(&d->marks[i]) != place)
			continue;
		if (i < at)
			return; /* it has been counted */
		fresh = fresh ||
			((d->marks[i].from & ITEM_OF_PROMPT) == 0 && !is_known(n, s->hash[0], 1, &d->marks[i]));
	}
	if (!is_tools(place) && seen(n, ROW_PLACE, s->hash[0], place) == NULL) {
		(void)kept(n, ROW_PLACE, s->hash[0], place); /* from now on it is known; full: it stays unknown */
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct novelty_row *r = kept(n, ROW_PLACE, s->hash[i], place);

		if (r != NULL) {
			r->n++;
			r->fresh += fresh;
		}
	}
}

static void learn_item(struct novelty *n, uint64_t scope, uint64_t principal, uint32_t when, const struct mark *m)
{
	struct novelty_row *r = kept(n, ROW_ITEM, scope, m->item);

	if (r == NULL)
		return;
	r->first = r->n == 0 ? when : r->first;
	r->last = when;
	r->n++;
	support(r, principal);
}

/* A run without such a tool is one without a new one. */
static void learn_tools(struct novelty *n, const struct scopes *s, const struct doings *d, unsigned kind)
{
	for (size_t i = 0; i < d->n_marks; i++)
		if (d->marks[i].kind == kind)
			return;
	for (size_t i = 0; i < s->n; i++) {
		struct novelty_row *r = kept(n, ROW_PLACE, s->hash[i], kind);

		if (r != NULL)
			r->n++;
	}
}

int novelty_learn(struct novelty *n, const struct scopes *s, uint64_t principal, uint32_t when, const struct doings *d)
{
	const struct doings some = { .marks = d->marks,
				     .n_marks = d->n_marks < NOVELTY_MARKS_MAX ? d->n_marks : NOVELTY_MARKS_MAX };
	struct novelty_row *pupil = kept(n, ROW_PUPIL, s->hash[0], principal), *scope;
	const bool first = novelty_runs(n, s) == 0;

	if (pupil == NULL || pupil->n >= NOVELTY_LESSONS_MAX)
		return -AMBIT_LIMIT;
	pupil->n++;
	if (!first) {
		learn_tools(n, s, &some, ITEM_TOOL);
		learn_tools(n, s, &some, ITEM_TOOL_UNSURE);
		for (size_t i = 0; i < some.n_marks; i++)
			learn_place(n, s, &some, i);
	}
	for (size_t i = 0; i < some.n_marks; i++) {
		if (first && !is_tools(place_of(&some.marks[i])))
			(void)kept(n, ROW_PLACE, s->hash[0], place_of(&some.marks[i]));
		for (size_t k = 0; k < s->n; k++)
			learn_item(n, s->hash[k], k == 0 ? principal : s->hash[0], when, &some.marks[i]);
	}
	for (size_t k = 0; k < s->n; k++) {
		scope = kept(n, ROW_SCOPE, s->hash[k], 0);
		if (scope != NULL)
			scope->n++;
	}
	return 0;
}

uint32_t novelty_runs(const struct novelty *n, const struct scopes *s)
{
	const struct novelty_row *r = seen(n, ROW_SCOPE, s->hash[0], 0);

	return r != NULL ? r->n : 0;
}

static double share_of(const struct novelty *n, const struct scopes *s, const struct mark *m, struct surprise *ret)
{
	const double weight = KINDS[m->kind].weight;
	double share = KINDS[m->kind].share;

	for (size_t i = s->n; i-- > 0;) {
		const struct novelty_row *r = seen(n, ROW_PLACE, s->hash[i], place_of(m));

		ret->seen = r != NULL ? r->n : 0;
		ret->fresh = r != NULL ? r->fresh : 0;
		share = (ret->fresh + weight * share) / (ret->seen + weight);
	}
	return share;
}

struct surprise novelty_surprise(const struct novelty *n, const struct scopes *s, unsigned wanted, const struct mark *m)
{
	struct surprise ret = { .runs = novelty_runs(n, s) };

	if (is_known(n, s->hash[0], wanted, m))
		return ret;
	ret.is_new = true;
	for (size_t i = 1; i < s->n && !ret.known_wider; i++)
		ret.known_wider = is_known(n, s->hash[i], NOVELTY_WIDER_MIN, m);
	ret.bits = -log2(share_of(n, s, m, &ret));
	return ret;
}

void novelty_step(struct novelty *n, uint64_t scope, uint64_t before, uint64_t step)
{
	const uint64_t context = call_hash(n->key, ROW_CONTEXT, scope, before, NULL, 0);
	struct novelty_row *all = kept(n, ROW_CONTEXT, scope, before), *one = kept(n, ROW_STEP, context, step);

	if (all == NULL || one == NULL)
		return;
	all->n++;
	all->fresh += one->n == 0;
	one->n++;
}

struct follow novelty_follow(const struct novelty *n, uint64_t scope, uint64_t before, uint64_t step)
{
	const uint64_t context = call_hash(n->key, ROW_CONTEXT, scope, before, NULL, 0);
	const struct novelty_row *all = seen(n, ROW_CONTEXT, scope, before), *one = seen(n, ROW_STEP, context, step);

	return (struct follow){ .times = one != NULL ? one->n : 0,
				.all = all != NULL ? all->n : 0,
				.different = all != NULL ? all->fresh : 0 };
}

bool novelty_next(const struct novelty *n, uint32_t *at, struct novelty_row *ret)
{
	while (*at < n->size && n->rows[*at].tag == 0)
		++*at;
	if (*at >= n->size)
		return false;
	*ret = n->rows[(*at)++];
	return true;
}

int novelty_add(struct novelty *n, const struct novelty_row *row)
{
	uint32_t i = (uint32_t)row->tag;

	if (row->tag == 0)
		return -AMBIT_MALFORMED;
	if (n->used >= n->size / 4 * 3)
		return -AMBIT_LIMIT;
	while (n->rows[i & (n->size - 1)].tag != 0 && n->rows[i & (n->size - 1)].tag != row->tag)
		i++;
	if (n->rows[i & (n->size - 1)].tag != 0)
		return -AMBIT_CONFLICT;
	n->rows[i & (n->size - 1)] = *row;
	n->used++;
	return 0;
}
