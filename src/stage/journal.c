#include "stage/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "core/change.h"

/* magic, version, length of the rest, its checksum; then the rest */
#define MAGIC UINT32_C(0x44454544)        /* "DEED" */
#define MAGIC_TURNED UINT32_C(0x4b434142) /* "BACK" */
#define VERSION 2u
#define HEAD_BYTES 24

#define HINT_DISK "make room on the file system of the stage, or look at its health; nothing was changed"

void deed_finish(struct deed *d)
{
	free(d->dirs.ops);
	free(d->moves.ops);
	free(d->bytes);
	*d = (struct deed){ .way = 0 };
}

struct op *op_add(struct op_list *l, const struct op *op)
{
	if (l->n == l->room) {
		const size_t room = l->room == 0 ? 64 : l->room * 2;
		struct op *ops = reallocarray(l->ops, room, sizeof ops[0]);

		if (ops == NULL)
			return NULL;
		l->ops = ops;
		l->room = room;
	}
	l->ops[l->n] = *op;
	return &l->ops[l->n++];
}

void ident_put(struct buf *out, const struct ident *i)
{
	buf_put_u64(out, i->dev);
	buf_put_u64(out, i->ino);
	buf_put_u64(out, i->size);
	buf_put_u64(out, (uint64_t)i->ctime_ns);
	buf_put_u64(out, (uint64_t)i->mtime_ns);
	buf_put_u64(out, (uint64_t)i->btime_ns);
	buf_put_u32(out, i->mode);
}

void ident_get(struct rbuf *in, struct ident *ret)
{
	ret->dev = rbuf_u64(in);
	ret->ino = rbuf_u64(in);
	ret->size = rbuf_u64(in);
	ret->ctime_ns = (int64_t)rbuf_u64(in);
	ret->mtime_ns = (int64_t)rbuf_u64(in);
	ret->btime_ns = (int64_t)rbuf_u64(in);
	ret->mode = rbuf_u32(in);
}

static void put_side(struct buf *out, const struct ident *i)
{
	ident_put(out, i);
	buf_put_u32(out, i->nlink);
}

static void get_side(struct rbuf *in, struct ident *ret)
{
	ident_get(in, ret);
	ret->nlink = rbuf_u32(in);
}

static void put_op(struct buf *out, const struct op *op)
{
	buf_put_u8(out, op->kind);
	buf_put_u16(out, op->flags);
	buf_put_u16(out, op->tree);
	buf_put_u32(out, op->batch);
	buf_put_u32(out, op->slot);
	put_side(out, &op->a);
	put_side(out, &op->b);
	buf_put_u64(out, op->hash);
	buf_put_str(out, op->path);
	buf_put_u8(out, 0); /* the path reads as a string in place */
}

static const char *get_path(struct rbuf *in)
{
	const uint32_t n = rbuf_u32(in);
	const uint8_t *bytes = rbuf_bytes(in, n);

	if (n >= CHANGE_PATH_MAX || rbuf_u8(in) != 0 || bytes == NULL ||
	    strnlen((const char *)bytes, (size_t)n + 1) != n || !change_path_is_good((const char *)bytes)) {
		in->failed = true;
		return "";
	}
	return (const char *)bytes;
}

static void get_op(struct rbuf *in, struct op *ret)
{
	ret->kind = rbuf_u8(in);
	ret->flags = rbuf_u16(in);
	ret->tree = rbuf_u16(in);
	ret->batch = rbuf_u32(in);
	ret->slot = rbuf_u32(in);
	get_side(in, &ret->a);
	get_side(in, &ret->b);
	ret->hash = rbuf_u64(in);
	ret->path = get_path(in);
	if (ret->kind < OP_STRIP || ret->kind > OP_LEAVE || ret->tree >= STAGE_TREES_MAX)
		in->failed = true;
}

static void put_list(struct buf *out, const struct op_list *l)
{
	buf_put_u64(out, l->n);
	for (size_t i = 0; i < l->n; i++)
		put_op(out, &l->ops[i]);
}

static int get_list(struct rbuf *in, struct op_list *ret)
{
	const uint64_t n = rbuf_u64(in);

	for (uint64_t i = 0; i < n && !in->failed; i++) {
		struct op op;

		get_op(in, &op);
		if (!in->failed && op_add(ret, &op) == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void encode(struct buf *out, const struct deed *d)
{
	buf_put_u8(out, d->way);
	buf_put_u8(out, d->left);
	buf_put_u32(out, d->batch);
	buf_put_str(out, d->event);
	put_list(out, &d->dirs);
	put_list(out, &d->moves);
}

/* 1, or 0 if it is not a deed. */
static int decode(struct rbuf *in, struct deed *ret)
{
	int r;

	ret->way = rbuf_u8(in);
	ret->left = rbuf_u8(in);
	ret->batch = rbuf_u32(in);
	rbuf_str(in, ret->event, sizeof ret->event);
	r = get_list(in, &ret->dirs);
	if (r == 0)
		r = get_list(in, &ret->moves);
	return r < 0 ? r : rbuf_done(in) && (ret->way == DEED_COMMIT || ret->way == DEED_UNDO);
}

static int write_file(int dir_fd, const char *name, const struct deed *d, uint32_t magic, bool sync)
{
	auto_buf rest, head;
	auto_fd int fd = -1;
	int r;

	buf_init(&rest, JOURNAL_MAX);
	buf_init(&head, HEAD_BYTES);
	encode(&rest, d);
	buf_put_u32(&head, magic);
	buf_put_u32(&head, VERSION);
	buf_put_u64(&head, rest.len);
	buf_put_u64(&head, fnv(FNV_BASIS, rest.data, rest.len));
	if (rest.failed || head.failed)
		return -ENOMEM;
	fd = sys_create(dir_fd, name, 0600);
	r = fd < 0 ? fd : sys_write(fd, head.data, head.len);
	if (r == 0)
		r = sys_write(fd, rest.data, rest.len);
	if (r == 0 && sync)
		r = sys_sync(fd);
	return r;
}

static int write_new(int dir_fd, const char *name, const struct deed *d, uint32_t magic, bool sync, struct err *e)
{
	int r = write_file(dir_fd, name, d, magic, sync);

	if (r == 0 && sync)
		r = sys_sync(dir_fd);
	if (r == 0)
		return 0;
	if (r != -EEXIST)
		(void)sys_unlink(dir_fd, name, 0); /* torn, and as good as none where it cannot be removed */
	return err_sys(e, AMBIT_SYSTEM, -r, HINT_DISK, "write '%s' of the stage", name);
}

int deed_write(int dir_fd, const char *name, const struct deed *d, bool sync, struct err *e)
{
	return write_new(dir_fd, name, d, MAGIC, sync, e);
}

int deed_prepare(int dir_fd, const char *name, const struct deed *d, struct err *e)
{
	return write_new(dir_fd, name, d, 0, false, e);
}

/* Four bytes in place: where the rest is on disk already, there is nothing for the file system to do but to write them. */
static int put_magic(int dir_fd, const char *name, uint32_t value, bool synced)
{
	auto_fd int fd = sys_open_name(dir_fd, name, O_WRONLY);
	uint8_t bytes[4];
	struct buf magic;
	int r = fd < 0 ? fd : 0;

	buf_init_in(&magic, bytes, sizeof bytes);
	buf_put_u32(&magic, value);
	if (r == 0)
		r = sys_write(fd, bytes, sizeof bytes);
	if (r == 0)
		r = synced ? sys_sync_data(fd) : sys_sync(fd);
	return r;
}

int deed_turn(int dir_fd, const char *name)
{
	return put_magic(dir_fd, name, MAGIC_TURNED, true);
}

int deed_seal(int dir_fd, const char *name, bool synced, struct err *e)
{
	int r = put_magic(dir_fd, name, MAGIC, synced);

	if (r == 0 && !synced)
		r = sys_sync(dir_fd);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, HINT_DISK, "write '%s' of the stage", name) : 0;
}

int deed_replace(int dir_fd, const char *name, const struct deed *d, bool sync, struct err *e)
{
	char other[64];
	int r;

	(void)snprintf(other, sizeof other, "%s.new", name); /* our own names are short */
	(void)sys_unlink(dir_fd, other, 0);                  /* of a crash; mostly there is none */
	r = write_file(dir_fd, other, d, MAGIC, sync);
	if (r == 0)
		r = sys_move(dir_fd, other, dir_fd, name, 0);
	if (r == 0)
		return 0;
	(void)sys_unlink(dir_fd, other, 0); /* the next one removes it too */
	return err_sys(e, AMBIT_SYSTEM, -r, HINT_DISK, "write '%s' of the stage", name);
}

/* The whole file; -EINVAL if it is no good. */
static int read_file(int dir_fd, const char *name, uint8_t **ret, size_t *ret_n)
{
	auto_fd int fd = sys_open_name(dir_fd, name, O_RDONLY);
	auto_free uint8_t *bytes = NULL;
	struct look l;
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	r = sys_look(fd, "", &l);
	if (r < 0 || !S_ISREG(l.id.mode) || l.id.size < HEAD_BYTES || l.id.size > JOURNAL_MAX)
		return r < 0 ? r : -EINVAL;
	bytes = malloc(l.id.size);
	if (bytes == NULL)
		return -ENOMEM;
	n = fd_read_all(fd, bytes, l.id.size);
	if (n < 0 || (size_t)n != l.id.size)
		return n < 0 ? (int)n : -EINVAL;
	*ret_n = (size_t)n;
	*ret = steal_ptr(&bytes);
	return 0;
}

/* 0 if the file is torn. One that is whole, but that another version wrote, must not be taken for torn, and be removed. */
static int read_head(struct rbuf *in, bool *ret_turned)
{
	const uint32_t magic = rbuf_u32(in), version = rbuf_u32(in);
	const uint64_t n = rbuf_u64(in), sum = rbuf_u64(in);

	*ret_turned = magic == MAGIC_TURNED;
	if ((magic != MAGIC && magic != MAGIC_TURNED) || n != rbuf_left(in) ||
	    sum != fnv(FNV_BASIS, in->data + in->at, rbuf_left(in)))
		return 0;
	return version == VERSION ? 1 : -EPROTO;
}

int deed_read(int dir_fd, const char *name, struct deed *ret, struct err *e)
{
	size_t n = 0;
	struct rbuf in;
	int r;

	*ret = (struct deed){ .way = 0 };
	r = read_file(dir_fd, name, &ret->bytes, &n);
	if (r == -ENOENT || r == -EINVAL)
		return 0;
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "read '%s' of the stage", name);
	rbuf_init(&in, ret->bytes, n);
	r = read_head(&in, &ret->turned);
	if (r > 0)
		r = decode(&in, ret);
	if (r <= 0)
		deed_finish(ret);
	if (r == -EPROTO)
		return err_set(e, AMBIT_HOST,
			       "finish it with the ambit that began it, or take that one again to undo it",
			       "'%s' of the stage was written by another version of ambit", name);
	return r < 0 ? err_sys(e, AMBIT_MEMORY, -r, NULL, "read '%s' of the stage", name) : r;
}

void deed_name(uint32_t batch, char room[24])
{
	(void)snprintf(room, 24, "committed.%u", batch); /* it fits */
}

uint32_t deed_count(int dir_fd)
{
	char name[24];
	struct look l;
	uint32_t n = 0;

	for (;; n++) {
		deed_name(n, name);
		if (sys_look(dir_fd, name, &l) < 0)
			return n;
	}
}

int deed_close(int dir_fd, struct err *e)
{
	const uint32_t n = deed_count(dir_fd);
	struct deed last = { .way = 0 };
	char name[24];
	int r;

	if (n == 0)
		return 0;
	deed_name(n - 1, name);
	r = deed_read(dir_fd, name, &last, e);
	last.left = 0;
	r = r <= 0 ? r : deed_replace(dir_fd, name, &last, true, e);
	deed_finish(&last);
	return r;
}

bool deed_is_last(int dir_fd)
{
	const uint32_t n = deed_count(dir_fd);
	struct deed last = { .way = 0 };
	char name[24];
	bool complete;

	if (n == 0)
		return false;
	deed_name(n - 1, name);
	complete = deed_read(dir_fd, name, &last, NULL) != 1 ||
		   last.left == 0; /* damaged: surely nothing to go on from */
	deed_finish(&last);
	return complete;
}
