#include "stage/selection.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "stage/pattern.h"

struct choosing {
	struct plan *p;
	const struct selection *s;
	enum conflict_policy policy;
	uint32_t accept;
	void (*told)(void *user, const struct change *c);
	void *user;
	struct choice *ret;
	char first[CHANGE_REASON_MAX];
	char first_path[256];
};

/* With a renamed file also its old name. */
static bool item_fits(const struct plan *p, const struct selection_item *item, const struct plan_entry *x)
{
	const struct plan_entry *from = x->kind != 0 && x->pair != PLAN_NONE ? &p->entries[x->pair] : NULL;

	return (item->tree < 0 || item->tree == x->tree) &&
	       (pattern_fits(item->pattern, x->path) || (from != NULL && pattern_fits(item->pattern, from->path)));
}

static bool any_fits(const struct plan *p, const struct selection_item *items, size_t n, const struct plan_entry *x)
{
	for (size_t i = 0; i < n; i++)
		if (item_fits(p, &items[i], x))
			return true;
	return false;
}

static bool is_wanted(const struct plan *p, const struct selection *s, const struct plan_entry *x)
{
	if (s == NULL)
		return true;
	return (s->n_take == 0 || any_fits(p, s->take, s->n_take, x)) && !any_fits(p, s->leave, s->n_leave, x);
}

static bool fits_a_change(const struct plan *p, const struct selection_item *item)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->entries[i].kind != 0 && item_fits(p, item, &p->entries[i]))
			return true;
	return false;
}

/* The first word of which no item fits a change; -1. */
static int64_t find_unmatched(const struct plan *p, const struct selection *s)
{
	uint32_t next = 0;

	if (s == NULL || s->word == NULL || s->n_take == 0)
		return -1;
	for (size_t i = 0; i < s->n_take && s->word[i] <= next; i++)
		if (s->word[i] == next && fits_a_change(p, &s->take[i]))
			next++;
	return next <= s->word[s->n_take - 1] ? (int64_t)next : -1;
}

/* The entry, and the old name that goes with it. */
static bool is_in_conflict(const struct plan *p, const struct plan_entry *x)
{
	return plan_held(p, x) != HELD_PROTECTED &&
	       (x->held == HELD_CONFLICT ||
		(x->kind != 0 && x->pair != PLAN_NONE && p->entries[x->pair].held == HELD_CONFLICT));
}

static bool blocks(const struct choosing *c, uint8_t held, uint8_t judged)
{
	if (held == HELD_CONFLICT && c->policy == CONFLICT_OURS)
		held = HELD_NOT;
	if (held == HELD_NOT)
		held = judged;
	return held != HELD_NOT &&
	       (c->accept & 1u << held & ~(1u << HELD_REFUSED | 1u << HELD_HIDDEN | 1u << HELD_CONFLICT)) == 0;
}

static bool is_blocked(const struct choosing *c, const struct plan_entry *x)
{
	const struct plan_entry *from = x->kind != 0 && x->pair != PLAN_NONE ? &c->p->entries[x->pair] : NULL;

	return blocks(c, x->held, x->judged) || (from != NULL && blocks(c, from->held, from->judged));
}

static void tell(struct choosing *c, struct plan_entry *x)
{
	const uint8_t kind = x->kind;
	struct change told = { .kind = 0 };

	if (c->ret->blocked++ > 0 && c->told == NULL)
		return;
	x->kind = kind != 0 ? kind : CHANGE_MODE; /* a quiet one, for once */
	plan_change(c->p, x, &told);
	x->kind = kind;
	if (c->ret->blocked == 1) {
		(void)text_escape(c->first_path, sizeof c->first_path, x->path, strlen(x->path));
		(void)text_copy(c->first, sizeof c->first, told.reason);
	}
	if (c->told != NULL)
		c->told(c->user, &told);
}

static void choose_listed(struct choosing *c, struct plan_entry *x)
{
	x->chosen = x->act == ACT_DROP || (x->kind != 0 && is_wanted(c->p, c->s, x));
	if (!x->chosen || x->act == ACT_DROP)
		return;
	if (is_in_conflict(c->p, x) && c->policy == CONFLICT_THEIRS) {
		x->chosen = false;
		c->ret->dropped++;
	} else if (is_blocked(c, x)) {
		tell(c, x);
	}
}

/* Directories that are new themselves go along with what is in them; what would have to stay without one stays too. */
static void choose_above(struct choosing *c, struct plan_entry *x)
{
	for (uint32_t up = x->parent; x->chosen && x->act != ACT_DROP && up != PLAN_NONE;
	     up = c->p->entries[up].parent) {
		struct plan_entry *dir = &c->p->entries[up];

		if (dir->act == ACT_NONE)
			return;
		if (dir->chosen)
			continue;
		if (is_in_conflict(c->p, dir) && c->policy == CONFLICT_THEIRS) {
			x->chosen = false;
			c->ret->dropped++;
		} else {
			dir->chosen = true;
			if (is_blocked(c, dir))
				tell(c, dir);
		}
	}
}

static int choose_links(struct choosing *c, struct err *e)
{
	char path[256];

	for (size_t i = 0; i < c->p->n; i++) { /* a quiet first name goes with the others */
		const struct plan_entry *x = &c->p->entries[i];
		struct plan_entry *first = x->link != PLAN_NONE ? &c->p->entries[x->link] : NULL;

		if (first == NULL || first->kind != 0 || !x->chosen || first->chosen)
			continue;
		first->chosen = true;
		if (is_blocked(c, first))
			tell(c, first);
	}
	for (size_t i = 0; i < c->p->n; i++) {
		const struct plan_entry *x = &c->p->entries[i];

		if (x->link == PLAN_NONE || c->p->entries[x->link].chosen == x->chosen)
			continue;
		(void)text_escape(path, sizeof path, x->path, strlen(x->path));
		return err_set(e, AMBIT_CONFLICT, "take or leave all names of the file together",
			       "'%s' is another name of a file that is %s", path, x->chosen ? "left" : "taken");
	}
	return 0;
}

static void count(struct choosing *c)
{
	for (size_t i = 0; i < c->p->n; i++) {
		struct plan_entry *x = &c->p->entries[i];

		if (x->kind == 0 && x->pair != PLAN_NONE)
			x->chosen = c->p->entries[x->pair].chosen;
		if (x->kind != 0 && x->chosen)
			c->ret->taken++;
		else if (x->kind != 0)
			c->ret->left++;
	}
	c->ret->partial = c->ret->left > 0;
	c->ret->left -= c->ret->dropped;
}

int selection_choose(struct plan *p, const struct selection *s, enum conflict_policy policy, uint32_t accept,
		     void (*told)(void *user, const struct change *c), void *user, struct choice *ret, struct err *e)
{
	struct choosing c = {
		.p = p, .s = s, .policy = policy, .accept = accept, .told = told, .user = user, .ret = ret
	};
	int r;

	*ret = (struct choice){ .unmatched = -1 };
	ret->unmatched = find_unmatched(p, s);
	if (ret->unmatched >= 0)
		return err_set(e, AMBIT_NOT_FOUND, "look at what there is (ambit diff --name-only)",
			       "path %lld fits no change", (long long)ret->unmatched + 1);
	for (size_t i = 0; i < p->n; i++)
		choose_listed(&c, &p->entries[i]);
	for (size_t i = 0; i < p->n; i++)
		choose_above(&c, &p->entries[i]);
	r = choose_links(&c, e);
	if (r < 0)
		return r;
	count(&c);
	if (ret->blocked == 0)
		return 0;
	r = err_set(e, AMBIT_CONFLICT,
		    "look at them (ambit diff), and leave them out or say what is to be done about them",
		    "%llu changes are held, '%s' the first of them", (unsigned long long)ret->blocked, c.first_path);
	return err_why(e, r, "%s", c.first);
}
