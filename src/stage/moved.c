#include "stage/moved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "core/change.h"
#include "stage/run.h"

#define SEED UINT64_C(0x6d6f766564000001) /* "moved", and a version: the rows of another one are torn to this one */
#define NONE UINT32_MAX

_Static_assert(MOVED_ROW_BYTES == 1 + 8 + 8 + 2 * IDENT_BYTES + 8, "as put_row() writes it");

struct moved_row {
	uint8_t kind; /* enum moved_kind */
	uint64_t event, at_ns;
	struct ident before, after;
	/* found when it is read */
	const struct ident *first;    /* as what it was first known; on a row */
	const struct ident *under;    /* MOVED_DIR, MOVED_PART: the same of what there was before */
	const struct moved_row *made; /* MOVED_BACK: what it took back, the first of them */
	const struct ident *prev;     /* what it was in the tree, or on the way there; NULL: nobody knows */
	uint64_t until_ns;            /* and was there until then; 0: it was not */
	uint32_t next;                /* of the same index */
};

struct moved_dir {
	uint16_t tree;
	const char *path; /* the deed's */
	size_t n;         /* of path */
	uint32_t times;   /* of an undo: so many commits did something in it */
	struct ident first, last;
	bool seen, broken; /* broken: somebody else was there */
};

static bool is_equal(const struct ident *x, const struct ident *y)
{
	return ident_is_same(x, y, false) && x->mode == y->mode;
}

void moved_finish(struct moved *m)
{
	free(m->rows);
	free(m->index);
	free(m->notes);
	free(m->dirs);
	*m = (struct moved){ .n = 0 };
}

/* --- the file --- */

static void put_row(struct buf *out, const struct moved_row *row)
{
	const size_t at = out->len;

	buf_put_u8(out, row->kind);
	buf_put_u64(out, row->event);
	buf_put_u64(out, row->at_ns);
	ident_put(out, &row->before);
	ident_put(out, &row->after);
	if (!out->failed)
		buf_put_u64(out, fnv(SEED, out->data + at, out->len - at));
}

static bool get_row(struct rbuf *in, struct moved_row *ret)
{
	const uint64_t sum = fnv(SEED, in->data + in->at, MOVED_ROW_BYTES - 8);

	*ret = (struct moved_row){ .kind = rbuf_u8(in) };
	ret->event = rbuf_u64(in);
	ret->at_ns = rbuf_u64(in);
	ident_get(in, &ret->before);
	ident_get(in, &ret->after);
	return rbuf_u64(in) == sum && !in->failed;
}

static int open_store(int stage_fd)
{
	return sys_open_name(stage_fd, "..", O_RDONLY | O_DIRECTORY);
}

/* Its last records, at most max. 0 or -errno; nothing is there: 0 of them. */
static int read_file(int store, uint32_t max, uint8_t **ret, size_t *ret_n)
{
	auto_fd int fd = sys_open_name(store, MOVED_NAME, O_RDONLY);
	auto_free uint8_t *bytes = NULL;
	struct look l;
	uint64_t size, skip;
	ssize_t got;
	int r = fd == -ENOENT ? 0 : fd;

	*ret_n = 0;
	if (fd < 0)
		return r;
	r = sys_look(fd, "", &l);
	if (r < 0 || !S_ISREG(l.id.mode))
		return r < 0 ? r : -EINVAL;
	size = l.id.size - l.id.size % MOVED_ROW_BYTES;
	skip = size > (uint64_t)max * MOVED_ROW_BYTES ? size - (uint64_t)max * MOVED_ROW_BYTES : 0;
	bytes = malloc((size_t)(size - skip) + 1);
	if (bytes == NULL)
		return -ENOMEM;
	if (lseek(fd, (off_t)skip, SEEK_SET) < 0)
		return -errno;
	got = fd_read_all(fd, bytes, (size_t)(size - skip));
	if (got < 0)
		return (int)got;
	*ret_n = (size_t)got;
	*ret = steal_ptr(&bytes);
	return 0;
}

/* --- what the records say together --- */

static uint32_t bucket_of(const struct moved *m, const struct ident *id)
{
	const uint64_t numbers[] = { id->dev, id->ino, (uint64_t)id->ctime_ns };

	return (uint32_t)(fnv(SEED, numbers, sizeof numbers) >> 20) & (m->n_index - 1);
}

/* The latest row that left it so. */
static const struct moved_row *row_of(const struct moved *m, const struct ident *id)
{
	if (m->n_index == 0)
		return NULL;
	for (uint32_t i = m->index[bucket_of(m, id)]; i != NONE; i = m->rows[i].next)
		if (is_equal(&m->rows[i].after, id))
			return &m->rows[i];
	return NULL;
}

static const struct ident *first_of(const struct moved *m, const struct ident *id)
{
	const struct moved_row *row = row_of(m, id);

	return row != NULL ? row->first : id;
}

static bool is_made_by(const struct moved_row *row, uint64_t event)
{
	return row != NULL && (row->kind == MOVED_DIR || row->kind == MOVED_PART) && row->event == event;
}

/* Of the commits of an event that made a directory what it is, one upon the other: the first, and how many; NULL: 0. */
static const struct moved_row *made_by(const struct moved *m, const struct ident *now, uint64_t event, uint32_t *ret_n)
{
	const struct moved_row *made = NULL, *next = row_of(m, first_of(m, now));

	for (*ret_n = 0; is_made_by(next, event) && (made == NULL || next < made); ++*ret_n) {
		made = next;
		next = row_of(m, made->under);
	}
	return made;
}

/* An undo: it is again what it was before the commits of that event, of each of which there was a row (note_dirs). */
static void go_under(const struct moved *m, struct moved_row *row)
{
	uint32_t unused;
	const struct moved_row *made = made_by(m, &row->before, row->event, &unused);

	row->made = made;
	row->first = made != NULL ? made->under : &row->after;
	row->prev = made != NULL ? &made->before : NULL;
	row->until_ns = made != NULL ? made->at_ns : 0;
}

#define LOOK_BACK 64 /* rows: so often a directory is changed between an undo and what brings that back */

/* A commit of all of an event, which was undone from here: what it made then it makes again. */
static void make_again(const struct moved *m, struct moved_row *row)
{
	const struct moved_row *old = row_of(m, &row->before);

	for (unsigned n = 0; old != NULL && n < LOOK_BACK; n++, old = row_of(m, &old->before))
		if (old->kind == MOVED_BACK && old->event == row->event && old->made != NULL &&
		    old->made->kind == MOVED_DIR && is_equal(old->first, row->under) &&
		    is_equal(first_of(m, &old->before), old->made->first)) {
			row->first = old->made->first;
			row->prev = &old->before;
			row->until_ns = old->at_ns;
			return;
		}
}

/* Of the rows before it everything is known, and of those after it nothing. */
static void settle(const struct moved *m, struct moved_row *row)
{
	row->first = &row->after;
	row->prev = &row->before;
	switch (row->kind) {
	case MOVED_OUT: row->until_ns = row->at_ns; __attribute__((fallthrough));
	case MOVED_IN:
	case MOVED_ON: row->first = first_of(m, &row->before); break;
	case MOVED_DIR:
	case MOVED_PART:
		row->under = first_of(m, &row->before);
		row->prev = NULL;
		if (row->kind == MOVED_DIR)
			make_again(m, row);
		break;
	case MOVED_BACK: go_under(m, row); break;
	default: row->prev = NULL;
	}
}

void moved_load(struct moved *ret, int stage_fd)
{
	auto_fd int store = open_store(stage_fd);
	auto_free uint8_t *bytes = NULL;
	struct rbuf in;
	size_t n = 0, most;

	if (store < 0 || read_file(store, MOVED_MAX, &bytes, &n) < 0 || n == 0)
		return;
	most = n / MOVED_ROW_BYTES;
	for (ret->n_index = 64; ret->n_index < most; ret->n_index *= 2)
		;
	ret->rows = calloc(most, sizeof ret->rows[0]);
	ret->index = malloc(ret->n_index * sizeof ret->index[0]);
	if (ret->rows == NULL || ret->index == NULL) {
		moved_finish(ret);
		return;
	}
	memset(ret->index, 0xff, ret->n_index * sizeof ret->index[0]);
	rbuf_init(&in, bytes, n);
	for (size_t i = 0; i < most; i++) {
		struct moved_row *row = &ret->rows[ret->n];
		uint32_t *bucket;

		if (!get_row(&in, row))
			continue; /* torn */
		settle(ret, row);
		bucket = &ret->index[bucket_of(ret, &row->after)];
		row->next = *bucket;
		*bucket = ret->n++;
	}
}

bool moved_is_same(const struct moved *m, const struct ident *was, const struct ident *now)
{
	return is_equal(first_of(m, was), first_of(m, now));
}

void moved_first(const struct moved *m, struct ident *id)
{
	const struct ident *first = first_of(m, id);

	id->dev = first->dev;
	id->ino = first->ino;
	id->ctime_ns = first->ctime_ns;
}

/* Rows lead to earlier ones: each is the latest that left its object so, but must have been there when the next was written. */
bool moved_was_there(const struct moved *m, const struct ident *now, int64_t t0_ns, uint64_t ended_ns,
		     int64_t (*latest)(const struct ident *i))
{
	const struct moved_row *row = row_of(m, now), *before = NULL;

	for (; row != NULL && row->prev != NULL && (before == NULL || row < before); row = row_of(m, row->prev)) {
		if (ended_ns != 0 && ended_ns < row->until_ns && latest(row->prev) < t0_ns)
			return true;
		before = row;
	}
	return false;
}

/* --- recording --- */

static int by_place(const void *left, const void *right)
{
	const struct moved_dir *const x = left, *const y = right;
	const size_t n = x->n < y->n ? x->n : y->n;
	const int r = memcmp(x->path, y->path, n);

	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	return r != 0 ? r : (x->n > y->n) - (x->n < y->n);
}

void moved_begin(struct moved *m, const struct deed *d, bool notes_in)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	m->at_ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	m->event = fnv(SEED, d->event, strlen(d->event));
	m->notes_in = notes_in;
}

void moved_watch(struct moved *m, const struct deed *d)
{
	size_t n = 0;

	m->dir_kind = d->way == DEED_UNDO ? MOVED_BACK : d->left == 0 && d->batch == 0 ? MOVED_DIR : MOVED_PART;
	m->dirs = calloc(d->dirs.n + 1, sizeof m->dirs[0]);
	if (m->dirs == NULL)
		return;
	for (size_t i = 0; i < d->dirs.n; i++) {
		const struct op *op = &d->dirs.ops[i];

		if (op->b.ino == 0 || (op->flags & OP_STAGED) != 0)
			continue; /* a new one */
		m->dirs[m->n_dirs++] = (struct moved_dir){ .tree = op->tree, .path = op->path, .n = strlen(op->path) };
	}
	if (m->n_dirs > 1)
		qsort(m->dirs, m->n_dirs, sizeof m->dirs[0], by_place);
	for (size_t i = 0; i < m->n_dirs; i++) {
		if (n == 0 || by_place(&m->dirs[n - 1], &m->dirs[i]) != 0)
			m->dirs[n++] = m->dirs[i];
		m->dirs[n - 1].times++;
	}
	m->n_dirs = n;
}

void moved_unwatch(struct moved *m)
{
	free(m->dirs);
	m->dirs = m->last = NULL;
	m->n_dirs = 0;
}

void moved_note(struct moved *m, enum moved_kind kind, const struct ident *before, const struct ident *after)
{
	if (is_equal(before, after) || (kind == MOVED_IN && !m->notes_in))
		return;
	if (ident_has_seconds(after))
		return; /* somebody else's change may have that time, too */
	if (m->n_notes == m->room) {
		const uint32_t room = m->room == 0 ? 64 : m->room * 2;
		struct moved_row *notes = reallocarray(m->notes, room, sizeof notes[0]);

		if (notes == NULL)
			return;
		m->notes = notes;
		m->room = room;
	}
	m->notes[m->n_notes++] = (struct moved_row){
		.kind = (uint8_t)kind, .event = m->event, .at_ns = m->at_ns, .before = *before, .after = *after
	};
}

static struct moved_dir *find_dir(struct moved *m, uint16_t tree, const char *path, size_t n)
{
	const struct moved_dir want = { .tree = tree, .path = path, .n = n };

	if (m->last != NULL && by_place(m->last, &want) == 0)
		return m->last;
	m->last = m->n_dirs == 0 ? NULL : bsearch(&want, m->dirs, m->n_dirs, sizeof want, by_place);
	return m->last;
}

void moved_note_dir(struct moved *m, uint16_t tree, const char *path, size_t n, const struct ident *before,
		    const struct ident *after)
{
	struct moved_dir *dir = find_dir(m, tree, path, n);

	if (dir == NULL)
		return;
	if (!dir->seen)
		dir->first = *before;
	else if (!is_equal(&dir->last, before))
		dir->broken = true;
	dir->seen = true;
	dir->last = *after;
}

/* What an undo took back must be known, or more would be gone than the rows say. */
static bool is_known(const struct moved *m, const struct moved_dir *dir)
{
	uint32_t n = 0;

	if (!dir->seen || dir->broken)
		return false;
	if (m->dir_kind == MOVED_BACK)
		(void)made_by(m, &dir->first, m->event, &n);
	return m->dir_kind != MOVED_BACK || n == dir->times;
}

static void note_dirs(struct moved *m)
{
	for (size_t i = 0; i < m->n_dirs; i++)
		if (is_known(m, &m->dirs[i]))
			moved_note(m, (enum moved_kind)m->dir_kind, &m->dirs[i].first, &m->dirs[i].last);
	moved_unwatch(m);
}

/* The newer half of what is there, and what comes now, in another file. */
static int write_anew(int store, struct buf *out)
{
	auto_free uint8_t *old = NULL;
	auto_fd int fd = -1;
	size_t n = 0;
	int r = read_file(store, MOVED_MAX / 2, &old, &n);

	(void)sys_unlink(store, MOVED_NAME ".new", 0); /* of a crash; mostly there is none */
	fd = r < 0 ? r : sys_create(store, MOVED_NAME ".new", 0600);
	r = fd < 0 ? fd : sys_write(fd, old, n);
	if (r == 0)
		r = sys_write(fd, out->data, out->len);
	if (r == 0)
		r = sys_move(store, MOVED_NAME ".new", store, MOVED_NAME, 0);
	if (r < 0)
		(void)sys_unlink(store, MOVED_NAME ".new", 0); /* a full disk has no room for it */
	return r;
}

/* Behind whole records only: what was torn off would put all that follows out of step. */
static int append(int store, struct buf *out)
{
	auto_fd int fd = sys_open_append(store, MOVED_NAME);
	struct look l;
	int r = fd < 0 ? fd : sys_look(fd, "", &l);

	if (r < 0)
		return r;
	if (l.id.size + out->len > (uint64_t)MOVED_MAX * MOVED_ROW_BYTES)
		return write_anew(store, out);
	if (l.id.size % MOVED_ROW_BYTES != 0)
		r = sys_truncate(fd, l.id.size - l.id.size % MOVED_ROW_BYTES);
	return r < 0 ? r : sys_write(fd, out->data, out->len);
}

void moved_save(struct moved *m, int stage_fd)
{
	auto_fd int store = -1;
	auto_buf out = { .max = 0 };

	note_dirs(m);
	if (m->n_notes == 0)
		return;
	buf_init(&out, (size_t)MOVED_MAX / 2 * MOVED_ROW_BYTES);
	for (uint32_t i = m->n_notes > MOVED_MAX / 2 ? m->n_notes - MOVED_MAX / 2 : 0; i < m->n_notes; i++)
		put_row(&out, &m->notes[i]);
	m->n_notes = 0;
	store = out.failed ? -1 : open_store(stage_fd);
	if (store >= 0)
		(void)append(store, &out); /* else it counts as changed */
}
