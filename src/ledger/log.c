#include "ledger/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ledger/journal.h"
#include "ledger/layout.h"
#include "ledger/tile.h"

#define TILE_BYTES (TILE_WIDTH * HASH_BYTES)
#define BUNDLE_MAX (TILE_WIDTH * (size_t)(2 + ENTRY_BYTES_MAX))
/* What is behind the checkpoint: a journal that is not full, and one group. */
#define BEHIND_BYTES (LOG_JOURNAL_MAX + 2 * (size_t)LOG_GROUP_MAX)
#define BEHIND_ENTRIES (2u * LOG_JOURNAL_ENTRIES)
#define BEHIND_TILES                                                                                                   \
	(2 * BEHIND_ENTRIES / TILE_WIDTH) /* of hashes; those of higher levels are fewer than of the first */

struct log {
	struct disk *disk;         /* borrowed */
	const struct log_key *key; /* borrowed */
	struct edge edge;
	struct buf full;  /* struct full_tile each: those that became full since the checkpoint */
	struct buf open;  /* entries of theirs that are of level 0, and of the one that is not full yet */
	struct buf group; /* the group that is not written yet: room for its head, and the entries */
	struct buf last;  /* the last entry that was there when the log was opened */
	uint32_t group_n;
	uint64_t journal_bytes, journal_n;
	uint64_t published[2]; /* sizes, the last and the one before: narrow tiles of both stay, for who is reading */
	bool any_published;
};

struct full_tile {
	unsigned level;
	uint64_t index;
	size_t end; /* in `open`, of its entries, if the level is 0 */
	struct hash row[TILE_WIDTH];
};

static int disk_error(struct err *e, int r, const char *what)
{
	static const char hint[] = "make room, or see who may write there; nothing is done that cannot be recorded";

	if (r == -ESTALE || r == -ENOENT)
		return err_set(e, AMBIT_CONFLICT, "see who moves, restores or removes files there; then start again",
			       "the ledger was taken away while it was in use");
	return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r, hint,
		       "cannot write %s of the ledger", what);
}

static int damaged(struct err *e, const char *what)
{
	return err_set(e, AMBIT_MALFORMED,
		       "`ambit ledger verify` says where; restore it from a backup, or begin another with --ledger",
		       "the ledger is damaged: %s", what);
}

/* ---- tiles ---- */

static int write_tile(struct log *l, unsigned level, uint64_t index, unsigned width, const void *bytes, size_t n)
{
	char path[TILE_PATH_MAX];

	tile_path(path, level, index, width);
	return disk_write(l->disk, path, bytes, n);
}

/* A tile that became full waits for the next checkpoint: only then its entries are certain, and if they were lost, by a kill or with the
 * power, the tile would stay and contradict what comes in their place. */
static int tile_is_full(void *arg, unsigned level, uint64_t index, const struct hash row[TILE_WIDTH])
{
	struct log *l = arg;
	struct full_tile tile = { .level = level, .index = index, .end = l->open.len };

	memcpy(tile.row, row, sizeof tile.row);
	buf_put(&l->full, &tile, sizeof tile);
	return l->full.failed ? -ENOMEM : 0;
}

static int write_full(struct log *l)
{
	size_t from = 0;

	for (size_t at = 0; at < l->full.len; at += sizeof(struct full_tile)) {
		struct full_tile tile;
		int r = 0;

		memcpy(&tile, l->full.data + at, sizeof tile);
		if (tile.level == 0) {
			r = write_tile(l, TILE_ENTRIES, tile.index, TILE_WIDTH, l->open.data + from, tile.end - from);
			from = tile.end;
		}
		r = r < 0 ? r : write_tile(l, tile.level, tile.index, TILE_WIDTH, tile.row, sizeof tile.row);
		if (r < 0)
			return r;
	}
	buf_reset(&l->full);
	buf_drop(&l->open, from);
	return 0;
}

/* What the next entry makes of the log in memory. */
static int take_entry(struct log *l, const void *entry, size_t n)
{
	struct hash leaf;

	merkle_leaf(entry, n, &leaf);
	bundle_put(&l->open, entry, n);
	return l->open.failed ? -ENOMEM : edge_add(&l->edge, &leaf, tile_is_full, l);
}

/* Such a tile is under the checkpoint, and the same: it must not be touched, since a power cut could leave any part of it. */
static bool was_published(const struct log *l, unsigned level, uint64_t index, unsigned width)
{
	return l->any_published && tile_width(l->published[0], level, index) == width;
}

static int write_parts(struct log *l)
{
	const uint64_t size = l->edge.size;
	int r = 0;

	if (edge_width(&l->edge, 0) > 0 && !was_published(l, 0, size / TILE_WIDTH, edge_width(&l->edge, 0)))
		r = write_tile(l, TILE_ENTRIES, size / TILE_WIDTH, edge_width(&l->edge, 0), l->open.data, l->open.len);
	for (unsigned level = 0; level < TILE_LEVELS && r == 0; level++) {
		const unsigned width = edge_width(&l->edge, level);
		const uint64_t index = tile_at_edge(size, level);

		if (width > 0 && !was_published(l, level, index, width))
			r = write_tile(l, level, index, width, l->edge.row[level], width * sizeof(struct hash));
	}
	return r;
}

static int remove_part(struct log *l, unsigned level, uint64_t index, unsigned width, bool is_full)
{
	char path[TILE_PATH_MAX];

	tile_path(path, level, index, width);
	if (!is_full)
		return disk_remove(l->disk, path);
	*strrchr(path, '/') = 0; /* "000.p", with whatever a death left in it */
	return disk_remove_directory(l->disk, path);
}

/* The narrow tiles of the publication before the last, for which there are wider ones. */
static int remove_parts(struct log *l)
{
	const uint64_t size = l->published[1];
	int r = 0;

	for (unsigned level = 0; level < TILE_LEVELS && r == 0; level++) {
		const uint64_t index = tile_at_edge(size, level);
		const unsigned width = tile_width(size, level, index), now = tile_width(l->edge.size, level, index);

		if (width == 0 || width == now || width == tile_width(l->published[0], level, index))
			continue;
		r = remove_part(l, level, index, width, now == TILE_WIDTH);
		if (r == 0 && level == 0)
			r = remove_part(l, TILE_ENTRIES, index, width, now == TILE_WIDTH);
	}
	return r;
}

/* ---- writing ---- */

uint64_t log_size(const struct log *l)
{
	return l->edge.size;
}

void log_root(const struct log *l, struct hash *ret)
{
	edge_root(&l->edge, ret);
}

const void *log_last(const struct log *l, size_t *ret_n)
{
	*ret_n = l->last.len;
	return l->edge.size > 0 ? l->last.data : NULL;
}

bool log_is_full(const struct log *l)
{
	return l->journal_bytes >= LOG_JOURNAL_MAX || l->journal_n >= LOG_JOURNAL_ENTRIES;
}

bool log_group_room(const struct log *l, size_t entries, size_t bytes)
{
	return l->group.len - JOURNAL_HEAD_BYTES + bytes <= LOG_GROUP_MAX &&
	       l->group_n + entries <= LOG_JOURNAL_ENTRIES;
}

int log_add(struct log *l, const void *entry, size_t n, struct err *e)
{
	int r;

	if (n > ENTRY_BYTES_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "an entry of %zu bytes", n);
	if (!log_group_room(l, 1, n + 2))
		return err_set(e, AMBIT_LIMIT, NULL, "a group of more than %u bytes or %u entries", LOG_GROUP_MAX,
			       LOG_JOURNAL_ENTRIES);
	if (log_is_full(l))
		return err_set(e, AMBIT_LIMIT, NULL, "the journal is full");
	bundle_put(&l->group, entry, n);
	l->group_n++;
	r = l->group.failed ? -ENOMEM : take_entry(l, entry, n);
	return r < 0 ? err_set(e, AMBIT_MEMORY, NULL, "out of memory") : 0;
}

static void begin_group(struct log *l)
{
	static const uint8_t head[JOURNAL_HEAD_BYTES];

	l->group_n = 0;
	buf_reset(&l->group);
	buf_put(&l->group, head, sizeof head);
}

int log_write(struct log *l, struct err *e)
{
	struct journal_group g = { .n = l->group_n,
				   .first = l->edge.size - l->group_n,
				   .bytes = (uint32_t)(l->group.len - JOURNAL_HEAD_BYTES) /* LOG_GROUP_MAX */ };
	struct buf head;
	struct hash root;
	int r;

	if (l->group_n == 0)
		return 0;
	edge_root(&l->edge, &root);
	journal_seal(&g, &root, l->key->secret);
	buf_init_in(&head, l->group.data, JOURNAL_HEAD_BYTES);
	journal_put_head(&head, &g);
	journal_put_tail(&l->group, &g);
	r = l->group.failed ? -ENOMEM : disk_journal_append(l->disk, l->group.data, l->group.len);
	if (r < 0)
		return disk_error(e, r, "the journal");
	l->journal_bytes += l->group.len;
	l->journal_n += l->group_n;
	begin_group(l);
	return 0;
}

int log_sync(struct log *l, struct err *e)
{
	const int r = disk_journal_sync(l->disk);

	return r < 0 ? disk_error(e, r, "the journal") : 0;
}

static int put_checkpoint(struct log *l, struct err *e)
{
	auto_buf note = { .max = 0 };
	struct hash root;
	int r;

	buf_init(&note, NOTE_MAX);
	edge_root(&l->edge, &root);
	r = head_put(&note, l->key, l->edge.size, &root, e);
	if (r < 0)
		return r;
	r = disk_replace(l->disk, LEDGER_CHECKPOINT, note.data, note.len);
	return r < 0 ? disk_error(e, r, "the checkpoint") : 0;
}

/* In this order, so that at any moment the checkpoint's tiles are on disk, and what is in no tile is in the journal; and so that what is
 * signed was on disk before, and is found again whatever happens. */
int log_publish(struct log *l, struct err *e)
{
	int r = log_write(l, e);

	if (r < 0 || (l->any_published && l->published[0] == l->edge.size))
		return r;
	if (l->journal_n > 0)
		r = disk_journal_sync(l->disk);
	if (r == 0)
		r = write_full(l);
	if (r == 0)
		r = write_parts(l);
	if (r == 0)
		r = disk_settle(l->disk);
	if (r < 0)
		return disk_error(e, r, "a tile");
	r = put_checkpoint(l, e);
	if (r < 0)
		return r;
	r = disk_journal_begin(l->disk, LEDGER_JOURNAL);
	if (r < 0)
		return disk_error(e, r, "the journal");
	l->journal_bytes = l->journal_n = 0;
	if (l->any_published)
		r = remove_parts(l);
	l->published[1] = l->any_published ? l->published[0] : l->edge.size;
	l->published[0] = l->edge.size;
	l->any_published = true;
	return r < 0 ? disk_error(e, r, "a tile") : 0;
}

/* ---- opening ---- */

static int read_tile(void *arg, unsigned level, uint64_t index, unsigned width, struct hash *ret, struct err *e)
{
	struct log *l = arg;
	auto_buf bytes = { .max = 0 };
	char path[TILE_PATH_MAX];
	int r;

	buf_init(&bytes, TILE_BYTES);
	tile_path(path, level, index, width);
	r = disk_read(l->disk, path, &bytes);
	if (r < 0)
		return err_sys(e, r == -ENOENT ? AMBIT_MALFORMED : AMBIT_SYSTEM, -r, NULL,
			       "cannot read %s of the ledger", path);
	if (bytes.len != width * sizeof *ret)
		return damaged(e, path);
	memcpy(ret, bytes.data, bytes.len);
	return 0;
}

static void keep_last(struct log *l, const uint8_t *entry, size_t n)
{
	buf_reset(&l->last);
	buf_put(&l->last, entry, n); /* ENTRY_BYTES_MAX */
}

/* The last entry where every tile is full. Nothing is made of it but an account of how the log ended, so its hash is nobody's concern. */
static int read_last(struct log *l, struct err *e)
{
	auto_buf bundle = { .max = 0 };
	char path[TILE_PATH_MAX];
	const uint8_t *entry;
	struct rbuf r;
	size_t len;
	int rc;

	if (l->edge.size == 0)
		return 0;
	buf_init(&bundle, BUNDLE_MAX);
	tile_path(path, TILE_ENTRIES, l->edge.size / TILE_WIDTH - 1, TILE_WIDTH);
	rc = disk_read(l->disk, path, &bundle);
	if (rc < 0)
		return err_sys(e, rc == -ENOENT ? AMBIT_MALFORMED : AMBIT_SYSTEM, -rc, NULL,
			       "cannot read %s of the ledger", path);
	rbuf_init(&r, bundle.data, bundle.len);
	while ((entry = bundle_next(&r, &len)) != NULL)
		keep_last(l, entry, len);
	return r.failed ? damaged(e, path) : 0;
}

/* The entries of the tile that is not full, each as its hash says. */
static int read_open_bundle(struct log *l, struct err *e)
{
	const unsigned width = edge_width(&l->edge, 0);
	const uint8_t *entry;
	char path[TILE_PATH_MAX];
	unsigned n = 0;
	struct rbuf r;
	size_t len;
	int rc;

	if (width == 0)
		return read_last(l, e);
	tile_path(path, TILE_ENTRIES, l->edge.size / TILE_WIDTH, width);
	rc = disk_read(l->disk, path, &l->open);
	if (rc < 0)
		return err_sys(e, rc == -ENOENT ? AMBIT_MALFORMED : AMBIT_SYSTEM, -rc, NULL,
			       "cannot read %s of the ledger", path);
	rbuf_init(&r, l->open.data, l->open.len);
	for (; n < width && (entry = bundle_next(&r, &len)) != NULL; n++) {
		struct hash leaf;

		merkle_leaf(entry, len, &leaf);
		if (!hash_is(&leaf, &l->edge.row[0][n]))
			break;
		keep_last(l, entry, len);
	}
	return n == width && rbuf_done(&r) ? 0 : damaged(e, path);
}

static bool is_missing(struct log *l, const char *name)
{
	auto_buf nothing = { .max = 0 };

	return disk_read(l->disk, name, &nothing) == -ENOENT;
}

/* The checkpoint is the first that a log gets. */
static bool is_new(struct log *l)
{
	return is_missing(l, LEDGER_JOURNAL) && is_missing(l, "tile");
}

/* What is under the checkpoint. */
static int read_published(struct log *l, struct err *e)
{
	const struct tile_source source = { read_tile, l };
	struct hash root, signed_root;
	auto_buf note = { .max = 0 };
	uint64_t size;
	int r;

	buf_init(&note, NOTE_MAX);
	r = disk_read(l->disk, LEDGER_CHECKPOINT, &note);
	if (r == -ENOENT)
		return is_new(l) ? 0 : damaged(e, "its checkpoint is gone");
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read the ledger's checkpoint");
	r = head_take(&l->key->public, note.data, note.len, &size, &signed_root, e);
	if (r == 0)
		r = edge_load(&l->edge, size, &source, e);
	if (r < 0)
		return r;
	edge_root(&l->edge, &root);
	if (!hash_is(&root, &signed_root))
		return damaged(e, "tiles and checkpoint do not fit");
	l->published[0] = l->published[1] = size;
	l->any_published = true;
	return read_open_bundle(l, e);
}

static int take_group(struct log *l, const struct journal_group *g)
{
	const uint8_t *entry;
	struct rbuf r;
	size_t len;
	int rc = 0;

	rbuf_init(&r, g->entries, g->bytes);
	while (rc == 0 && (entry = bundle_next(&r, &len)) != NULL) {
		rc = take_entry(l, entry, len);
		keep_last(l, entry, len);
	}
	return rc;
}

/* Who could write there and has not the key wrote it. What the ledger accepted may stand before it and behind it, so it is for a person to
 * say what goes. */
static int foreign(struct err *e, uint64_t first, size_t at)
{
	return err_set(
		e, AMBIT_UNTRUSTED,
		"see what it is (`ambit ledger show`) and who can write there; to go on without it and what follows, keep a copy "
		"and cut it off (truncate -s BYTE log/journal)",
		"the ledger's journal has entries that the ledger did not write, from byte %zu on (entry %" PRIu64 ")",
		at, first);
}

/* 1: it is taken, or was folded just before a death; 0: it does not follow, as a torn one. It is tried on another edge first: an entry
 * cannot be taken back. */
static int read_group(struct log *l, const struct journal_group *g, size_t at, struct edge *tried, struct err *e)
{
	if (g->first + g->n <= l->published[0])
		return 1;
	*tried = l->edge;
	if (!journal_follows(g, tried))
		return 0;
	if (!journal_is_ours(g, tried, l->key->secret))
		return foreign(e, g->first, at);
	return take_group(l, g) < 0 ? err_set(e, AMBIT_MEMORY, NULL, "out of memory") : 1;
}

/* The groups behind the checkpoint, up to the first that is not whole. */
static int read_groups(struct log *l, const struct buf *bytes, struct log_found *found, struct err *e)
{
	auto_free struct edge *tried = calloc(1, sizeof *tried);
	struct journal_group g;
	struct rbuf r;
	size_t whole = 0;
	int rc = 1;

	if (tried == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "out of memory");
	rbuf_init(&r, bytes->data, bytes->len);
	while (rc == 1 && rbuf_left(&r) > 0 && journal_next(&r, &g)) {
		rc = read_group(l, &g, whole, tried, e);
		whole = rc == 1 ? r.at : whole;
	}
	found->replayed = l->edge.size - found->signed_size;
	found->torn_bytes = bytes->len - whole;
	return rc < 0 ? rc : 0;
}

static int read_journal(struct log *l, struct log_found *found, struct err *e)
{
	auto_buf bytes = { .max = 0 };
	int r;

	buf_init(&bytes, 2 * (size_t)LOG_JOURNAL_MAX + LOG_GROUP_MAX);
	r = disk_read(l->disk, LEDGER_JOURNAL, &bytes);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read the ledger's journal");
	if (journal_is_older(bytes.data, bytes.len))
		return err_set(
			e, AMBIT_UNAVAILABLE,
			"run an event with the version of Ambit that wrote it: when that ledger ends, its journal is empty",
			"the ledger's journal is of an older form");
	return read_groups(l, &bytes, found, e);
}

/* What was found becomes the published state, and the journal is empty. The groups that were found, and what they name beside the log, may not
 * be on disk yet: who wrote them was killed. */
static int begin(struct log *l, const struct log_found *found, struct err *e)
{
	int r = found->replayed > 0 ? disk_sync_all(l->disk) : 0;

	if (r < 0)
		return disk_error(e, r, "the journal");
	if (!l->any_published || found->replayed > 0)
		return log_publish(l, e);
	r = disk_journal_begin(l->disk, LEDGER_JOURNAL);
	return r < 0 ? disk_error(e, r, "the journal") : 0;
}

int log_open(struct disk *disk, const struct log_key *key, struct log **ret, struct log_found *ret_found, struct err *e)
{
	struct log *l = calloc(1, sizeof *l);
	struct log_found found = { 0 };
	int r;

	if (l == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "out of memory");
	l->disk = disk;
	l->key = key;
	edge_init(&l->edge);
	buf_init(&l->full, BEHIND_TILES * sizeof(struct full_tile));
	buf_init(&l->open, BUNDLE_MAX + BEHIND_BYTES);
	buf_init(&l->group, JOURNAL_HEAD_BYTES + LOG_GROUP_MAX + JOURNAL_TAIL_BYTES);
	begin_group(l);
	buf_init(&l->last, ENTRY_BYTES_MAX);
	r = read_published(l, e);
	found.signed_size = l->edge.size;
	if (r == 0)
		r = read_journal(l, &found, e);
	if (r == 0)
		r = begin(l, &found, e);
	if (r < 0) {
		log_close(l);
		return r;
	}
	*ret = l;
	*ret_found = found;
	return 0;
}

void log_close(struct log *l)
{
	if (l == NULL)
		return;
	buf_finish(&l->full);
	buf_finish(&l->open);
	buf_finish(&l->group);
	buf_finish(&l->last);
	free(l);
}
