#include "ledger/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "ledger/key.h"
#include "ledger/layout.h"
#include "ledger/link.h"
#include "ledger/stamp.h"

#define OLD_PATH_MAX (sizeof LEDGER_PAST + 8)

/* ---- names ---- */

static bool is_there(struct disk *d, const char *name)
{
	unsigned mode;

	return disk_mode(d, name, &mode) != -ENOENT;
}

static int open_directory(int at, const char *name)
{
	const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int sync_one(int fd)
{
	return fsync(fd) < 0 ? -errno : 0;
}

/* A directory that may be there already, on disk. */
static int make_directory(int at, const char *name)
{
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return sync_one(at);
}

static int cannot(struct err *e, int r, const char *what)
{
	return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
		       "make room, or see who may write there", "cannot %s", what);
}

static int in_the_way(struct err *e, int r, const char *what)
{
	static const char hint[] = "it is none of the ledger's: see what it is and who made it, and move it away";

	return r < 0 ? err_sys(e, AMBIT_CONFLICT, -r, hint, "'%s' is in the way of the ledger", what)
		     : err_set(e, AMBIT_CONFLICT, hint, "'%s' is in the way of the ledger", what);
}

/* Of the log that was closed as the nth: where, under `past`. */
static int open_nth(int past_fd, unsigned n, int *ret_fd)
{
	char name[12];
	auto_fd int nth = -1;

	(void)snprintf(name, sizeof name, "%u", n);
	nth = open_directory(past_fd, name);
	*ret_fd = nth < 0 ? nth : open_directory(nth, LEDGER_LOG);
	return *ret_fd < 0 ? *ret_fd : 0;
}

/* How many logs were closed: they are numbered without a gap. */
static int count_past(const struct store *s, unsigned *ret, struct err *e)
{
	auto_fd int past = open_directory(s->dir_fd, LEDGER_PAST);
	char name[OLD_PATH_MAX];
	int r = past < 0 && past != -ENOENT ? past : 0;

	*ret = 0;
	for (; past >= 0 && r == 0 && *ret < LEDGER_PAST_MAX; (*ret)++) {
		auto_fd int fd = -1;

		r = open_nth(past, *ret + 1, &fd);
		if (r < 0)
			break;
	}
	if (r == 0 || r == -ENOENT)
		return *ret < LEDGER_PAST_MAX ? 0 : in_the_way(e, 0, LEDGER_PAST);
	(void)snprintf(name, sizeof name, past < 0 ? LEDGER_PAST : LEDGER_PAST "/%u", *ret + 1);
	return in_the_way(e, r, name);
}

/* ---- one log ---- */

static void log_finish(struct store_log *l)
{
	log_close(l->log);
	disk_destroy(l->disk);
	fd_close(&l->fd);
	*l = (struct store_log){ .fd = -1 };
}

/* Takes the directory. */
static int take_directory(struct store_log *l, int fd, struct err *e)
{
	*l = (struct store_log){ .fd = fd };
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, -fd, "see who may write there",
			       "cannot open a directory of the ledger");
	return disk_create(fd, &l->disk) < 0 ? err_set(e, AMBIT_MEMORY, NULL, "no memory for the ledger") : 0;
}

static int open_log(struct store_log *l, const struct log_key *key, struct err *e)
{
	return log_open(l->disk, key, &l->log, &l->found, e);
}

/* Beside the log, for those who have no better word of it. */
static int put_public(struct store_log *l, const struct log_key *key, struct err *e)
{
	uint8_t room[VKEY_TEXT_MAX + 1];
	struct buf text;
	int r;

	buf_init_in(&text, room, sizeof room);
	vkey_put(&text, &key->public);
	buf_put_u8(&text, '\n');
	r = disk_replace(l->disk, LEDGER_PUBLIC, text.data, text.len);
	return r < 0 ? cannot(e, r, "write the ledger's public key") : 0;
}

/* What the last entry that was found says of another log. */
static int last_link(const struct store_log *l, struct link *ret)
{
	struct entry entry;
	size_t n;
	const void *bytes = log_last(l->log, &n);

	return bytes == NULL || entry_take(bytes, n, &entry, NULL) < 0 ? 0 : link_of(&entry, ret);
}

/* ---- opening ---- */

/* The public half first: where the key is, it was there. */
static int begin_ledger(struct store *s, struct err *e)
{
	int r = key_make(s->key, e);

	r = r < 0 ? r : put_public(&s->current, s->key, e);
	return r < 0 ? r : key_write(s->dir, LEDGER_KEY, s->key, e);
}

/* A log without its key, or a key without its log, is one that somebody lost, or took away: not one to go on with, nor to begin anew
 * under a key that has signed other things of the same sizes. Between the two there is what a death left, or somebody who knows the key
 * put there: it has signed nothing, and is made anew. */
static int get_key(struct store *s, struct err *e)
{
	struct disk *log_dir = s->current.disk;
	const bool has_log = is_there(log_dir, LEDGER_CHECKPOINT) || is_there(log_dir, LEDGER_JOURNAL) ||
			     is_there(log_dir, "tile");
	const bool has_public = is_there(log_dir, LEDGER_PUBLIC);
	bool missing;
	int r = key_read(s->dir, LEDGER_KEY, s->key, &missing, e);

	if (r == 0 && missing && has_log)
		return err_set(e, AMBIT_DENIED, "restore it from a backup, or begin another ledger with --ledger",
			       "the ledger's key is gone, and its log is there");
	if (r == 0 && !missing && !has_log && !has_public)
		return err_set(e, AMBIT_DENIED, "restore it from a backup, or begin another ledger with --ledger",
			       "the ledger's log is gone, and its key is there");
	if (r == 0 && !has_log)
		return begin_ledger(s, e);
	return r < 0 || has_public ? r : put_public(&s->current, s->key, e);
}

static int closed(struct err *e, const char *why)
{
	return err_set(e, AMBIT_CONFLICT, "restore it from a backup, or begin another ledger with --ledger",
		       "the ledger's log was closed, and %s", why);
}

static int take_up(struct store *s, struct err *e);

int store_open(struct store *s, struct err *e)
{
	struct link link;
	int r;

	s->current = (struct store_log){ .fd = -1 };
	if (disk_create(s->dir_fd, &s->dir) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the ledger");
	(void)disk_remove(s->dir, LEDGER_NEXT ".new"); /* of a death in step 1: it has signed nothing */
	r = is_there(s->dir, LEDGER_NEXT) ? take_up(s, e) : 0;
	if (r < 0 || s->current.log != NULL)
		return r;
	r = make_directory(s->dir_fd, LEDGER_LOG);
	if (r < 0)
		return cannot(e, r, "make the ledger's log");
	r = take_directory(&s->current, open_directory(s->dir_fd, LEDGER_LOG), e);
	r = r < 0 ? r : get_key(s, e);
	r = r < 0 ? r : open_log(&s->current, s->key, e);
	if (r == 0 && last_link(&s->current, &link) == 1 && link.kind == LINK_NEXT)
		return closed(e, "the key that comes next ('" LEDGER_NEXT "') is gone");
	return r;
}

void store_close(struct store *s)
{
	log_finish(&s->current);
	disk_destroy(s->dir);
	s->dir = NULL;
}

/* ---- going on in another log ---- */

static int way_is_free(const struct store *s, struct err *e)
{
	char name[OLD_PATH_MAX + sizeof LEDGER_WITNESS];
	struct stat st;
	unsigned n;
	int r;

	if (fstatat(s->dir_fd, LEDGER_LOG_NEXT, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return in_the_way(e, 0, LEDGER_LOG_NEXT);
	if (fstatat(s->dir_fd, LEDGER_NEXT, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return in_the_way(e, 0, LEDGER_NEXT);
	r = count_past(s, &n, e);
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof name, LEDGER_PAST "/%u/" LEDGER_WITNESS, n + 1);
	if (fstatat(s->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return in_the_way(e, 0, name);
	return 0;
}

int store_rotate_begin(struct store *s, struct err *e)
{
	int r = way_is_free(s, e);

	r = r < 0 ? r : key_make(s->next, e);
	if (r < 0)
		return r;
	r = key_write(s->dir, LEDGER_NEXT, s->next, e);
	if (r < 0) {
		(void)disk_remove(s->dir,
				  LEDGER_NEXT); /* it has signed nothing; what stays is taken back at the next start */
		(void)disk_remove(s->dir, LEDGER_NEXT ".new");
	}
	return r;
}

/* The first entry of a log that follows on another. */
static int add_first(struct store *s, struct store_log *new, const struct buf *body, struct err *e)
{
	struct entry entry = { .type = ENTRY_KEY, .body = { .at = body->data, .n = body->len } };
	auto_buf made = { .max = ENTRY_MAX };
	int r;

	stamp(&entry, s->boot);
	r = entry_put(&entry, &made, e);
	r = r < 0 ? r : log_add(new->log, made.data, made.len, e);
	return r < 0 ? r : log_publish(new->log, e);
}

/* It was made before a death, or by somebody else. */
static int check_first(const struct store_log *new, const struct buf *body, struct err *e)
{
	struct entry entry;
	size_t n;
	const void *bytes = log_last(new->log, &n);

	if (log_size(new->log) == 1 && entry_take(bytes, n, &entry, NULL) == 0 && entry.type == ENTRY_KEY &&
	    entry.body.n == body->len && memcmp(entry.body.at, body->data, body->len) == 0)
		return 0;
	return closed(e, "the log that follows is of another one");
}

/* The log that follows on `old`, made or found. */
static int open_next(struct store *s, const struct store_log *old, const char *name, struct store_log *ret,
		     struct err *e)
{
	struct link link = { .kind = LINK_PREVIOUS, .key = s->key->public, .size = log_size(old->log) };
	auto_buf body = { .max = LINK_BODY_MAX };
	int r = make_directory(s->dir_fd, name);

	if (r < 0)
		return cannot(e, r, "make the log that follows");
	log_root(old->log, &link.root);
	link_put(&body, &link);
	if (body.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the ledger");
	r = take_directory(ret, open_directory(s->dir_fd, name), e);
	r = r < 0 ? r : put_public(ret, s->next, e);
	r = r < 0 ? r : open_log(ret, s->next, e);
	if (r < 0)
		return r;
	return log_size(ret->log) == 0 ? add_first(s, ret, &body, e) : check_first(ret, &body, e);
}

static int move(int from, const char *name, int to)
{
	return renameat(from, name, to, name) < 0 ? -errno : 0;
}

/* past/<n>, made where it is missing. */
static int open_place(const struct store *s, unsigned n)
{
	auto_fd int past = -1;
	char name[12];
	int r = make_directory(s->dir_fd, LEDGER_PAST);

	(void)snprintf(name, sizeof name, "%u", n);
	past = r < 0 ? r : open_directory(s->dir_fd, LEDGER_PAST);
	r = past < 0 ? past : make_directory(past, name);
	return r < 0 ? r : open_directory(past, name);
}

static int move_to_past(const struct store *s, const char *what, unsigned n, struct err *e)
{
	auto_fd int nth = open_place(s, n);
	int r = nth < 0 ? nth : move(s->dir_fd, what, nth);

	r = r < 0 ? r : sync_one(nth);
	r = r < 0 ? r : sync_one(s->dir_fd);
	return r < 0 ? cannot(e, r, "move the log that was closed to '" LEDGER_PAST "'") : 0;
}

static int rename_here(const struct store *s, const char *from, const char *to, struct err *e)
{
	int r = renameat(s->dir_fd, from, s->dir_fd, to) < 0 ? -errno : sync_one(s->dir_fd);

	return r < 0 ? cannot(e, r, "put the log that follows, and its key, in place") : 0;
}

/* Where the two logs are that a rotation was about. */
struct found {
	bool old_is_past;  /* after step 4 */
	bool new_is_there; /* after step 5 */
	unsigned n;        /* of the log that was closed */
};

/* The old log, which must have been closed for the next key; opened, which changes nothing of it. */
static int open_old(struct store *s, const struct found *f, struct store_log *ret, struct err *e)
{
	auto_fd int past = f->old_is_past ? open_directory(s->dir_fd, LEDGER_PAST) : -1;
	struct link link;
	int fd = -1, r;

	if (f->old_is_past && (past < 0 || open_nth(past, f->n, &fd) < 0))
		return closed(e, "it is not in '" LEDGER_PAST "'");
	if (!f->old_is_past)
		fd = open_directory(s->dir_fd, LEDGER_LOG);
	r = take_directory(ret, fd, e);
	if (r == 0 && !is_there(ret->disk, LEDGER_CHECKPOINT)) /* it had one; none is begun in its place */
		return err_set(e, AMBIT_DENIED, "restore it from a backup, or begin another ledger with --ledger",
			       "the ledger's log is gone, and its key is there");
	r = r < 0 ? r : open_log(ret, s->key, e);
	if (r < 0)
		return r;
	if (last_link(ret, &link) != 1 || link.kind != LINK_NEXT)
		return f->old_is_past ? closed(e, "what is in '" LEDGER_PAST "' is another") : 0;
	return link_is_key(&link.key, &s->next->public) ? 1
							: closed(e, "'" LEDGER_NEXT "' is not the key that it names");
}

/* Steps 3 to 6, as far as they are not done. */
static int go_on(struct store *s, const struct found *f, const struct store_log *old, struct err *e)
{
	struct store_log new = { .fd = -1 };
	int r = open_next(s, old, f->new_is_there ? LEDGER_LOG : LEDGER_LOG_NEXT, &new, e);

	log_finish(&new);
	if (r == 0 && !f->old_is_past)
		r = move_to_past(s, LEDGER_LOG, f->n, e);
	/* what was cosigned of it goes behind it: while there is no log, nobody has one cosigned */
	if (r == 0 && !f->new_is_there && is_there(s->dir, LEDGER_WITNESS))
		r = move_to_past(s, LEDGER_WITNESS, f->n, e);
	if (r == 0 && !f->new_is_there)
		r = rename_here(s, LEDGER_LOG_NEXT, LEDGER_LOG, e);
	r = r < 0 ? r : rename_here(s, LEDGER_NEXT, LEDGER_KEY, e);
	if (r < 0)
		return r;
	*s->key = *s->next;
	sodium_memzero(s->next, sizeof *s->next);
	r = take_directory(&s->current, open_directory(s->dir_fd, LEDGER_LOG), e);
	return r < 0 ? r : open_log(&s->current, s->key, e);
}

int store_rotate_finish(struct store *s, unsigned *ret_number, struct err *e)
{
	struct store_log old = { .fd = -1 };
	struct found f = { .n = 0 };
	int r;

	log_finish(&s->current);
	r = count_past(s, &f.n, e);
	f.n++;
	r = r < 0 ? r : open_old(s, &f, &old, e);
	if (r == 0)
		r = err_set(e, AMBIT_INTERNAL, NULL, "the log was not closed");
	r = r < 0 ? r : go_on(s, &f, &old, e);
	log_finish(&old);
	*ret_number = f.n;
	return r;
}

/* Whether the log there was signed by this key. */
static bool is_signed_by(const struct store *s, const struct log_key *key)
{
	auto_buf note = { .max = NOTE_MAX };
	struct store_log l;
	struct hash root;
	uint64_t size;
	const bool is = take_directory(&l, open_directory(s->dir_fd, LEDGER_LOG), NULL) == 0 &&
			disk_read(l.disk, LEDGER_CHECKPOINT, &note) == 0 &&
			head_take(&key->public, note.data, note.len, &size, &root, NULL) == 0;

	log_finish(&l);
	return is;
}

/* One that was broken off. Nothing was signed by the next key before the log was closed for it, so that is taken back by removing it. */
static int take_up(struct store *s, struct err *e)
{
	struct store_log old = { .fd = -1 };
	struct found f = { .n = 0 };
	struct stat st;
	bool missing, no_next;
	const bool no_log = fstatat(s->dir_fd, LEDGER_LOG, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
	int r = key_read(s->dir, LEDGER_KEY, s->key, &missing, e);

	if (r < 0 || missing)
		return r; /* told as of any ledger without its key */
	r = key_read(s->dir, LEDGER_NEXT, s->next, &no_next, e);
	f.new_is_there = r == 0 && !no_log && is_signed_by(s, s->next);
	f.old_is_past = no_log || f.new_is_there;
	if (r < 0 && no_log)
		return r;
	r = count_past(s, &f.n, e);
	f.n += f.old_is_past ? 0 : 1;
	r = r < 0 ? r : open_old(s, &f, &old, e);
	if (r == 1)
		r = go_on(s, &f, &old, e);
	else if (r == 0) {
		r = disk_remove(s->dir, LEDGER_NEXT);
		r = r < 0 ? cannot(e, r, "take back a rotation that was broken off") : 0;
	}
	log_finish(&old);
	return r;
}
