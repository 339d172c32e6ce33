#include "diff/script.h"

#include <stdlib.h>
#include <string.h>

#include "ambit/codes.h"
#include "diff/lines.h"
#include "diff/myers.h"
#include "diff/slide.h"

/* The next run of changed lines on both sides at once, from at on; false if there is none. */
static bool next_block(const struct lines *l, uint32_t at[2], struct block *ret)
{
	const struct lines_side *a = &l->side[0], *b = &l->side[1];

	while (at[0] < a->n && at[1] < b->n && !a->changed[at[0]] && !b->changed[at[1]]) {
		at[0]++;
		at[1]++;
	}
	*ret = (struct block){ .old_at = l->before + at[0], .new_at = l->before + at[1] };
	while (at[0] < a->n && a->changed[at[0]])
		at[0]++;
	while (at[1] < b->n && b->changed[at[1]])
		at[1]++;
	ret->old_n = l->before + at[0] - ret->old_at;
	ret->new_n = l->before + at[1] - ret->new_at;
	return ret->old_n + ret->new_n > 0;
}

static int allocate(struct script *s, size_t n)
{
	s->blocks = calloc(n + 1, sizeof *s->blocks);
	return s->blocks == NULL ? -AMBIT_MEMORY : 0;
}

static void append(struct script *s, const struct block *b)
{
	s->blocks[s->n++] = *b;
	s->deleted += b->old_n;
	s->added += b->new_n;
}

static int collect(const struct lines *l, struct script *s)
{
	struct block b;
	size_t n = 0;

	for (uint32_t at[2] = { 0, 0 }; next_block(l, at, &b);)
		n++;
	if (allocate(s, n) < 0)
		return -AMBIT_MEMORY;
	for (uint32_t at[2] = { 0, 0 }; next_block(l, at, &b);)
		append(s, &b);
	return 0;
}

/* All that lies between the common start and end. */
static int collect_one(struct lines *l, struct script *s)
{
	const struct text *old = l->side[0].text, *new = l->side[1].text;
	struct block b;

	lines_finish(l);
	lines_find(l, old, new, 0);
	b = (struct block){ .old_at = l->before, .old_n = l->side[0].n, .new_at = l->before, .new_n = l->side[1].n };

	s->coarse = true;
	if (allocate(s, 1) < 0)
		return -AMBIT_MEMORY;
	append(s, &b);
	return 0;
}

/* With the file's share of the work. */
static int compare_lines(struct lines *l, uint64_t *work, struct script *s)
{
	int rc = lines_number(l, work);

	if (rc == 1)
		return collect_one(l, s);
	rc = rc < 0 ? rc : myers_mark(l, work);
	if (rc < 0)
		return rc;
	s->coarse = rc == 1;
	slide(l);
	return collect(l, s);
}

static int compare(struct lines *l, uint64_t *work, struct script *s)
{
	const uint64_t lines = (uint64_t)l->side[0].n + l->side[1].n;
	uint64_t share, left;
	int rc;

	if (l->side[0].n > SCRIPT_LINES_MAX || l->side[1].n > SCRIPT_LINES_MAX ||
	    !work_spend(work, SCRIPT_WORK_LINE * lines))
		return collect_one(l, s);
	share = left = *work < SCRIPT_WORK_FILE ? *work : SCRIPT_WORK_FILE;
	rc = compare_lines(l, &left, s);
	*work -= share - left;
	return rc;
}

int script_make(const struct text *old, const struct text *new, uint64_t *work, struct script *ret)
{
	struct script s = { .blocks = NULL };
	struct lines l;
	int rc = 0;

	if (old->len != new->len || memcmp(old->data, new->data, old->len) != 0) {
		lines_find(&l, old, new, LINES_MARGIN);
		rc = compare(&l, work, &s);
		lines_finish(&l);
	}
	if (rc == 0)
		*ret = s;
	return rc;
}

void script_finish(struct script *s)
{
	free(s->blocks);
	*s = (struct script){ .blocks = NULL };
}
