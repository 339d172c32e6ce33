#include "diff/stat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ambit/codes.h"
#include "base/text.h"
#include "diff/look.h"

#define NAMES_MAX (256u << 20)
#define HELD_MAX (16u << 20) /* thousands of lines; more are not read */
#define BAR_LEAST 6
#define AROUND 6 /* " ", " | ", " " beside name, number and bar, and one column free */

void stat_init(struct stat_table *t, uint32_t width)
{
	memset(t, 0, sizeof *t);
	t->width = width;
	buf_init(&t->names, NAMES_MAX);
	buf_init(&t->held, HELD_MAX);
	buf_init(&t->later, HELD_MAX);
}

void stat_finish(struct stat_table *t)
{
	free(t->rows);
	buf_finish(&t->names);
	buf_finish(&t->held);
	buf_finish(&t->later);
}

static size_t columns_of(const char *s)
{
	size_t n = 0;

	for (; *s != 0; s++)
		n += ((uint8_t)*s & 0xc0) != 0x80;
	return n;
}

/* The end of a name that is wider than `width`: from a slash on if there is one, with "..." before. */
static const char *name_end(const char *name, size_t width, bool *ret_cut)
{
	const char *slash;
	size_t columns = columns_of(name);

	*ret_cut = columns > width;
	if (!*ret_cut)
		return name;
	for (columns += 3; columns > width || ((uint8_t)*name & 0xc0) == 0x80; name++)
		columns -= ((uint8_t)*name & 0xc0) != 0x80;
	slash = strchr(name, '/');
	return slash != NULL ? slash : name;
}

static size_t common_dirs(const char *a, const char *b)
{
	size_t n = 0;

	for (size_t i = 0; a[i] != 0 && a[i] == b[i]; i++)
		if (a[i] == '/')
			n = i + 1;
	return n;
}

/* What both end in, from a slash on; at most n bytes. */
static size_t common_tail(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = 0;

	for (size_t i = 1; i <= a_len && i <= b_len && a[a_len - i] == b[b_len - i]; i++)
		if (a[a_len - i] == '/')
			n = i;
	return n;
}

/* dir/{old => new}/file */
static void put_renamed(struct buf *dst, const char *old, const char *new)
{
	const size_t head = common_dirs(old, new);
	const size_t old_n = strlen(old + head), new_n = strlen(new + head);
	const size_t tail = common_tail(old + head, old_n, new + head, new_n);
	const bool braces = head + tail > 0;

	buf_put(dst, old, head);
	buf_put(dst, "{", braces);
	buf_put(dst, old + head, old_n - tail);
	buf_put(dst, " => ", 4);
	buf_put(dst, new + head, new_n - tail);
	buf_put(dst, "}", braces);
	buf_put(dst, new + head + new_n - tail, tail);
}

static void put_name(struct buf *dst, const char *tree, const struct change *c)
{
	auto_buf old = { .max = 2 * NAME_MAX_BYTES };
	auto_buf new = { .max = 2 * NAME_MAX_BYTES };
	const char *a, *b;

	name_put(&new, "", tree, c->path);
	if (c->kind == CHANGE_RENAMED)
		name_put(&old, "", tree, c->from);
	a = buf_cstr(&old);
	b = buf_cstr(&new);
	if (a == NULL || b == NULL)
		dst->failed = true;
	else if (c->kind != CHANGE_RENAMED)
		buf_put(dst, b, strlen(b));
	else if (a[0] == '"' || b[0] == '"')
		buf_printf(dst, "%s => %s", a, b);
	else
		put_renamed(dst, a, b);
	if (c->type == CHANGE_DIRECTORY)
		buf_put_u8(dst, '/');
}

static int keep_name(struct stat_table *t, const char *tree, const struct change *c)
{
	auto_buf name = { .max = 5 * NAME_MAX_BYTES };
	const char *whole, *end;
	bool cut;

	put_name(&name, tree, c);
	whole = buf_cstr(&name);
	if (whole == NULL)
		return -AMBIT_MEMORY;
	end = name_end(whole, t->width, &cut);
	if (cut)
		buf_put(&t->names, "...", 3);
	buf_put(&t->names, end, strlen(end) + 1);
	return t->names.failed ? -AMBIT_MEMORY : 0;
}

static struct stat_row *new_row(struct stat_table *t)
{
	const size_t room = t->room == 0 ? 64 : 2 * t->room;

	if (t->n == t->room) {
		struct stat_row *rows = realloc(t->rows, room * sizeof *rows); /* at most DIFF_CHANGES_MAX */

		if (rows == NULL)
			return NULL;
		t->rows = rows;
		t->room = room;
	}
	t->rows[t->n] = (struct stat_row){ .name_at = t->names.len };
	return &t->rows[t->n++];
}

static int add_pair(struct stat_row *row, const struct diff_change *c, const struct diff_side *old,
		    const struct diff_side *new, uint64_t *work)
{
	struct look l;
	int rc;

	if (old->state == DIFF_ABSENT && (!look_is_patchable(new) || new->state == DIFF_UNCHANGED))
		return 0;
	if (old->state != DIFF_ABSENT && !look_is_patchable(old))
		return 0;
	look_at(&c->change, old, new, &l);
	rc = look_compare(&l, work);
	if (l.body == LOOK_BINARY || l.body == LOOK_OMITTED) {
		row->binary = true;
		row->deleted = look_size(&c->change, &c->old, false);
		row->added = look_size(&c->change, &c->new, true);
	} else if (!row->binary) {
		row->added += l.script.added;
		row->deleted += l.script.deleted;
	}
	look_finish(&l);
	return rc;
}

/* "path: protected: git executes it"; word: NULL for none. */
static void note(struct buf *dst, const char *tree, const struct change *c, const char *word)
{
	char reason[4 * CHANGE_REASON_MAX + 16];
	const size_t before = dst->len;

	name_put(dst, "", tree, c->path);
	(void)text_show(reason, sizeof reason, c->reason, strlen(c->reason));
	buf_printf(dst, "%s%s%s%s\n", word != NULL ? ": " : "", word != NULL ? word : "", reason[0] != 0 ? ": " : "",
		   reason);
	if (dst->failed) { /* full: what is there stays */
		dst->failed = false;
		dst->len = before;
	}
}

int stat_add(struct stat_table *t, const char *tree, const struct diff_change *c, uint64_t *work)
{
	struct stat_row *row = new_row(t);
	int rc;

	if (row == NULL)
		return -AMBIT_MEMORY;
	if (keep_name(t, tree, &c->change) < 0) {
		t->n--; /* every row has a name */
		return -AMBIT_MEMORY;
	}
	if (c->change.held != HELD_NOT)
		note(&t->held, tree, &c->change, held_word(c->change.held));
	else if (c->change.later != 0)
		note(&t->later, tree, &c->change, NULL);
	if (!look_is_split(c))
		return add_pair(row, c, &c->old, &c->new, work);
	rc = add_pair(row, c, &c->old, &look_absent, work);
	return rc < 0 ? rc : add_pair(row, c, &look_absent, &c->new, work);
}

static unsigned digits_of(uint64_t n)
{
	unsigned digits = 1;

	for (; n >= 10; n /= 10)
		digits++;
	return digits;
}

/* Columns of each part. */
struct widths {
	uint64_t most; /* changed lines of one file */
	uint32_t name, number, bar;
};

/* What each part would like: names whole, a column for each line, `Bin 0 -> 123 bytes`. */
static struct widths widths_wanted(const struct stat_table *t)
{
	struct widths w = { .number = 1 };
	uint64_t binary = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct stat_row *r = &t->rows[i];
		const size_t name = columns_of((const char *)t->names.data + r->name_at);

		w.name = name > w.name ? (uint32_t)name : w.name; /* at most the width */
		if (r->binary && 14 + digits_of(r->added) + digits_of(r->deleted) > binary)
			binary = 14 + digits_of(r->added) + digits_of(r->deleted);
		if (!r->binary && r->added + r->deleted > w.most)
			w.most = r->added + r->deleted;
	}
	w.number = digits_of(w.most);
	if (binary > 0 && w.number < 3)
		w.number = 3; /* "Bin" */
	w.bar = w.most > UINT16_MAX ? UINT16_MAX : (uint32_t)w.most;
	if (w.bar + 4 < binary)
		w.bar = (uint32_t)binary - 4;
	return w;
}

/* As git does it: where all do not fit, the bar is cut to three eighths, then the name to what is left. */
static struct widths widths_of(const struct stat_table *t)
{
	struct widths w = widths_wanted(t);
	const uint32_t least = 16 + AROUND + w.number;
	const uint32_t width = t->width < least ? least : t->width;
	const uint32_t share = width * 3 / 8 < w.number + AROUND + BAR_LEAST ? BAR_LEAST
									     : width * 3 / 8 - w.number - AROUND;

	if (w.name + w.number + AROUND + w.bar <= width)
		return w;
	if (w.bar > share)
		w.bar = share;
	if (w.name > width - w.number - AROUND - w.bar)
		w.name = width - w.number - AROUND - w.bar;
	else
		w.bar = width - w.number - AROUND - w.name;
	return w;
}

/* n of `most`, in columns; something is never nothing. */
static uint64_t scale(uint64_t n, const struct widths *w)
{
	if (n == 0 || w->most <= w->bar)
		return n;
	return 1 + n * (w->bar - 1) / w->most;
}

static void put_bar(struct out *o, enum out_colour c, char sign, uint64_t n)
{
	if (n == 0)
		return;
	out_colour(o, c);
	while (n-- > 0)
		out_raw(o, &sign, 1);
	out_colour(o, OUT_PLAIN);
}

static void put_lines(struct out *o, const struct stat_row *r, const struct widths *w)
{
	const uint64_t all = r->added + r->deleted;
	uint64_t total = scale(all, w), added, deleted;

	if (total < 2 && r->added > 0 && r->deleted > 0)
		total = 2;
	if (r->added < r->deleted) {
		added = scale(r->added, w);
		deleted = total - added;
	} else {
		deleted = scale(r->deleted, w);
		added = total - deleted;
	}
	out_printf(o, " %*" PRIu64 "%s", (int)w->number, all, all > 0 ? " " : "");
	put_bar(o, OUT_NEW, '+', added);
	put_bar(o, OUT_OLD, '-', deleted);
}

static void put_binary(struct out *o, const struct stat_row *r, const struct widths *w)
{
	out_printf(o, " %*s", (int)w->number, "Bin");
	if (r->added == 0 && r->deleted == 0)
		return;
	out_string(o, " ");
	out_colour(o, OUT_OLD);
	out_printf(o, "%" PRIu64, r->deleted);
	out_colour(o, OUT_PLAIN);
	out_string(o, " -> ");
	out_colour(o, OUT_NEW);
	out_printf(o, "%" PRIu64, r->added);
	out_colour(o, OUT_PLAIN);
	out_string(o, " bytes");
}

static void put_row(const struct stat_table *t, const struct stat_row *r, const struct widths *w, struct out *o)
{
	const char *name = (const char *)t->names.data + r->name_at;
	bool cut;

	name = name_end(name, w->name, &cut);
	out_string(o, cut ? " ..." : " ");
	out_string(o, name); /* escaped when it was kept */
	for (size_t at = columns_of(name) + (cut ? 3 : 0); at < w->name; at++)
		out_string(o, " ");
	out_string(o, " |");
	if (r->binary)
		put_binary(o, r, w);
	else
		put_lines(o, r, w);
	out_string(o, "\n");
}

static void put_total(const struct stat_table *t, struct out *o)
{
	uint64_t added = 0, deleted = 0;

	for (size_t i = 0; i < t->n; i++) {
		added += t->rows[i].binary ? 0 : t->rows[i].added;
		deleted += t->rows[i].binary ? 0 : t->rows[i].deleted;
	}
	out_printf(o, " %zu file%s changed", t->n, text_plural(t->n));
	if (added > 0 || deleted == 0)
		out_printf(o, ", %" PRIu64 " insertion%s(+)", added, text_plural(added));
	if (deleted > 0 || added == 0)
		out_printf(o, ", %" PRIu64 " deletion%s(-)", deleted, text_plural(deleted));
	out_string(o, "\n");
}

static void put_notes(const struct buf *notes, const char *title, struct out *o)
{
	const struct text text = { notes->data, notes->len };

	for (size_t at = 0, end; at < text.len; at = end) {
		end = text_line_end(&text, at);
		out_colour(o, OUT_NOTE);
		out_string(o, title);
		out_raw(o, text.data + at, end - at - 1);
		out_colour(o, OUT_PLAIN);
		out_string(o, "\n");
	}
}

void stat_write(const struct stat_table *t, struct out *o)
{
	const struct widths w = widths_of(t);

	if (t->n == 0)
		return;
	for (size_t i = 0; i < t->n; i++)
		put_row(t, &t->rows[i], &w, o);
	put_total(t, o);
	put_notes(&t->held, " held: ", o);
	put_notes(&t->later, " executes later: ", o);
}
