#include "diff/slide.h"

#define TAB 8
#define INDENT_MAX 200 /* columns; deeper is all the same */
#define BLANK_MAX 10   /* lines looked at behind blank ones */
#define SLIDE_MAX LINES_MARGIN

/* A block of one side, from..to-1, where the other side has none: line `across` of the other is what follows it. */
struct place {
	const struct lines_side *side, *other;
	uint32_t from, to, across;
};

/* Columns before the first byte that is not a blank; -1 if there is none. */
static int indent_of(const struct lines_side *s, uint32_t line)
{
	int columns = 0;

	for (size_t at = s->start[line]; at < s->start[line + 1] && columns < INDENT_MAX; at++) {
		const uint8_t c = s->text->data[at];

		if (c == '\n' || c == '\r')
			return -1;
		if (c != ' ' && c != '\t')
			return columns;
		columns += c == '\t' ? TAB - columns % TAB : 1;
	}
	return columns;
}

/* How much a cut before this line hurts: less the further left what follows begins, less behind a blank line. */
static int cut_cost(const struct lines_side *s, uint32_t line)
{
	const uint32_t last = s->n - line < BLANK_MAX ? s->n : line + BLANK_MAX;
	int indent = 0;

	for (uint32_t i = line; i < last; i++) {
		indent = indent_of(s, i);
		if (indent >= 0)
			break;
	}
	if (line == s->n)
		return 0;
	return 4 * (indent < 0 ? 0 : indent) + (indent_of(s, line) < 0 ? 2 : 0) +
	       (line > 0 && indent_of(s, line - 1) < 0 ? 0 : 1);
}

/* Up: the line above the block is its last one; both move. */
static bool can_go_up(const struct place *p)
{
	return p->from > 0 && p->across > 0 && !p->side->changed[p->from - 1] && !p->other->changed[p->across - 1] &&
	       p->side->number[p->from - 1] == p->side->number[p->to - 1];
}

static bool can_go_down(const struct place *p)
{
	return p->to < p->side->n && p->across < p->other->n && !p->side->changed[p->to] &&
	       !p->other->changed[p->across] && p->side->number[p->to] == p->side->number[p->from];
}

static void move(struct place *p, bool down)
{
	uint8_t *changed = p->side->changed;

	if (down) {
		changed[p->from++] = 0;
		changed[p->to++] = 1;
		p->across++;
	} else {
		changed[--p->from] = 1;
		changed[--p->to] = 0;
		p->across--;
	}
}

/* Down as far as it goes, then up to the best place on the way; among equals the lowest. */
static void settle(struct place *p)
{
	uint32_t steps = 0, best_steps = 0;
	int best;

	while (can_go_down(p))
		move(p, true);
	best = cut_cost(p->side, p->from) + cut_cost(p->side, p->to);
	while (steps < SLIDE_MAX && can_go_up(p)) {
		const int cost = (move(p, false), cut_cost(p->side, p->from) + cut_cost(p->side, p->to));

		steps++;
		if (cost < best) {
			best = cost;
			best_steps = steps;
		}
	}
	for (; steps > best_steps; steps--)
		move(p, true);
}

static uint32_t block_end(const struct lines_side *s, uint32_t at)
{
	while (at < s->n && s->changed[at])
		at++;
	return at;
}

void slide(struct lines *l)
{
	struct lines_side *a = &l->side[0], *b = &l->side[1];
	uint32_t at[2] = { 0, 0 };

	for (;;) {
		const uint32_t end[2] = { block_end(a, at[0]), block_end(b, at[1]) };
		const bool gone = end[0] > at[0], came = end[1] > at[1];
		struct place p = { .side = gone ? a : b,
				   .other = gone ? b : a,
				   .from = at[gone ? 0 : 1],
				   .to = end[gone ? 0 : 1],
				   .across = at[gone ? 1 : 0] };

		at[0] = end[0];
		at[1] = end[1];
		if (gone != came) {
			settle(&p);
			at[gone ? 0 : 1] = p.to;
			at[gone ? 1 : 0] = p.across;
		}
		if (at[0] >= a->n || at[1] >= b->n)
			return; /* what is unchanged is so on both sides, so nothing follows but the end */
		if (!a->changed[at[0]] && !b->changed[at[1]]) {
			at[0]++;
			at[1]++;
		}
	}
}
