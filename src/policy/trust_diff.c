/* A small line diff: longest common subsequence by table, over what remains between the equal head and tail. Two files
 * that are too large for the table are shown as all lines out, all lines in, which is true as well. */
#include "policy/trust.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define TABLE_MAX (4u << 20) /* cells of two bytes: 8 MB for a moment */
#define CONTEXT 3            /* equal lines shown around a change */
#define SHOWN_MAX 8192       /* of one line */

struct line {
	const char *at;
	size_t len;
};

struct lines {
	struct line *items; /* owned */
	size_t count;
};

static void lines_finish(struct lines *l)
{
	free(l->items);
}

#define auto_lines __attribute__((cleanup(lines_finish))) struct lines

static bool split(const struct buf *text, struct lines *ret)
{
	const char *at = (const char *)text->data, *end = at + text->len;
	size_t n = 1;

	if (text->len == 0)
		return true;
	for (size_t i = 0; i < text->len; i++)
		n += text->data[i] == '\n';
	ret->items = calloc(n, sizeof *ret->items);
	if (ret->items == NULL)
		return false;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		stop = stop != NULL ? stop : end;
		ret->items[ret->count++] = (struct line){ .at = at, .len = (size_t)(stop - at) };
		at = stop + 1;
	}
	return true;
}

static bool same(struct line a, struct line b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

struct diff {
	struct lines old, now;
	size_t head, tail; /* equal lines at the start and at the end */
	struct buf *out;
};

static void show(const struct diff *d, char mark, struct line l)
{
	char text[SHOWN_MAX];

	buf_put_u8(d->out, (uint8_t)mark);
	text_escape(text, sizeof text, l.at, l.len);
	buf_put(d->out, text, strlen(text));
	buf_put_u8(d->out, '\n');
}

static void show_range(const struct diff *d, char mark, const struct lines *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		show(d, mark, l->items[i]);
}

/* table[i][j]: how many lines the ends from old line i and new line j have in common. */
static void fill(const struct diff *d, uint16_t *table, size_t n, size_t m)
{
	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			const uint16_t down = table[(i + 1) * (m + 1) + j], right = table[i * (m + 1) + j + 1];
			const uint16_t both = table[(i + 1) * (m + 1) + j + 1];

			if (same(d->old.items[d->head + i], d->now.items[d->head + j]))
				table[i * (m + 1) + j] = (uint16_t)(both + 1); /* below 2^16: TABLE_MAX */
			else
				table[i * (m + 1) + j] = down > right ? down : right;
		}
}

static void show_middle(const struct diff *d, const uint16_t *table, size_t n, size_t m)
{
	size_t i = 0, j = 0;

	while (i < n || j < m) {
		if (i < n && j < m && same(d->old.items[d->head + i], d->now.items[d->head + j])) {
			show(d, ' ', d->old.items[d->head + i]);
			i++, j++;
		} else if (j == m || (i < n && table[(i + 1) * (m + 1) + j] >= table[i * (m + 1) + j + 1])) {
			show(d, '-', d->old.items[d->head + i++]);
		} else {
			show(d, '+', d->now.items[d->head + j++]);
		}
	}
}

static bool show_change(const struct diff *d)
{
	const size_t n = d->old.count - d->head - d->tail, m = d->now.count - d->head - d->tail;
	auto_free uint16_t *table = NULL;

	if (n >= UINT16_MAX || m >= UINT16_MAX || (n + 1) * (m + 1) > TABLE_MAX) {
		show_range(d, '-', &d->old, d->head, d->head + n);
		show_range(d, '+', &d->now, d->head, d->head + m);
		return true;
	}
	table = calloc((n + 1) * (m + 1), sizeof *table);
	if (table == NULL)
		return false;
	fill(d, table, n, m);
	show_middle(d, table, n, m);
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void trim(struct diff *d)
{
	const size_t most = least(d->old.count, d->now.count);

	while (d->head < most && same(d->old.items[d->head], d->now.items[d->head]))
		d->head++;
	while (d->tail < most - d->head &&
	       same(d->old.items[d->old.count - 1 - d->tail], d->now.items[d->now.count - 1 - d->tail]))
		d->tail++;
}

bool trust_diff(const struct buf *old, const struct buf *now, struct buf *out)
{
	auto_lines a = { .count = 0 }, b = { .count = 0 };
	struct diff d = { .out = out };

	if (!split(old, &a) || !split(now, &b))
		return false;
	d.old = a;
	d.now = b;
	trim(&d);
	if (d.head == a.count && d.head == b.count) {
		if (old->len != now->len) /* the lines are equal, the last line break is not */
			buf_printf(out, "%c(a line break at the end)\n", old->len < now->len ? '+' : '-');
		return !out->failed;
	}
	show_range(&d, ' ', &a, d.head - least(d.head, CONTEXT), d.head);
	if (!show_change(&d))
		return false;
	show_range(&d, ' ', &a, a.count - d.tail, a.count - d.tail + least(d.tail, CONTEXT));
	return !out->failed;
}
