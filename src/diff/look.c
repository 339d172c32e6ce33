#include "diff/look.h"

#include <string.h>

#include "diff/out.h"

#define BINARY_WITHIN 8000 /* bytes in which a NUL makes a file binary, as git */

const struct diff_side look_absent = { .state = DIFF_ABSENT };

bool look_is_patchable(const struct diff_side *s)
{
	return s->type == CHANGE_FILE || s->type == CHANGE_SYMLINK;
}

bool look_is_split(const struct diff_change *c)
{
	return c->old.state != DIFF_ABSENT && c->new.state != DIFF_ABSENT && c->old.type != c->new.type;
}

static struct text text_of(const struct diff_side *s)
{
	static const uint8_t nothing[1];

	return s->bytes.len == 0 ? (struct text){ nothing, 0 } : (struct text){ s->bytes.data, s->bytes.len };
}

static bool is_binary(const struct text *t)
{
	const size_t n = t->len < BINARY_WITHIN ? t->len : BINARY_WITHIN;

	return memchr(t->data, 0, n) != NULL;
}

/* A carriage return before a newline is passed on, not escaped. */
static bool needs_escapes(const struct text *t)
{
	for (size_t at = 0, end; at < t->len; at = end) {
		size_t n;

		end = text_line_end(t, at);
		n = end - at - (t->data[end - 1] == '\n');
		if (n > 0 && t->data[at + n - 1] == '\r')
			n--;
		if (!out_shows_as_is(t->data + at, n))
			return true;
	}
	return false;
}

static enum look_body body_of(const struct look *l)
{
	const struct text *a = &l->texts[0], *b = &l->texts[1];

	if (l->old->state == DIFF_UNCHANGED || l->new->state == DIFF_UNCHANGED)
		return LOOK_NOTHING;
	if (l->why != DIFF_WHY_NONE)
		return LOOK_OMITTED;
	if (a->len == b->len && memcmp(a->data, b->data, a->len) == 0)
		return LOOK_NOTHING;
	if (is_binary(a) || is_binary(b))
		return LOOK_BINARY;
	return needs_escapes(a) || needs_escapes(b) ? LOOK_ESCAPED : LOOK_LINES;
}

void look_at(const struct change *c, const struct diff_side *old, const struct diff_side *new, struct look *ret)
{
	*ret = (struct look){ .change = c, .old = old, .new = new };
	ret->texts[0] = text_of(old->state == DIFF_BYTES ? old : &look_absent);
	ret->texts[1] = text_of(new->state == DIFF_BYTES ? new : &look_absent);
	ret->why = old->why != DIFF_WHY_NONE ? old->why : new->why;
	ret->body = body_of(ret);
}

int look_compare(struct look *l, uint64_t *work)
{
	if (l->body != LOOK_LINES && l->body != LOOK_ESCAPED)
		return 0;
	return script_make(&l->texts[0], &l->texts[1], work, &l->script);
}

void look_finish(struct look *l)
{
	script_finish(&l->script);
}

uint64_t look_size(const struct change *c, const struct diff_side *s, bool is_new)
{
	if (s->state == DIFF_ABSENT)
		return 0;
	if (s->state == DIFF_BYTES)
		return s->bytes.len;
	return is_new ? c->size_new : c->size_old;
}
