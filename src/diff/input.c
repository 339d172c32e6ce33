#include "diff/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define PIECE_CUT UINT32_MAX
#define OPTIONS_BYTES 24 /* as far as the names of the trees */

struct diff_reader {
	struct diff_source source;
	uint64_t at; /* bytes taken, for messages */
	uint32_t n_changes;
	uint16_t n_trees;
	size_t from, to; /* what is read and not yet taken */
	uint8_t room[DIFF_PIECE_MAX];
	char tree[DIFF_TREES_MAX][CHANGE_PATH_MAX];
};

void diff_options_init(struct diff_options *o)
{
	*o = (struct diff_options){
		.form = DIFF_PATCH, .context = DIFF_CONTEXT, .width = DIFF_WIDTH, .n_trees = 1, .tree = { "" }
	};
}

void diff_options_encode(struct buf *out, const struct diff_options *o)
{
	buf_put_u32(out, DIFF_MAGIC);
	buf_put_u16(out, DIFF_VERSION);
	buf_put_u8(out, o->form);
	buf_put_u8(out, o->colour);
	buf_put_u32(out, o->context);
	buf_put_u16(out, o->width);
	buf_put_u64(out, o->output_max);
	buf_put_u16(out, o->n_trees);
	for (size_t i = 0; i < o->n_trees; i++)
		buf_put_str(out, o->tree[i]);
}

/* The next n bytes. */
static int take(struct diff_reader *r, void *bytes, size_t n, struct err *e)
{
	uint8_t *dst = bytes;

	while (n > 0) {
		const size_t have = r->to - r->from, now = have < n ? have : n;
		ssize_t got;

		memcpy(dst, r->room + r->from, now);
		r->from += now;
		r->at += now;
		dst += now;
		n -= now;
		if (n == 0)
			break;
		got = r->source.read(r->source.of, r->room, sizeof r->room);
		if (got < 0)
			return err_sys(e, AMBIT_SYSTEM, (int)-got, NULL, "cannot read the changes");
		if (got == 0)
			return err_set(e, AMBIT_MALFORMED, NULL, "byte %llu: the changes end too early",
				       (unsigned long long)r->at);
		r->from = 0;
		r->to = (size_t)got;
	}
	return 0;
}

static int wrong(const struct diff_reader *r, struct err *e, const char *what)
{
	return err_set(e, AMBIT_MALFORMED, NULL, "byte %llu: %s", (unsigned long long)r->at, what);
}

static int take_u8(struct diff_reader *r, uint8_t *ret, struct err *e)
{
	return take(r, ret, 1, e);
}

static int take_u32(struct diff_reader *r, uint32_t *ret, struct err *e)
{
	uint8_t bytes[4] = { 0 };
	const int rc = take(r, bytes, sizeof bytes, e);
	struct rbuf in;

	rbuf_init(&in, bytes, sizeof bytes);
	*ret = rbuf_u32(&in);
	return rc;
}

static int take_tree(struct diff_reader *r, char tree[CHANGE_PATH_MAX], struct err *e)
{
	uint32_t n;
	int rc = take_u32(r, &n, e);

	if (rc < 0)
		return rc;
	if (n >= CHANGE_PATH_MAX)
		return wrong(r, e, "the name of a tree is too long");
	rc = take(r, tree, n, e);
	tree[n] = 0;
	if (rc == 0 && (strlen(tree) != n || !change_path_is_good(tree)))
		return wrong(r, e, "the name of a tree is none");
	return rc;
}

static int decode_options(struct diff_reader *r, const uint8_t bytes[OPTIONS_BYTES], struct diff_options *o,
			  struct err *e)
{
	struct rbuf in;
	uint8_t colour;

	rbuf_init(&in, bytes, OPTIONS_BYTES);
	if (rbuf_u32(&in) != DIFF_MAGIC || rbuf_u16(&in) != DIFF_VERSION)
		return wrong(r, e, "these are no changes, or of another version");
	o->form = rbuf_u8(&in);
	colour = rbuf_u8(&in);
	o->colour = colour == 1;
	o->context = rbuf_u32(&in);
	o->width = rbuf_u16(&in);
	o->output_max = rbuf_u64(&in);
	o->n_trees = rbuf_u16(&in);
	if (o->form < DIFF_PATCH || o->form > DIFF_BINARY || colour > 1 || o->context > DIFF_CONTEXT_MAX ||
	    o->width < DIFF_WIDTH_MIN || o->width > DIFF_WIDTH_MAX || o->n_trees == 0 || o->n_trees > DIFF_TREES_MAX)
		return wrong(r, e, "an option is out of range");
	return 0;
}

static int read_options(struct diff_reader *r, struct diff_options *o, struct err *e)
{
	uint8_t bytes[OPTIONS_BYTES];
	int rc = take(r, bytes, sizeof bytes, e);

	memset(o, 0, sizeof *o);
	rc = rc < 0 ? rc : decode_options(r, bytes, o, e);
	for (size_t i = 0; rc == 0 && i < o->n_trees; i++) {
		rc = take_tree(r, r->tree[i], e);
		o->tree[i] = r->tree[i];
	}
	r->n_trees = o->n_trees;
	return rc;
}

int diff_reader_create(struct diff_source source, struct diff_options *ret, struct diff_reader **ret_reader,
		       struct err *e)
{
	auto_free struct diff_reader *r = calloc(1, sizeof *r);
	int rc;

	if (r == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to read the changes");
	r->source = source;
	rc = read_options(r, ret, e);
	if (rc == 0)
		*ret_reader = steal_ptr(&r);
	return rc;
}

void diff_reader_destroy(struct diff_reader *r)
{
	free(r);
}

void diff_change_init(struct diff_change *c)
{
	memset(c, 0, sizeof *c);
	buf_init(&c->old.bytes, DIFF_CONTENT_MAX);
	buf_init(&c->new.bytes, DIFF_CONTENT_MAX);
}

void diff_change_finish(struct diff_change *c)
{
	buf_finish(&c->old.bytes);
	buf_finish(&c->new.bytes);
}

static bool is_showable(uint8_t type)
{
	return type == CHANGE_FILE || type == CHANGE_SYMLINK;
}

/* One side by itself. */
static bool side_is_good(const struct diff_side *s)
{
	if (s->state == DIFF_ABSENT)
		return s->type == 0 && s->why == DIFF_WHY_NONE;
	if (s->type < CHANGE_FILE || s->type > CHANGE_OTHER || s->state > DIFF_UNCHANGED || s->why > DIFF_UNREADABLE ||
	    (s->state == DIFF_OMITTED) != (s->why != DIFF_WHY_NONE))
		return false;
	return s->state != DIFF_BYTES || is_showable(s->type);
}

static bool states_are_good(uint8_t kind, uint8_t old, uint8_t new)
{
	const bool both = old != DIFF_ABSENT && new != DIFF_ABSENT;
	const bool given = old != DIFF_UNCHANGED && new != DIFF_UNCHANGED;

	switch ((enum change_kind)kind) { /* change_decode let no other through */
	case CHANGE_ADDED: return old == DIFF_ABSENT && new != DIFF_ABSENT &&given;
	case CHANGE_DELETED: return old != DIFF_ABSENT && new == DIFF_ABSENT &&given;
	case CHANGE_MODIFIED: return both && given;
	case CHANGE_RENAMED:
	case CHANGE_MODE: return both && (given || old == new);
	case CHANGE_LINK: return new == DIFF_UNCHANGED ? old == DIFF_ABSENT || old == new : new != DIFF_ABSENT &&given;
	}
	return false;
}

bool diff_sides_are_good(const struct change *c, const struct diff_side *old, const struct diff_side *new)
{
	if (!side_is_good(old) || !side_is_good(new) || !states_are_good(c->kind, old->state, new->state))
		return false;
	if ((c->kind == CHANGE_DELETED ? old->type : new->type) != c->type)
		return false;
	return old->state != DIFF_UNCHANGED || old->type == new->type;
}

static int read_cut(struct diff_reader *r, struct diff_side *s, struct err *e)
{
	const int rc = take_u8(r, &s->why, e);

	buf_reset(&s->bytes);
	s->state = DIFF_OMITTED;
	if (rc == 0 && (s->why == DIFF_WHY_NONE || s->why > DIFF_UNREADABLE))
		return wrong(r, e, "a content is left out for no reason");
	return rc;
}

/* n bytes of the source behind what the content already has. */
static int append(struct diff_reader *r, struct buf *content, size_t n, struct err *e)
{
	uint8_t piece[4096];

	while (n > 0) {
		const size_t now = n < sizeof piece ? n : sizeof piece;
		const int rc = take(r, piece, now, e);

		if (rc < 0)
			return rc;
		buf_put(content, piece, now);
		n -= now;
	}
	if (!content->failed)
		return 0;
	return content->len + DIFF_PIECE_MAX > content->max ? wrong(r, e, "a content is too long")
							    : err_set(e, AMBIT_MEMORY, NULL, "no memory for a content");
}

static int read_pieces(struct diff_reader *r, struct diff_side *s, struct err *e)
{
	for (;;) {
		uint32_t n;
		int rc = take_u32(r, &n, e);

		if (rc < 0 || n == 0)
			return rc;
		if (n == PIECE_CUT)
			return read_cut(r, s, e);
		if (n > DIFF_PIECE_MAX)
			return wrong(r, e, "a piece is too long");
		rc = append(r, &s->bytes, n, e);
		if (rc < 0)
			return rc;
	}
}

static int read_side(struct diff_reader *r, struct diff_side *s, struct err *e)
{
	uint8_t head[3];
	const int rc = take(r, head, sizeof head, e);

	if (rc < 0)
		return rc;
	s->state = head[0];
	s->type = head[1];
	s->why = head[2];
	buf_reset(&s->bytes);
	if (!side_is_good(s))
		return wrong(r, e, "a side of a change is none");
	return s->state == DIFF_BYTES ? read_pieces(r, s, e) : 0;
}

static int read_change(struct diff_reader *r, struct change_room *room, struct change *c, struct err *e)
{
	uint8_t bytes[DIFF_CHANGE_BYTES_MAX];
	struct rbuf in;
	uint32_t n;
	int rc = take_u32(r, &n, e);

	if (rc < 0)
		return rc;
	if (n > sizeof bytes)
		return wrong(r, e, "a change is too long");
	rc = take(r, bytes, n, e);
	if (rc < 0)
		return rc;
	rbuf_init(&in, bytes, n);
	change_decode(&in, room, c);
	return !rbuf_done(&in) || c->tree >= r->n_trees ? wrong(r, e, "a change is none") : 0;
}

/* Nothing may follow the end. */
static int read_end(struct diff_reader *r, struct err *e)
{
	const ssize_t more = r->from < r->to ? 1 : r->source.read(r->source.of, r->room, sizeof r->room);

	if (more < 0)
		return err_sys(e, AMBIT_SYSTEM, (int)-more, NULL, "cannot read the changes");
	return more > 0 ? wrong(r, e, "something follows the changes") : 0;
}

int diff_reader_next(struct diff_reader *r, struct diff_change *c, struct err *e)
{
	uint8_t tag = 0;
	int rc = take_u8(r, &tag, e);

	if (rc < 0)
		return rc;
	if (tag == 0)
		return read_end(r, e);
	if (tag != 1)
		return wrong(r, e, "neither a change nor the end");
	if (++r->n_changes > DIFF_CHANGES_MAX)
		return wrong(r, e, "too many changes");
	rc = read_change(r, &c->room, &c->change, e);
	rc = rc < 0 ? rc : read_side(r, &c->old, e);
	rc = rc < 0 ? rc : read_side(r, &c->new, e);
	if (rc == 0 && !diff_sides_are_good(&c->change, &c->old, &c->new))
		return wrong(r, e, "the sides of a change do not fit its kind");
	return rc < 0 ? rc : 1;
}
