#include "diff/hunks.h"

#include <ctype.h>

#define TITLE_MAX 80 /* bytes of the line behind @@, as git */

/* A text, read line by line. */
struct cursor {
	const struct text *text;
	size_t at;
	uint32_t line; /* number of the line at `at` */
};

struct writer {
	struct out *o;
	const char *lead;
	struct cursor old, new;
	uint32_t context;
	uint32_t old_lines;         /* in all */
	size_t title_at, title_end; /* of the old text: the last line that may be a title; none if equal */
	bool full;
};

/* The start of a function, a section: a line that begins with a letter. */
static bool is_title(uint8_t c)
{
	return (c < 0x80 && isalpha(c)) || c == '_' || c == '$';
}

/* Over a line that ends at `end`. */
static void step_to(struct writer *w, struct cursor *c, size_t end)
{
	if (c == &w->old && is_title(c->text->data[c->at])) {
		w->title_at = c->at;
		w->title_end = end;
	}
	c->at = end;
	c->line++;
}

static void step(struct writer *w, struct cursor *c)
{
	step_to(w, c, text_line_end(c->text, c->at));
}

static void skip_to(struct writer *w, struct cursor *c, uint32_t line)
{
	while (c->line < line)
		step(w, c);
}

/* With colours a carriage return at the end of a line is shown, without it is only passed on: nothing is behind it that it could hide. */
static void put_content(struct out *o, const uint8_t *bytes, size_t n)
{
	const bool hidden = n > 0 && bytes[n - 1] == '\r' && !o->colour;

	out_content(o, bytes, hidden ? n - 1 : n);
	if (hidden)
		out_raw(o, "\r", 1);
}

static void put_line(struct writer *w, struct cursor *c, const char *sign, enum out_colour colour)
{
	const size_t from = c->at, end = text_line_end(c->text, from);
	const bool has_newline = c->text->data[end - 1] == '\n';

	step_to(w, c, end);
	if (w->full || out_is_full(w->o)) {
		w->full = true;
		return;
	}
	out_string(w->o, w->lead);
	if (colour != OUT_PLAIN)
		out_colour(w->o, colour);
	out_string(w->o, sign);
	put_content(w->o, c->text->data + from, end - from - has_newline);
	if (colour != OUT_PLAIN)
		out_colour(w->o, OUT_PLAIN);
	out_string(w->o, "\n");
	if (!has_newline) {
		out_string(w->o, w->lead);
		out_string(w->o, "\\ No newline at end of file\n");
	}
}

static void put_lines(struct writer *w, struct cursor *c, uint32_t n, const char *sign, enum out_colour colour)
{
	while (n-- > 0 && !w->full)
		put_line(w, c, sign, colour);
}

/* Lines of both sides, shown once. */
static void put_context(struct writer *w, uint32_t to)
{
	while (w->old.line < to && !w->full) {
		put_line(w, &w->old, " ", OUT_PLAIN);
		step(w, &w->new);
	}
}

/* "12,5", "12" of one line, "11,0" of none: then the line above is named. */
static void put_range(struct out *o, char sign, uint32_t at, uint32_t n)
{
	const uint32_t shown = n == 0 ? at : at + 1;

	if (n == 1)
		out_printf(o, "%c%u", sign, shown);
	else
		out_printf(o, "%c%u,%u", sign, shown, n);
}

static void put_title(struct writer *w)
{
	const uint8_t *bytes = w->old.text->data + w->title_at;
	size_t n = w->title_end - w->title_at;

	if (n > TITLE_MAX) {
		n = TITLE_MAX;
		while (n > 0 && (bytes[n] & 0xc0) == 0x80) /* not inside a character */
			n--;
	}
	while (n > 0 && isspace(bytes[n - 1]))
		n--;
	if (n == 0)
		return;
	out_string(w->o, " ");
	out_text(w->o, bytes, n);
}

/* What one hunk covers on both sides, context included. */
static struct block hunk_span(const struct writer *w, const struct block *first, const struct block *last)
{
	const uint32_t before = first->old_at < w->context ? first->old_at : w->context;
	const uint32_t left = w->old_lines - (last->old_at + last->old_n);
	const uint32_t after = left < w->context ? left : w->context;

	return (struct block){
		.old_at = first->old_at - before,
		.old_n = last->old_at + last->old_n + after - (first->old_at - before),
		.new_at = first->new_at - before,
		.new_n = last->new_at + last->new_n + after - (first->new_at - before),
	};
}

static void put_head(struct writer *w, const struct block *span)
{
	out_string(w->o, w->lead);
	out_colour(w->o, OUT_HUNK);
	out_string(w->o, "@@ ");
	put_range(w->o, '-', span->old_at, span->old_n);
	out_string(w->o, " ");
	put_range(w->o, '+', span->new_at, span->new_n);
	out_string(w->o, " @@");
	out_colour(w->o, OUT_PLAIN);
	put_title(w);
	out_string(w->o, "\n");
}

static void put_hunk(struct writer *w, const struct block *first, const struct block *last)
{
	const struct block span = hunk_span(w, first, last);

	skip_to(w, &w->old, span.old_at);
	skip_to(w, &w->new, span.new_at);
	w->full = w->full || out_is_full(w->o);
	if (w->full)
		return;
	put_head(w, &span);
	for (const struct block *b = first; b <= last; b++) {
		put_context(w, b->old_at);
		put_lines(w, &w->old, b->old_n, "-", OUT_OLD);
		put_lines(w, &w->new, b->new_n, "+", OUT_NEW);
	}
	put_context(w, span.old_at + span.old_n);
}

/* Whether the context of two blocks touches. */
static bool is_near(const struct block *b, const struct block *next, uint32_t context)
{
	return next->old_at - (b->old_at + b->old_n) <= 2 * context;
}

bool hunks_write(struct out *o, const struct text *old, const struct text *new, const struct script *s,
		 uint32_t context, const char *lead)
{
	struct writer w = { .o = o,
			    .lead = lead,
			    .old = { .text = old },
			    .new = { .text = new },
			    .context = context,
			    .old_lines = text_lines(old, 0, old->len) };

	for (size_t i = 0, last; i < s->n && !w.full; i = last + 1) {
		last = i;
		while (last + 1 < s->n && is_near(&s->blocks[last], &s->blocks[last + 1], context))
			last++;
		put_hunk(&w, &s->blocks[i], &s->blocks[last]);
	}
	return !w.full && !out_is_full(o);
}
