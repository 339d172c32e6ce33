#include "authority/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/layout.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/fnv.h"

#define VERSION 1
#define MAGIC_BYTES 8
#define STATE_MAGIC "AMBAUTST"
#define JOURNAL_MAGIC "AMBAUTJN"
#define STATE_HEAD (MAGIC_BYTES + 4 + 4 * 8)
#define JOURNAL_HEAD (MAGIC_BYTES + 4 + 8 + SHA256_BYTES + 8)
#define GROUP_HEAD (4 + 8)
#define GROUP_FRAME (GROUP_HEAD + 8)

/* ---- files ---- */

/* -ENOENT; not blocking: what somebody put there may be a pipe. */
static int read_file(int dir_fd, const char *name, struct buf *ret)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? fd_read_into(fd, ret) : -EINVAL;
}

static int write_at(int fd, const uint8_t *bytes, size_t n, uint64_t at)
{
	while (n > 0) {
		const ssize_t written = pwrite(fd, bytes, n, (off_t)at); /* JOURNAL_MAX, JOURNAL_STATE_MAX */

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -ENOSPC;
		bytes += written;
		n -= (size_t)written;
		at += (uint64_t)written;
	}
	return 0;
}

/* A file that nobody else has open, on disk but for its name. */
static int make_file(int dir_fd, const char *name, const struct buf *bytes, int *ret_fd)
{
	auto_fd int fd = -1;
	int r;

	if (bytes->failed)
		return -ENOMEM;
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_at(fd, bytes->data, bytes->len, 0);
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

static int rename_in(int dir_fd, const char *from, const char *to)
{
	return renameat(dir_fd, from, dir_fd, to) < 0 || fsync(dir_fd) < 0 ? -errno : 0;
}

/* ---- forms ---- */

static void put_state(struct buf *out, const struct journal *before, const void *state, size_t n,
		      uint8_t ret_sha256[SHA256_BYTES])
{
	struct sha256 sum;

	buf_put(out, STATE_MAGIC, MAGIC_BYTES);
	buf_put_u32(out, VERSION);
	buf_put_u64(out, before->number + 1);
	buf_put_u64(out, before->end);
	buf_put_u64(out, before->chain);
	buf_put_u64(out, n);
	buf_put(out, state, n);
	if (out->failed)
		return;
	sha256_init(&sum);
	sha256_add(&sum, out->data, out->len);
	sha256_end(&sum, ret_sha256);
	buf_put(out, ret_sha256, SHA256_BYTES);
}

static void put_head(struct buf *out, uint64_t number, const uint8_t sha256[SHA256_BYTES], uint64_t *ret_chain)
{
	buf_put(out, JOURNAL_MAGIC, MAGIC_BYTES);
	buf_put_u32(out, VERSION);
	buf_put_u64(out, number);
	buf_put(out, sha256, SHA256_BYTES);
	if (!out->failed)
		*ret_chain = fnv(FNV_BASIS, out->data, out->len);
	buf_put_u64(out, *ret_chain);
}

static bool is_magic(struct rbuf *in, const char *magic)
{
	const uint8_t *bytes = rbuf_bytes(in, MAGIC_BYTES);

	return bytes != NULL && memcmp(bytes, magic, MAGIC_BYTES) == 0 && rbuf_u32(in) == VERSION;
}

static int damaged(struct err *e, const char *name, uint64_t at)
{
	return err_set(e, AMBIT_PROTOCOL,
		       "restore the directory from a backup; without one, move it away: all that was granted ends then",
		       "the authority's file '%s' is damaged at byte %llu", name, (unsigned long long)at);
}

static int unread(struct err *e, const char *name, int r)
{
	return err_sys(e, AMBIT_SYSTEM, -r, "see who may read there", "cannot read the authority's file '%s'", name);
}

static int take_state(const struct buf *file, struct journal *j, const struct journal_reader *reader, struct err *e)
{
	struct rbuf in, state;
	struct sha256 sum;
	uint64_t n;
	int r;

	rbuf_init(&in, file->data, file->len);
	if (!is_magic(&in, STATE_MAGIC))
		return damaged(e, AUTHORITY_STATE, 0);
	j->number = rbuf_u64(&in);
	j->before_end = rbuf_u64(&in);
	j->before_chain = rbuf_u64(&in);
	n = rbuf_u64(&in);
	if (in.failed || j->number == 0 || n != rbuf_left(&in) - SHA256_BYTES || rbuf_left(&in) < SHA256_BYTES)
		return damaged(e, AUTHORITY_STATE, MAGIC_BYTES + 4);
	sha256_init(&sum);
	sha256_add(&sum, file->data, file->len - SHA256_BYTES);
	sha256_end(&sum, j->state_sha256);
	if (memcmp(j->state_sha256, file->data + file->len - SHA256_BYTES, SHA256_BYTES) != 0)
		return damaged(e, AUTHORITY_STATE, file->len - SHA256_BYTES);
	rbuf_init(&state, rbuf_bytes(&in, (size_t)n), (size_t)n); /* n fits: it is what is left */
	r = reader->state(reader->of, &state, e);
	return r < 0 ? err_context(e, r, "the authority's file '" AUTHORITY_STATE "'") : 0;
}

/* A group at this place, by what stands before it. */
static bool group_at(const struct buf *file, uint64_t at, uint64_t chain, struct rbuf *ret, uint64_t *ret_synced,
		     uint64_t *ret_chain)
{
	struct rbuf in;
	uint32_t n;

	if (at > file->len || file->len - at < GROUP_FRAME)
		return false;
	rbuf_init(&in, file->data + at, file->len - at);
	n = rbuf_u32(&in);
	*ret_synced = rbuf_u64(&in);
	if (n == 0 || n > JOURNAL_GROUP_MAX || *ret_synced > at || rbuf_left(&in) < 8 || n > rbuf_left(&in) - 8)
		return false;
	rbuf_init(ret, rbuf_bytes(&in, n), n);
	*ret_chain = rbuf_u64(&in);
	return fnv(chain, file->data + at, GROUP_HEAD + n) == *ret_chain;
}

/* Whether a group stands behind this place that was written when the bytes here were on disk already: each of them ends with what the next one goes on from; that of the group here
 * may be what is damaged. */
static bool was_on_disk(const struct buf *file, uint64_t bad, uint64_t chain)
{
	for (uint64_t at = bad + GROUP_FRAME; at + GROUP_FRAME <= file->len; at++) {
		struct rbuf head, group;
		uint64_t stored, synced, ignored;

		rbuf_init(&head, file->data + at - 8, 8 + GROUP_HEAD);
		stored = rbuf_u64(&head);
		(void)rbuf_u32(&head);
		synced = rbuf_u64(&head);
		if (synced > bad && synced <= at &&
		    (group_at(file, at, stored, &group, &synced, &ignored) ||
		     group_at(file, at, fnv(chain, file->data + bad, at - 8 - bad), &group, &synced, &ignored)))
			return true;
	}
	return false;
}

static int not_its_journal(struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, "restore both from the same backup",
		       "the authority's journal does not belong to its snapshot");
}

static int take_head(const struct buf *file, struct journal *j, bool *ret_stale, struct err *e)
{
	const uint64_t sum = file->len < JOURNAL_HEAD ? 0 : fnv(FNV_BASIS, file->data, JOURNAL_HEAD - 8);
	struct rbuf in;
	uint64_t number;
	const uint8_t *sha256;

	rbuf_init(&in, file->data, file->len);
	if (!is_magic(&in, JOURNAL_MAGIC))
		return damaged(e, AUTHORITY_JOURNAL, 0);
	number = rbuf_u64(&in);
	sha256 = rbuf_bytes(&in, SHA256_BYTES);
	j->chain = rbuf_u64(&in);
	if (in.failed || j->chain != sum)
		return damaged(e, AUTHORITY_JOURNAL, MAGIC_BYTES + 4);
	*ret_stale = number + 1 == j->number;
	if (!*ret_stale && (number != j->number || memcmp(sha256, j->state_sha256, SHA256_BYTES) != 0))
		return not_its_journal(e);
	return 0;
}

static int passes(void *of, struct rbuf *in, struct err *e)
{
	(void)of, (void)in, (void)e;
	return 0;
}

static int take_groups(const struct buf *file, struct journal *j, const struct journal_reader *reader, struct err *e)
{
	struct rbuf group;
	uint64_t synced, chain;
	int r = 0;

	for (j->end = JOURNAL_HEAD; r == 0 && group_at(file, j->end, j->chain, &group, &synced, &chain);) {
		const uint64_t n = GROUP_FRAME + group.len;

		r = reader->group(reader->of, &group, e);
		if (r < 0)
			return err_context(e, r, "byte %llu of the authority's journal", (unsigned long long)j->end);
		j->end += n;
		j->chain = chain;
	}
	return 0;
}

/* Of one that the snapshot was made of: it ends where that was. */
static bool is_spent(const struct buf *file, const struct journal *j)
{
	struct journal spent = { .fd = -1, .chain = j->chain };
	const struct journal_reader nobody = { .of = NULL, .group = passes };

	(void)take_groups(file, &spent, &nobody, NULL); /* nobody fails */
	return spent.end == j->before_end && spent.chain == j->before_chain;
}

/* ---- reading ---- */

/* 1: the file is there and was read; 0: there is none. */
static int read_kept(int dir_fd, const char *name, struct buf *ret, struct err *e)
{
	const int r = read_file(dir_fd, name, ret);

	return r == 0 ? 1 : r == -ENOENT ? 0 : unread(e, name, r);
}

static int read_journal(struct journal *j, const struct journal_reader *reader, struct journal_found *ret,
			struct err *e)
{
	auto_buf file = { .max = 0 };
	int r;

	buf_init(&file, JOURNAL_MAX + JOURNAL_GROUP_MAX);
	r = read_kept(j->dir_fd, AUTHORITY_JOURNAL, &file, e);
	if (r == 0 && j->number > 1)
		return err_set(e, AMBIT_PROTOCOL, "restore it from a backup", "the authority's journal is gone");
	ret->is_stale = r == 0; /* the first was not made yet */
	if (r <= 0)
		return r;
	r = take_head(&file, j, &ret->is_stale, e);
	if (r == 0 && ret->is_stale && !is_spent(&file, j))
		return not_its_journal(e);
	if (r < 0 || ret->is_stale)
		return r;
	r = take_groups(&file, j, reader, e);
	if (r == 0 && j->end < file.len && was_on_disk(&file, j->end, j->chain))
		return damaged(e, AUTHORITY_JOURNAL, j->end);
	ret->cut_bytes = file.len - j->end;
	return r;
}

static int read_state(struct journal *j, const struct journal_reader *reader, struct err *e)
{
	auto_buf file = { .max = 0 };
	int r;

	buf_init(&file, JOURNAL_STATE_MAX + STATE_HEAD + SHA256_BYTES);
	r = read_kept(j->dir_fd, AUTHORITY_STATE, &file, e);
	return r <= 0 ? r : take_state(&file, j, reader, e);
}

int journal_open(struct journal *j, int dir_fd, const struct journal_reader *reader, struct journal_found *ret,
		 struct err *e)
{
	struct stat st;
	int r;

	*j = (struct journal){ .dir_fd = dir_fd, .fd = -1 };
	*ret = (struct journal_found){ .cut_bytes = 0 };
	r = read_state(j, reader, e);
	if (r < 0)
		return r;
	if (j->number == 0)
		return fstatat(dir_fd, AUTHORITY_JOURNAL, &st, AT_SYMLINK_NOFOLLOW) < 0
			       ? 0
			       : err_set(e, AMBIT_PROTOCOL, "restore it from a backup",
					 "the authority's snapshot is gone");
	r = read_journal(j, reader, ret, e);
	if (r < 0)
		return r;
	j->synced = 0; /* of what another process wrote nobody knows */
	j->fd = openat(dir_fd, AUTHORITY_JOURNAL, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return j->fd < 0 && errno != ENOENT ? unread(e, AUTHORITY_JOURNAL, -errno) : 0;
}

int journal_again(const struct journal *j, const struct journal_reader *reader, struct err *e)
{
	struct journal again = { .dir_fd = j->dir_fd, .fd = -1 };
	struct journal_found found = { .cut_bytes = 0 };
	int r = read_state(&again, reader, e);

	r = r < 0 ? r : read_journal(&again, reader, &found, e);
	if (r == 0 && (again.number != j->number || again.end != j->end || again.chain != j->chain))
		return err_set(e, AMBIT_CONFLICT, "see who writes there",
			       "somebody else wrote the authority's journal");
	return r;
}

void journal_close(struct journal *j)
{
	fd_close(&j->fd);
}

/* ---- writing ---- */

int journal_append(struct journal *j, const void *bytes, size_t n)
{
	auto_buf group = { .max = 0 };
	uint64_t chain = 0;
	int r;

	if (n == 0 || n > JOURNAL_GROUP_MAX || j->end + GROUP_FRAME + n > JOURNAL_MAX)
		return -ENOSPC;
	buf_init(&group, GROUP_FRAME + n);
	buf_put_u32(&group, (uint32_t)n); /* JOURNAL_GROUP_MAX */
	buf_put_u64(&group, j->synced);
	buf_put(&group, bytes, n);
	if (!group.failed)
		chain = fnv(j->chain, group.data, group.len);
	buf_put_u64(&group, chain);
	r = group.failed ? -ENOMEM : write_at(j->fd, group.data, group.len, j->end);
	if (r < 0)
		return r;
	j->end += group.len;
	j->chain = chain;
	return 0;
}

int journal_sync(struct journal *j)
{
	if (j->synced == j->end)
		return 0;
	if (fdatasync(j->fd) < 0)
		return -errno;
	j->synced = j->end;
	return 0;
}

int journal_fold(struct journal *j, const void *state, size_t n, bool *ret_lost)
{
	struct journal next = {
		.dir_fd = j->dir_fd, .fd = -1, .number = j->number + 1, .end = JOURNAL_HEAD, .synced = JOURNAL_HEAD
	};
	auto_buf file = { .max = 0 }, head = { .max = 0 };
	auto_fd int state_fd = -1, fd = -1;
	int r;

	*ret_lost = false;
	if (n > JOURNAL_STATE_MAX)
		return -EFBIG;
	buf_init(&file, STATE_HEAD + n + SHA256_BYTES);
	buf_init(&head, JOURNAL_HEAD);
	put_state(&file, j, state, n, next.state_sha256);
	put_head(&head, next.number, next.state_sha256, &next.chain);
	r = make_file(j->dir_fd, AUTHORITY_STATE_NEW, &file, &state_fd);
	r = r < 0 ? r : make_file(j->dir_fd, AUTHORITY_JOURNAL_NEW, &head, &fd);
	if (r < 0)
		return r;
	r = rename_in(j->dir_fd, AUTHORITY_STATE_NEW, AUTHORITY_STATE);
	r = r < 0 ? r : rename_in(j->dir_fd, AUTHORITY_JOURNAL_NEW, AUTHORITY_JOURNAL);
	*ret_lost = r < 0;
	if (r < 0)
		return r;
	journal_close(j);
	next.fd = steal_fd(&fd);
	*j = next;
	return 0;
}
