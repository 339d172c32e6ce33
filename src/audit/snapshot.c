#include "audit/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ledger/head.h"
#include "ledger/layout.h"
#include "ledger/tile.h"

#define TRIES_MAX 64 /* a writer publishes when it has nothing else to do, or every few thousand entries */

/* ---- the key ---- */

static struct span one_line(const struct buf *b)
{
	size_t n = b->len;

	if (n > 0 && b->data[n - 1] == '\n')
		n--;
	return span_bytes(b->data, n);
}

static int find_key(struct snapshot *s, struct err *e)
{
	uint8_t room[VKEY_TEXT_MAX + 2];
	struct buf text;
	int r;

	buf_init_in(&text, room, sizeof room);
	r = source_read(&s->source, LEDGER_PUBLIC, &text);
	if (r < 0)
		return err_sys(e, AMBIT_NOT_FOUND, -r, "name the key that you trust with --key",
			       "there is no key beside the log");
	r = vkey_parse(one_line(&text), &s->key, e);
	return r < 0 ? err_context(e, r, "the key beside the log") : 0;
}

static int take_key(struct snapshot *s, const char *key, struct err *e)
{
	int r;

	s->key_was_given = key[0] != 0;
	if (!s->key_was_given)
		return find_key(s, e);
	r = vkey_parse(span_of(key), &s->key, e);
	return r < 0 ? err_context(e, r, "--key") : 0;
}

/* ---- one state ---- */

/* What can be had of the checkpoint, signed or not. */
static void take_checkpoint(struct snapshot *s)
{
	struct checkpoint c;
	struct note note;
	int r = note_parse(span_bytes(s->checkpoint.data, s->checkpoint.len), &note, &s->signature);

	r = r < 0 ? r : checkpoint_parse(note.text, &c, &s->signature);
	s->any_checkpoint = r == 0;
	s->size = s->any_checkpoint ? c.size : 0;
	if (r < 0)
		return;
	s->origin = c.origin;
	memcpy(&s->root, c.root, sizeof s->root);
	if (!s->any_key) {
		(void)err_set(&s->signature, AMBIT_NOT_FOUND, NULL, "there is no key to check it with");
		return;
	}
	err_clear(&s->signature);
	(void)head_take(&s->key, s->checkpoint.data, s->checkpoint.len, &s->size, &s->root,
			&s->signature); /* it is kept */
}

static void read_edge(struct snapshot *s)
{
	const unsigned width = tile_width(s->size, 0, tile_at_edge(s->size, 0));

	s->edge.size = s->size;
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		const unsigned n = edge_width(&s->edge, level);

		s->tile_error[level] = n == 0 ? 0
					      : source_tile(&s->source, level, tile_at_edge(s->size, level), n,
							    s->edge.row[level]);
	}
	buf_reset(&s->bundle);
	s->bundle_error = width == 0 ? 0 : source_bundle(&s->source, tile_at_edge(s->size, 0), width, &s->bundle);
}

static int read_once(struct snapshot *s, unsigned flags, struct err *e)
{
	int r = (flags & SNAPSHOT_LIST) != 0 ? source_list(&s->source, &s->found) : 0;

	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot look through the tiles of the log");
	r = source_read(&s->source, LEDGER_CHECKPOINT, &s->checkpoint);
	if (r < 0 && r != -ENOENT && r != -EFBIG)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read the checkpoint of the log");
	take_checkpoint(s);
	read_edge(s);
	s->journal_error = source_read(&s->source, LEDGER_JOURNAL, &s->journal);
	if (s->journal_error < 0)
		buf_reset(&s->journal);
	return 0;
}

/* Whether the checkpoint is what it was before the rest was read. */
static bool is_same(struct snapshot *s, struct buf *again)
{
	(void)source_read(&s->source, LEDGER_CHECKPOINT,
			  again); /* what cannot be read differs, or is as empty as before */
	return again->len == s->checkpoint.len &&
	       (again->len == 0 || memcmp(again->data, s->checkpoint.data, again->len) == 0);
}

static int read_state(struct snapshot *s, unsigned flags, struct err *e)
{
	auto_buf again = { .max = NOTE_MAX };

	for (unsigned i = 0; i < TRIES_MAX; i++) {
		const int r = read_once(s, flags, e);

		if (r < 0 || is_same(s, &again))
			return r;
	}
	return err_set(e, AMBIT_CONFLICT, "try again; or verify a copy of it", "the log grows faster than it is read");
}

/* A directory without checkpoint, tiles and journal is not one that somebody has damaged. */
static bool is_empty(const struct snapshot *s)
{
	return s->checkpoint.len == 0 && s->found.size == 0 && s->found.strange == 0 && s->journal_error == -ENOENT;
}

int snapshot_take(const char *dir, const char *key, unsigned flags, struct snapshot **ret, struct err *e)
{
	struct snapshot *s = calloc(1, sizeof *s);
	int r;

	if (s == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look at the log");
	s->source.dir_fd = -1;
	buf_init(&s->checkpoint, NOTE_MAX);
	buf_init(&s->bundle, SOURCE_BUNDLE_MAX);
	buf_init(&s->journal, SNAPSHOT_JOURNAL_MAX);
	r = source_open(dir, &s->source, e);
	if (r == 0) {
		r = take_key(s, key, e);
		s->any_key = r == 0;
		r = (flags & SNAPSHOT_KEY) != 0 ? r : 0;
	}
	r = r < 0 ? r : read_state(s, flags, e);
	if (r == 0 && is_empty(s))
		r = err_set(e, AMBIT_NOT_FOUND, "name the directory with --ledger", "there is no log in %s", dir);
	if (r < 0) {
		snapshot_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	if (s == NULL)
		return;
	source_close(&s->source);
	buf_finish(&s->checkpoint);
	buf_finish(&s->bundle);
	buf_finish(&s->journal);
	free(s);
}

/* ---- reading it ---- */

int snapshot_bundle(const struct snapshot *s, uint64_t index, struct buf *room, struct rbuf *ret)
{
	const bool at_edge = index == tile_at_edge(s->size, 0);
	const struct buf *from = at_edge ? &s->bundle : room;
	const int r = at_edge ? s->bundle_error : source_bundle(&s->source, index, TILE_WIDTH, room);

	if (r < 0)
		return r;
	rbuf_init(ret, from->data, from->len);
	return 0;
}

int snapshot_tile(const struct snapshot *s, unsigned level, uint64_t index, struct hash ret[TILE_WIDTH])
{
	if (index != tile_at_edge(s->size, level))
		return source_tile(&s->source, level, index, TILE_WIDTH, ret);
	memcpy(ret, s->edge.row[level], edge_width(&s->edge, level) * sizeof *ret);
	return s->tile_error[level];
}

static int read_tile(void *arg, unsigned level, uint64_t index, unsigned width, struct hash *ret, struct err *e)
{
	struct hash row[TILE_WIDTH];
	const int r = snapshot_tile(arg, level, index, row);
	char path[TILE_PATH_MAX];

	tile_path(path, level, index, width);
	if (r < 0)
		return err_sys(e, AMBIT_MALFORMED, -r, NULL, "cannot read %s", path);
	memcpy(ret, row, width * sizeof *ret);
	return 0;
}

struct tile_source snapshot_tiles(struct snapshot *s)
{
	return (struct tile_source){ .read = read_tile, .arg = s };
}

int snapshot_root(const struct snapshot *s, uint64_t size, struct hash *ret, struct err *e)
{
	struct edge *edge = malloc(sizeof *edge);
	const struct tile_source tiles = snapshot_tiles((struct snapshot *)(uintptr_t)s); /* only read */
	int r;

	if (edge == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the edge of a log");
	r = edge_load(edge, size, &tiles, e);
	if (r == 0)
		edge_root(edge, ret);
	free(edge);
	return r;
}

bool snapshot_journal_begin(const struct snapshot *s, struct snapshot_journal *ret)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (s->tile_error[level] < 0)
			return false;
	rbuf_init(&ret->left, s->journal.data, s->journal.len);
	ret->edge = s->edge;
	ret->signed_size = s->size;
	ret->torn = false;
	ret->folded = 0;
	return true;
}

/* Groups under the checkpoint were folded just before a death. */
bool snapshot_journal_next(struct snapshot_journal *j, struct journal_group *ret)
{
	while (rbuf_left(&j->left) > 0) {
		const struct rbuf before = j->left;
		const bool whole = journal_next(&j->left, ret);

		if (whole && ret->first + ret->n <= j->signed_size) {
			j->folded += ret->n;
			continue;
		}
		if (whole && journal_follows(ret, &j->edge))
			return true;
		j->left = before;
		j->torn = true;
		return false;
	}
	return false;
}
