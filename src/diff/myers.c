#include "diff/myers.h"

#include <stdlib.h>

#include "ambit/codes.h"

/* E. Myers, "An O(ND) difference algorithm and its variations" (Algorithmica 1, 1986), section 4b: the way from the upper left to the
 * lower right of a grid, a step right for a line that goes, down for one that comes, diagonally for one that both have. It is sought from
 * both ends at once; where they meet the grid falls into two. What differs here: neither search leaves the grid, and one that
 * becomes too long is cut where it came farthest. */

#define NEVER INT32_MIN /* a diagonal that was not reached, forward */
#define REACH_MAX 4096

/* A side without the lines that the other has nowhere: no way can keep those. */
struct rest {
	uint32_t n;
	uint32_t *number; /* owned */
	uint32_t *line;   /* owned: which of the side's */
	uint8_t *changed; /* of the side; borrowed */
};

struct grid {
	uint32_t left, right, top, bottom; /* lines left..right-1 of the old side, top..bottom-1 of the new one */
};

struct search {
	struct rest old, new;
	uint64_t *work;
	int32_t reach;               /* most steps of one search */
	int32_t *ways[2];            /* owned; for each diagonal the column reached, forward and backward */
	int32_t *forward, *backward; /* into them: the middle diagonals */
};

static void search_finish(struct search *s)
{
	free(s->old.number);
	free(s->old.line);
	free(s->new.number);
	free(s->new.line);
	free(s->ways[0]);
	free(s->ways[1]);
}

static int rest_make(struct rest *r, const struct lines_side *side, const uint32_t *in_other)
{
	r->number = calloc((size_t)side->n + 1, sizeof *r->number);
	r->line = calloc((size_t)side->n + 1, sizeof *r->line);
	r->changed = side->changed;
	if (r->number == NULL || r->line == NULL)
		return -AMBIT_MEMORY;
	for (uint32_t i = 0; i < side->n; i++) {
		if (in_other[side->number[i]] == 0) {
			side->changed[i] = 1;
			continue;
		}
		r->number[r->n] = side->number[i];
		r->line[r->n++] = i;
	}
	return 0;
}

static int32_t reach_of(const struct search *s)
{
	const uint64_t both = (uint64_t)s->old.n + s->new.n;
	int32_t root = MYERS_EXACT;

	while (root < REACH_MAX && (uint64_t)root * (uint64_t)root < both)
		root++;
	return root;
}

static int search_init(struct search *s, const struct lines *l, uint64_t *work)
{
	size_t diagonals;

	s->work = work;
	if (rest_make(&s->old, &l->side[0], l->count[1]) < 0 || rest_make(&s->new, &l->side[1], l->count[0]) < 0)
		return -AMBIT_MEMORY;
	s->reach = reach_of(s);
	diagonals = 2 * (size_t)s->reach + 3;
	for (size_t i = 0; i < 2; i++) {
		s->ways[i] = calloc(diagonals, sizeof *s->ways[i]);
		if (s->ways[i] == NULL)
			return -AMBIT_MEMORY;
	}
	s->forward = s->ways[0] + s->reach + 1;
	s->backward = s->ways[1] + s->reach + 1;
	return 0;
}

static void mark(struct rest *r, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		r->changed[r->line[i]] = 1;
}

/* A grid being searched: its corner in the lines, its size, and the diagonal of the lower right. */
struct hunt {
	struct search *s;
	const uint32_t *old, *new;
	int32_t width, height, delta;
	int32_t x, y; /* where it is to be cut */
};

/* One step more of the forward search on diagonal k; gives the column, or NEVER. */
static int32_t go_forward(const struct hunt *h, int32_t k, uint64_t *steps)
{
	const int32_t *way = h->s->forward;
	int32_t x = NEVER, y;

	if (way[k - 1] != NEVER && way[k - 1] < h->width)
		x = way[k - 1] + 1;
	if (way[k + 1] != NEVER && way[k + 1] > x && way[k + 1] - k <= h->height)
		x = way[k + 1];
	if (x == NEVER)
		return NEVER;
	for (y = x - k; x < h->width && y < h->height && h->old[x] == h->new[y]; x++, y++)
		(*steps)++;
	return x;
}

/* The same from the other end: columns get smaller, and diagonals are counted from delta. */
static int32_t go_backward(const struct hunt *h, int32_t k, uint64_t *steps)
{
	const int32_t *way = h->s->backward;
	int32_t x = INT32_MAX, y;

	if (way[k + 1] != INT32_MAX && way[k + 1] > 0)
		x = way[k + 1] - 1;
	if (way[k - 1] != INT32_MAX && way[k - 1] < x && way[k - 1] >= k + h->delta)
		x = way[k - 1];
	if (x == INT32_MAX)
		return INT32_MAX;
	for (y = x - k - h->delta; x > 0 && y > 0 && h->old[x - 1] == h->new[y - 1]; x--, y--)
		(*steps)++;
	return x;
}

static bool is_on(int32_t k, int32_t d)
{
	return k >= -d && k <= d;
}

/* All diagonals that d steps forward reach; true if one meets the search from the other end, which made d - 1. */
static bool forward_meets(struct hunt *h, int32_t d, uint64_t *steps)
{
	int32_t *way = h->s->forward;
	const int32_t *other = h->s->backward;

	way[d + 1] = way[-d - 1] = NEVER;
	for (int32_t k = -d; k <= d; k += 2) {
		way[k] = go_forward(h, k, steps);
		if ((h->delta & 1) == 0 || !is_on(k - h->delta, d - 1) || way[k] == NEVER)
			continue;
		if (other[k - h->delta] <= way[k]) {
			h->x = way[k];
			h->y = way[k] - k;
			return true;
		}
	}
	return false;
}

static bool backward_meets(struct hunt *h, int32_t d, uint64_t *steps)
{
	int32_t *way = h->s->backward;
	const int32_t *other = h->s->forward;

	way[d + 1] = way[-d - 1] = INT32_MAX;
	for (int32_t k = -d; k <= d; k += 2) {
		way[k] = go_backward(h, k, steps);
		if ((h->delta & 1) != 0 || !is_on(k + h->delta, d) || way[k] == INT32_MAX)
			continue;
		if (other[k + h->delta] != NEVER && other[k + h->delta] >= way[k]) {
			h->x = way[k];
			h->y = way[k] - k - h->delta;
			return true;
		}
	}
	return false;
}

/* Where either search came farthest after d steps. */
static bool cut_short(struct hunt *h, int32_t d)
{
	int64_t best = -1;

	for (int32_t k = -d; k <= d; k += 2) {
		const int32_t f = h->s->forward[k], b = h->s->backward[k];
		const int32_t b_y = b == INT32_MAX ? 0 : b - k - h->delta;

		if (f != NEVER && 2 * (int64_t)f - k > best) {
			best = 2 * (int64_t)f - k;
			h->x = f;
			h->y = f - k;
		}
		if (b != INT32_MAX && (int64_t)h->width - b + h->height - b_y > best) {
			best = (int64_t)h->width - b + h->height - b_y;
			h->x = b;
			h->y = b_y;
		}
	}
	return best > 0;
}

/* Finds where to cut, inside the grid or on its edge but at neither end; false if the work went out. */
static bool hunt_cut(struct hunt *h)
{
	struct search *s = h->s;

	s->forward[1] = 0; /* the step onto diagonal 0 comes from here */
	s->forward[-1] = NEVER;
	s->backward[-1] = h->width;
	s->backward[1] = INT32_MAX;
	for (int32_t d = 0; d <= s->reach; d++) {
		uint64_t steps = 2 * (uint64_t)d + 2;
		bool met;

		if (d > 0) {
			met = forward_meets(h, d, &steps) || backward_meets(h, d, &steps);
		} else {
			s->forward[0] = go_forward(h, 0, &steps);
			s->backward[0] = go_backward(h, 0, &steps);
			met = false; /* both ends of a grid differ, so it takes two steps at least */
		}
		if (!work_spend(s->work, steps))
			return false;
		if (met)
			return true;
	}
	return cut_short(h, s->reach);
}

static void trim(const struct search *s, struct grid *g)
{
	while (g->left < g->right && g->top < g->bottom && s->old.number[g->left] == s->new.number[g->top]) {
		g->left++;
		g->top++;
	}
	while (g->left < g->right && g->top < g->bottom &&
	       s->old.number[g->right - 1] == s->new.number[g->bottom - 1]) {
		g->right--;
		g->bottom--;
	}
}

static bool cut_grid(struct search *s, const struct grid *g, struct grid *ret_first, struct grid *ret_second)
{
	struct hunt h = {
		.s = s,
		.old = s->old.number + g->left,
		.new = s->new.number + g->top,
		.width = (int32_t)(g->right - g->left), /* a file has at most 2^26 lines */
		.height = (int32_t)(g->bottom - g->top),
	};

	h.delta = h.width - h.height;
	if (!hunt_cut(&h))
		return false;
	*ret_first = (struct grid){ g->left, g->left + (uint32_t)h.x, g->top, g->top + (uint32_t)h.y };
	*ret_second = (struct grid){ ret_first->right, g->right, ret_first->bottom, g->bottom };
	return true;
}

static uint32_t size_of(const struct grid *g)
{
	return g->right - g->left + (g->bottom - g->top);
}

/* Into the smaller half by a call, with the larger one again: the depth is the logarithm of the length. */
static void compare(struct search *s, struct grid g)
{
	for (;;) {
		struct grid first, second;

		trim(s, &g);
		if (g.left == g.right || g.top == g.bottom || *s->work == 0 || !cut_grid(s, &g, &first, &second)) {
			mark(&s->old, g.left, g.right);
			mark(&s->new, g.top, g.bottom);
			return;
		}
		if (size_of(&first) < size_of(&second)) {
			compare(s, first);
			g = second;
		} else {
			compare(s, second);
			g = first;
		}
	}
}

int myers_mark(struct lines *l, uint64_t *work)
{
	__attribute__((cleanup(search_finish))) struct search s = { .reach = 0 };
	const int rc = search_init(&s, l, work);

	if (rc < 0)
		return rc;
	compare(&s, (struct grid){ 0, s.old.n, 0, s.new.n });
	return *work == 0;
}
