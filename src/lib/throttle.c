#include "lib/throttle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/directory.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/grant.h"

#define MAGIC UINT64_C(0x316c74746f726874) /* "throttl1" */
#define BYTES 80

/* ---- the file ---- */

static void encode(const struct throttle *t, struct buf *out)
{
	buf_put_u64(out, MAGIC);
	buf_put_u64(out, t->since_ms);
	buf_put_u64(out, t->next_ms);
	buf_put_u32(out, t->pause_ms);
	buf_put_text(out, t->event, sizeof t->event);
	while (out->len < BYTES)
		buf_put_u8(out, 0);
}

/* Of what is none the longest pause, from now on; of a clock that was set back, what holds by the one that is. Whether the file says something else. */
static bool decode(const uint8_t *bytes, size_t n, uint64_t now_ms, struct throttle *ret)
{
	const struct throttle worst = { .since_ms = now_ms, .next_ms = now_ms, .pause_ms = THROTTLE_MOST_MS };
	struct rbuf in;
	bool good;

	rbuf_init(&in, bytes, n);
	good = rbuf_u64(&in) == MAGIC;
	ret->since_ms = rbuf_u64(&in);
	ret->next_ms = rbuf_u64(&in);
	ret->pause_ms = rbuf_u32(&in);
	rbuf_text(&in, ret->event, sizeof ret->event);
	good = good && !in.failed && n == BYTES && ret->pause_ms >= THROTTLE_FIRST_MS &&
	       ret->pause_ms <= THROTTLE_MOST_MS && (ret->event[0] == 0 || id_is('e', ret->event, strlen(ret->event)));
	if (!good) {
		*ret = worst;
		return true;
	}
	good = ret->since_ms <= now_ms && ret->next_ms <= now_ms + ret->pause_ms;
	if (ret->since_ms > now_ms)
		ret->since_ms = now_ms;
	if (ret->next_ms > now_ms + ret->pause_ms)
		ret->next_ms = now_ms + ret->pause_ms;
	return !good;
}

static bool is_over(const struct throttle *t, uint64_t now_ms)
{
	return now_ms >= t->since_ms && now_ms - t->since_ms > THROTTLE_LASTS_MS;
}

static int cannot(struct err *e, int sys_errno, const char *what, const char *dir)
{
	return err_sys(e, AMBIT_SYSTEM, sys_errno, "free some space, or see who owns it", "cannot %s in %s", what, dir);
}

/* Locked as long as it is open. An empty one is new. 1: the file says something else, and is to be written; 0; -ESTALE: who had it locked before removed it. */
static int take(int fd, uint64_t now_ms, struct throttle *ret)
{
	uint8_t bytes[BYTES + 1];
	struct stat st;
	ssize_t n;

	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink == 0)
		return -ESTALE;
	n = pread(fd, bytes, sizeof bytes, 0);
	if (n < 0)
		return -errno;
	*ret = (struct throttle){ .next_ms = now_ms };
	return n > 0 && decode(bytes, (size_t)n, now_ms, ret);
}

static int put(int fd, const struct throttle *t)
{
	uint8_t bytes[BYTES];
	struct buf b;

	buf_init_in(&b, bytes, sizeof bytes);
	encode(t, &b);
	return pwrite(fd, b.data, b.len, 0) == (ssize_t)b.len && ftruncate(fd, (off_t)b.len) == 0 ? 0
	       : errno != 0                                                                       ? -errno
												  : -EIO;
}

/* ---- all of them ---- */

/* What is there of each: `each` may remove it. */
static int walk(const char *dir, uint64_t now_ms, void (*each)(void *of, const struct throttle *t), void *of,
		struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (d == NULL)
		return errno == ENOENT ? 0 : cannot(e, errno, "look", dir);
	while ((entry = readdir(d)) != NULL) {
		auto_fd int fd = id_is('b', entry->d_name, strlen(entry->d_name))
					 ? openat(dirfd(d), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
					 : -1;
		struct throttle t = { .pause_ms = 0 };

		if (fd < 0 || take(fd, now_ms, &t) < 0)
			continue;
		(void)text_copy(t.stream, sizeof t.stream, entry->d_name); /* an id fits */
		each(of, &t);
	}
	(void)closedir(d);
	return 0;
}

/* ---- slower ---- */

static int open_taken(int dir_fd, const char *stream, uint64_t now_ms, int *ret_fd, struct throttle *ret)
{
	for (;;) {
		auto_fd int fd = openat(dir_fd, stream, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		const int r = fd < 0 ? -errno : take(fd, now_ms, ret);

		if (r >= 0)
			*ret_fd = steal_fd(&fd);
		if (r != -ESTALE)
			return r < 0 ? r : 0;
	}
}

struct clearing {
	const char *dir;
	uint64_t now_ms;
};

static void clear_one(void *of, const struct throttle *t)
{
	const struct clearing *c = of;
	char path[GRANT_OBJECT_MAX + ID_TEXT_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", c->dir, t->stream); /* fits */
	if (is_over(t, c->now_ms))
		(void)unlink(path); /* the next one tries again */
}

int throttle_more(const char *dir, const char *stream, const char *event, uint64_t now_ms, uint32_t *ret_pause_ms,
		  struct err *e)
{
	auto_fd int dir_fd = -1, fd = -1;
	struct throttle t = { .pause_ms = 0 };
	int r = directory_open_own(dir, &dir_fd);

	if (r < 0)
		return r == -EPERM ? err_set(e, AMBIT_HOST, "chown it, chmod 0700", "%s is not yours alone", dir)
				   : cannot(e, -r, "look", dir);
	(void)walk(dir, now_ms, clear_one, &(struct clearing){ dir, now_ms }, e); /* of streams that never came back */
	r = open_taken(dir_fd, stream, now_ms, &fd, &t);
	if (r < 0)
		return cannot(e, -r, "write down what is throttled", dir);
	if (is_over(&t, now_ms))
		t.pause_ms = 0;
	t.pause_ms = t.pause_ms == 0 ? THROTTLE_FIRST_MS : 2 * t.pause_ms;
	t.pause_ms = t.pause_ms < THROTTLE_MOST_MS ? t.pause_ms : THROTTLE_MOST_MS;
	t.since_ms = now_ms;
	t.next_ms = now_ms + t.pause_ms;
	(void)text_copy(t.event, sizeof t.event, event); /* an id fits */
	r = put(fd, &t);
	if (r < 0)
		return cannot(e, -r, "write down what is throttled", dir);
	*ret_pause_ms = t.pause_ms;
	return 0;
}

uint64_t throttle_turn(const char *dir, const char *stream, uint64_t now_ms)
{
	char path[GRANT_OBJECT_MAX + ID_TEXT_MAX];
	struct throttle t = { .pause_ms = 0 };
	auto_fd int fd = -1;
	int r;

	(void)snprintf(path, sizeof path, "%s/%s", dir, stream); /* fits */
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	r = fd < 0 ? -errno : take(fd, now_ms, &t);
	if (r < 0) /* whoever looked for what is frozen there has refused by now */
		return 0;
	if (is_over(&t, now_ms)) {
		(void)unlink(path); /* or another one did */
		return 0;
	}
	if (t.next_ms > now_ms) {
		if (r > 0) /* else each look would be the first after the clock was set back */
			(void)put(fd, &t);
		return t.next_ms - now_ms;
	}
	t.next_ms = now_ms + t.pause_ms;
	return put(fd, &t) < 0 ? t.pause_ms : 0;
}

/* ---- a person's word ---- */

struct lifting {
	const char *dir, *stream, *event;
	int n, sys_errno;
};

static void lift_one(void *of, const struct throttle *t)
{
	struct lifting *l = of;
	char path[GRANT_OBJECT_MAX + ID_TEXT_MAX];

	if ((l->stream != NULL && strcmp(l->stream, t->stream) != 0) ||
	    (l->event != NULL && strcmp(l->event, t->event) != 0))
		return;
	(void)snprintf(path, sizeof path, "%s/%s", l->dir, t->stream); /* fits */
	if (unlink(path) == 0)
		l->n++;
	else if (errno != ENOENT)
		l->sys_errno = errno;
}

int throttle_lift(const char *dir, const char *stream, const char *event, struct err *e)
{
	struct lifting l = { .dir = dir, .stream = stream, .event = event };
	const int r = walk(dir, 0, lift_one, &l, e);

	return r < 0 ? r : l.sys_errno != 0 ? cannot(e, l.sys_errno, "take away what is throttled", dir) : l.n;
}

struct listing {
	uint64_t now_ms;
	void (*each)(void *of, const struct throttle *t);
	void *of;
};

static void list_one(void *of, const struct throttle *t)
{
	const struct listing *l = of;

	if (!is_over(t, l->now_ms))
		l->each(l->of, t);
}

int throttle_list(const char *dir, uint64_t now_ms, void (*each)(void *of, const struct throttle *t), void *of,
		  struct err *e)
{
	struct listing l = { .now_ms = now_ms, .each = each, .of = of };

	return walk(dir, now_ms, list_one, &l, e);
}
