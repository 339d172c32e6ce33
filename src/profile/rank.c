#include "profile/rank.h"

#include <stdlib.h>

bool rank_add(struct rank *r, double score, bool is_attack)
{
	if (r->n == r->room) {
		const size_t room = r->room == 0 ? 1024 : 2 * r->room;
		struct rank_score *more = realloc(r->scores, room * sizeof *more);

		if (more == NULL)
			return false;
		r->scores = more;
		r->room = room;
	}
	r->scores[r->n++] = (struct rank_score){ .score = score, .is_attack = is_attack };
	r->attacks += is_attack;
	return true;
}

static int higher_first(const void *a, const void *b)
{
	const struct rank_score *x = a, *y = b;

	return x->score < y->score ? 1 : x->score > y->score ? -1 : 0;
}

void rank_sort(struct rank *r)
{
	if (r->n > 0)
		qsort(r->scores, r->n, sizeof *r->scores, higher_first);
}

void rank_finish(struct rank *r)
{
	free(r->scores);
	*r = (struct rank){ .n = 0 };
}

void rank_walk(const struct rank *r, void (*each)(void *arg, double x, double y), void *arg)
{
	const double attacks = (double)r->attacks, usual = (double)(r->n - r->attacks);
	size_t flagged = 0, alarms = 0;

	each(arg, 0, 0);
	for (size_t i = 0; i < r->n; i++) {
		flagged += r->scores[i].is_attack;
		alarms += !r->scores[i].is_attack;
		if (i + 1 < r->n && r->scores[i + 1].score >= r->scores[i].score)
			continue; /* no threshold tells them apart */
		each(arg, usual > 0 ? (double)alarms / usual : 0, attacks > 0 ? (double)flagged / attacks : 0);
	}
}

struct area {
	double x, y, sum;
};

static void add_area(void *arg, double x, double y)
{
	struct area *a = arg;

	a->sum += (x - a->x) * (y + a->y) / 2;
	a->x = x;
	a->y = y;
}

double rank_area(const struct rank *r)
{
	struct area a = { .sum = 0 };

	if (r->attacks == 0 || r->attacks == r->n)
		return -1;
	rank_walk(r, add_area, &a);
	return a.sum;
}

struct limit {
	double most, flagged;
};

static void add_limit(void *arg, double x, double y)
{
	struct limit *l = arg;

	if (x <= l->most)
		l->flagged = y;
}

double rank_at(const struct rank *r, double false_alarms)
{
	struct limit l = { .most = false_alarms };

	if (r->attacks == 0 || r->attacks == r->n)
		return -1;
	rank_walk(r, add_limit, &l);
	return l.flagged;
}
