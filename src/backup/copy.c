#include "backup/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ledger/head.h"
#include "ledger/layout.h"
#include "ledger/payload.h"
#include "ledger/tile.h"

#define SETTLE_EACH 8192u /* files: a list of names of bounded length is kept until they are on disk */
#define PROGRESS_EACH 64u /* bundles */
#define NEW LEDGER_PAYLOAD "/new"

static int cannot_write(struct err *e, int r)
{
	return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
		       "make room, or see who may write there; what was there before still is",
		       "cannot write the copy");
}

/* ---- what is there ---- */

static bool is_of_copy(const char *name)
{
	return strcmp(name, LEDGER_LOG) == 0 || strcmp(name, LEDGER_PAYLOAD) == 0 || strcmp(name, LEDGER_WITNESS) == 0;
}

/* A journal of the ledger's own would be one; in a copy there is none. */
static bool is_of_log(const char *name)
{
	static const char *const names[] = { "tile", LEDGER_CHECKPOINT, LEDGER_CHECKPOINT ".new", LEDGER_PUBLIC,
					     LEDGER_PUBLIC ".new" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int refuse_other(struct err *e)
{
	return err_set(e, AMBIT_CONFLICT, "name a directory that is new, or has a copy of this log",
		       "there is something else than a copy of a log");
}

struct looking {
	bool (*is_good)(const char *name);
	bool good; /* all of them are */
};

static void look_at_name(void *arg, const char *name)
{
	struct looking *l = arg;

	l->good = l->good && (name[0] == '.' || l->is_good(name));
}

/* What is there is a copy, or the beginning of one, or nothing. */
static int look_at_names(int fd, bool (*is_good)(const char *name), struct err *e)
{
	const struct source there = { .dir_fd = fd };
	struct looking l = { .is_good = is_good, .good = true };
	const int r = source_names(&there, look_at_name, &l);

	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot list what is there") : l.good ? 0 : refuse_other(e);
}

/* Whether the checkpoint that is there is of the beginning of this log. */
static int look_at_checkpoint(const struct snapshot *s, struct disk *to, bool *ret_any, uint64_t *ret_size,
			      struct err *e)
{
	static const char hint[] = "keep it, and copy this one to another place: one of them was put back or rewritten";
	auto_buf note = { .max = NOTE_MAX };
	struct hash root, old_root;
	int r = disk_read(to, LEDGER_CHECKPOINT, &note);

	*ret_size = 0;
	*ret_any = r != -ENOENT;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read the checkpoint that is there");
	r = head_take(&s->key, note.data, note.len, ret_size, &old_root, NULL);
	if (r < 0)
		return err_set(e, AMBIT_CONFLICT, "name another directory",
			       "there is a copy of another log, or of one with another key");
	if (*ret_size > s->size)
		return err_set(e, AMBIT_CONFLICT, hint, "the copy has %" PRIu64 " entries, and the ledger %" PRIu64,
			       *ret_size, s->size);
	r = snapshot_root(s, *ret_size, &root, e);
	if (r < 0)
		return r;
	return hash_is(&root, &old_root)
		       ? 0
		       : err_set(e, AMBIT_CONFLICT, hint, "the copy has other entries than the ledger begins with");
}

/* ---- the log ---- */

struct copying {
	const struct snapshot *s;
	struct disk *to;
	bool any_old; /* there is a checkpoint, */
	uint64_t old; /* of so many entries */
	unsigned unsettled;
	struct err *e;
};

static int put_file(struct copying *c, const char *path, const void *bytes, size_t n)
{
	int r = disk_write(c->to, path, bytes, n);

	if (r == 0 && ++c->unsettled == SETTLE_EACH) {
		r = disk_settle(c->to);
		c->unsettled = 0;
	}
	return r < 0 ? cannot_write(c->e, r) : 0;
}

static int unreadable(struct copying *c, const char *path, int r)
{
	return err_sys(c->e, r == -ENOENT || r == -EBADMSG ? AMBIT_MALFORMED : AMBIT_SYSTEM, -r,
		       "`ambit ledger verify` says more; the copy is as it was", "cannot read %s of the ledger", path);
}

static int not_signed(struct copying *c, const char *path)
{
	(void)err_set(c->e, AMBIT_MALFORMED, "`ambit ledger verify` says more; the copy is as it was",
		      "the ledger is not what was signed");
	return err_why(c->e, -AMBIT_MALFORMED, "%s", path);
}

/* It stands under the old checkpoint as it is: written once more it would be lost by a death in between. */
static bool is_there(const struct copying *c, unsigned level, uint64_t index)
{
	return tile_width(c->old, level, index) == tile_width(c->s->size, level, index);
}

/* A full tile hangs on its hash in the one above; those at the edge lead to the root (check_edge). */
static bool is_signed(const struct copying *c, unsigned level, uint64_t index, const struct hash row[TILE_WIDTH])
{
	struct hash above[TILE_WIDTH], hash;

	if (index == tile_at_edge(c->s->size, level))
		return true;
	merkle_row(row, TILE_WIDTH, &hash);
	return level + 1 < TILE_LEVELS && snapshot_tile(c->s, level + 1, index / TILE_WIDTH, above) == 0 &&
	       hash_is(&hash, &above[index % TILE_WIDTH]);
}

static int check_edge(struct copying *c)
{
	struct hash root;

	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (c->s->tile_error[level] < 0)
			return unreadable(c, "a tile at the edge", c->s->tile_error[level]);
	edge_root(&c->s->edge, &root);
	return hash_is(&root, &c->s->root) ? 0 : not_signed(c, "the tiles do not lead to the root");
}

static int put_tile(struct copying *c, unsigned level, uint64_t index)
{
	const unsigned width = tile_width(c->s->size, level, index);
	struct hash row[TILE_WIDTH];
	char path[TILE_PATH_MAX];
	int r;

	if (is_there(c, level, index))
		return 0;
	tile_path(path, level, index, width);
	r = snapshot_tile(c->s, level, index, row);
	if (r < 0)
		return unreadable(c, path, r);
	return is_signed(c, level, index, row) ? put_file(c, path, row, width * sizeof row[0]) : not_signed(c, path);
}

/* Each entry against its hash in the lowest tile. */
static bool has_leaves(struct rbuf bundle, const struct hash *row, unsigned width)
{
	const uint8_t *entry;
	struct hash leaf;
	unsigned n = 0;
	size_t len;

	while ((entry = bundle_next(&bundle, &len)) != NULL) {
		merkle_leaf(entry, len, &leaf);
		if (n == width || !hash_is(&leaf, &row[n++]))
			return false;
	}
	return n == width && rbuf_done(&bundle);
}

static int put_bundle(struct copying *c, uint64_t index, struct buf *room)
{
	const unsigned width = tile_width(c->s->size, 0, index);
	struct hash row[TILE_WIDTH];
	char path[TILE_PATH_MAX];
	struct rbuf bytes;
	int r;

	if (is_there(c, 0, index))
		return 0;
	tile_path(path, TILE_ENTRIES, index, width);
	r = snapshot_bundle(c->s, index, room, &bytes);
	r = r < 0 ? r : snapshot_tile(c->s, 0, index, row);
	if (r < 0)
		return unreadable(c, path, r);
	return has_leaves(bytes, row, width) ? put_file(c, path, bytes.data, bytes.len) : not_signed(c, path);
}

static int put_bundles(struct copying *c, verify_progress_fn *progress)
{
	auto_buf room = { .max = SOURCE_BUNDLE_MAX };
	int r = 0;

	for (uint64_t i = c->old / TILE_WIDTH; i <= c->s->size / TILE_WIDTH && r == 0; i++) {
		r = put_bundle(c, i, &room);
		if (progress != NULL && i % PROGRESS_EACH == 0)
			progress(NULL, i * TILE_WIDTH, c->s->size);
	}
	return r;
}

static int put_tiles(struct copying *c)
{
	int r = 0;

	for (unsigned level = 0; level < TILE_LEVELS; level++)
		for (uint64_t i = tile_at_edge(c->old, level); i <= tile_at_edge(c->s->size, level) && r == 0; i++)
			r = put_tile(c, level, i);
	return r;
}

static int put_key(struct copying *c)
{
	uint8_t room[VKEY_TEXT_MAX + 1];
	struct buf text;
	int r;

	buf_init_in(&text, room, sizeof room);
	vkey_put(&text, &c->s->key);
	buf_put_u8(&text, '\n');
	r = disk_replace(c->to, LEDGER_PUBLIC, text.data, text.len);
	return r < 0 ? cannot_write(c->e, r) : 0;
}

/* Those of the old checkpoint that the new one has in another width. A death here leaves them: they harm nobody. */
static void remove_narrow(struct copying *c)
{
	for (unsigned level = 0; level <= TILE_LEVELS; level++) {
		const unsigned of = level < TILE_LEVELS ? level : 0, name = level < TILE_LEVELS ? level : TILE_ENTRIES;
		const uint64_t index = tile_at_edge(c->old, of);
		const unsigned width = tile_width(c->old, of, index), now = tile_width(c->s->size, of, index);
		char path[TILE_PATH_MAX];

		if (width == 0 || width == now)
			continue;
		tile_path(path, name, index, width);
		if (now < TILE_WIDTH) {
			(void)disk_remove(c->to, path);
		} else {
			*strrchr(path, '/') = 0; /* "000.p" */
			(void)disk_remove_directory(c->to, path);
		}
	}
}

/* ---- the records ---- */

static int copy_bytes(int from, int to, uint8_t ret_digest[SHA256_BYTES])
{
	static uint8_t piece[1u << 16];
	struct sha256 sum;
	uint64_t left = PAYLOAD_MAX + PAYLOAD_SALT;
	ssize_t n;
	int r = 0;

	sha256_init(&sum);
	do {
		n = fd_read_all(from, piece, sizeof piece);
		if (n <= 0)
			break;
		if ((uint64_t)n > left)
			return -EFBIG;
		left -= (uint64_t)n;
		sha256_add(&sum, piece, (size_t)n);
		r = fd_write_all(to, piece, (size_t)n);
	} while (r == 0);
	sha256_end(&sum, ret_digest);
	return n < 0 ? (int)n : r;
}

/* 1; 0: it is not what its name says; -errno of the copy. */
static int copy_one(const struct source *from, int to_fd, const char *name, const uint8_t want[SHA256_BYTES])
{
	char path[sizeof LEDGER_PAYLOAD + PAYLOAD_NAME_MAX];
	uint8_t got[SHA256_BYTES];
	auto_fd int in = source_open_file(from, name), out = -1;
	int r;

	if (in < 0)
		return 0;
	(void)snprintf(path, sizeof path, LEDGER_PAYLOAD "/%s", name); /* it fits */
	(void)unlinkat(to_fd, NEW, 0);
	out = openat(to_fd, NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = out < 0 ? -errno : copy_bytes(in, out, got);
	if (r == -EFBIG || (r == 0 && memcmp(got, want, sizeof got) != 0)) {
		(void)unlinkat(to_fd, NEW, 0);
		return 0;
	}
	if (r == 0 && renameat(to_fd, NEW, to_fd, path) < 0)
		r = -errno;
	return r < 0 ? r : 1;
}

static int take_record(const struct source *from, int to_fd, const char *name, struct copied *ret)
{
	char path[sizeof LEDGER_PAYLOAD + PAYLOAD_NAME_MAX];
	uint8_t digest[SHA256_BYTES];
	struct stat st, there;
	int r;

	if (!payload_name_take(name, strlen(name), digest))
		return 0;
	(void)snprintf(path, sizeof path, LEDGER_PAYLOAD "/%s", name); /* it fits */
	ret->records++;
	/* another length: the power was lost before it was on disk */
	if (fstatat(to_fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (fstatat(from->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_size == there.st_size))
		return 0;
	r = copy_one(from, to_fd, name, digest);
	ret->records_added += r == 1;
	ret->records_bad += r == 0;
	return r < 0 ? r : 0;
}

struct records {
	struct source from;
	int to_fd;
	struct copied *ret;
	int failed; /* -errno of the first that could not be written, behind which none is tried */
};

static void take_name(void *arg, const char *name)
{
	struct records *r = arg;

	if (r->failed == 0)
		r->failed = take_record(&r->from, r->to_fd, name, r->ret);
}

static int put_records(const char *from_path, int to_fd, struct copied *ret, struct err *e)
{
	struct records records = { .to_fd = to_fd, .ret = ret };
	int r = source_open(from_path, &records.from, e);

	if (r < 0)
		return r;
	if (mkdirat(to_fd, LEDGER_PAYLOAD, 0700) < 0 && errno != EEXIST)
		r = -errno;
	r = r < 0 ? r : source_names(&records.from, take_name, &records);
	source_close(&records.from);
	r = r < 0 ? r : records.failed;
	return r < 0 ? cannot_write(e, r) : 0;
}

/* ---- in order ---- */

static int put_all(struct copying *c, verify_progress_fn *progress)
{
	int r = check_edge(c), settled;

	r = r < 0 ? r : put_bundles(c, progress);
	r = r < 0 ? r : put_tiles(c);
	if (r < 0)
		return r;
	settled = disk_settle(c->to);
	settled = settled < 0 ? settled : disk_sync_all(c->to); /* the records, too */
	return settled < 0 ? cannot_write(c->e, settled) : put_key(c);
}

static int put_checkpoint(struct copying *c)
{
	const int r = disk_replace(c->to, LEDGER_CHECKPOINT, c->s->checkpoint.data, c->s->checkpoint.len);

	if (r < 0)
		return cannot_write(c->e, r);
	if (c->old > 0)
		remove_narrow(c);
	return 0;
}

static int open_log(int to_fd, int *ret_fd, struct err *e)
{
	const int r = look_at_names(to_fd, is_of_copy, e);

	if (r < 0)
		return r;
	if (mkdirat(to_fd, LEDGER_LOG, 0700) < 0 && errno != EEXIST)
		return cannot_write(e, -errno);
	*ret_fd = openat(to_fd, LEDGER_LOG, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? refuse_other(e) : look_at_names(*ret_fd, is_of_log, e);
}

int copy_log(const struct snapshot *s, const char *records, int to_fd, verify_progress_fn *progress, struct copied *ret,
	     struct err *e)
{
	struct copying c = { .s = s, .e = e };
	auto_fd int log_fd = -1;
	int r = open_log(to_fd, &log_fd, e);

	if (r == 0 && disk_create(log_fd, &c.to) < 0)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory for the copy");
	r = r < 0 ? r : look_at_checkpoint(s, c.to, &c.any_old, &c.old, e);
	if (r == 0 && records[0] != 0)
		r = put_records(records, to_fd, ret, e);
	r = r < 0 ? r : put_all(&c, progress);
	if (r == 0 && (!c.any_old || c.old < s->size))
		r = put_checkpoint(&c);
	disk_destroy(c.to);
	ret->size = s->size;
	ret->added = s->size - c.old;
	return r;
}
