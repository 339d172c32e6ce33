#include "audit/align.h"

struct alignment {
	const struct hash *row, *leaf; /* borrowed */
	size_t n, n_leaves;
	size_t i, j; /* of row, of leaf */
	uint64_t first;
	align_fn *tell;
	void *arg;
	int told;
};

#define NOWHERE SIZE_MAX

static size_t find(const struct hash *in, size_t n, const struct hash *h)
{
	for (size_t i = 0; i < n; i++)
		if (hash_is(&in[i], h))
			return i;
	return NOWHERE;
}

static void tell(struct alignment *a, enum align_step step, size_t index, size_t other)
{
	a->told++;
	a->tell(a->arg, step, a->first + index, a->first + other);
}

static void missing(struct alignment *a)
{
	const size_t from = a->i;

	do
		a->i++;
	while (a->i < a->n && find(a->leaf, a->n_leaves, &a->row[a->i]) == NOWHERE &&
	       (a->j == a->n_leaves || !hash_is(&a->leaf[a->j], &a->row[a->i])));
	tell(a, ALIGN_MISSING, from, a->i - 1);
}

/* The two that stand at i and j differ. */
static void differ(struct alignment *a)
{
	const size_t belongs = find(a->row, a->n, &a->leaf[a->j]), lies = find(a->leaf, a->n_leaves, &a->row[a->i]);
	const bool later = lies != NOWHERE && lies > a->j;

	if (belongs != NOWHERE && belongs > a->i && lies == NOWHERE) {
		missing(a);
		return;
	}
	if (later && (belongs == NOWHERE || belongs < a->i)) {
		tell(a, belongs == NOWHERE ? ALIGN_ADDED : ALIGN_AGAIN, a->i, belongs == NOWHERE ? a->i : belongs);
		a->j++;
		return;
	}
	tell(a, belongs == NOWHERE ? ALIGN_CHANGED : ALIGN_MOVED, a->i, belongs == NOWHERE ? a->i : belongs);
	a->i++;
	a->j++;
}

static void more(struct alignment *a)
{
	const size_t belongs = find(a->row, a->n, &a->leaf[a->j]);

	tell(a, belongs == NOWHERE ? ALIGN_ADDED : ALIGN_AGAIN, a->n, belongs == NOWHERE ? a->n : belongs);
	a->j++;
}

static bool any_known(const struct alignment *a)
{
	for (size_t j = 0; j < a->n_leaves; j++)
		if (find(a->row, a->n, &a->leaf[j]) != NOWHERE)
			return true;
	return a->n_leaves == 0;
}

int align(const struct hash *row, size_t n, const struct hash *leaf, size_t n_leaves, uint64_t first, align_fn *step,
	  void *arg)
{
	struct alignment a = {
		.row = row, .leaf = leaf, .n = n, .n_leaves = n_leaves, .first = first, .tell = step, .arg = arg
	};

	if (!any_known(&a))
		return -1;
	while (a.i < n || a.j < n_leaves) {
		if (a.i == n)
			more(&a);
		else if (a.j == n_leaves)
			missing(&a);
		else if (hash_is(&leaf[a.j], &row[a.i]))
			a.i++, a.j++;
		else
			differ(&a);
	}
	return a.told;
}
