#include "supervisor/frozen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/fd.h"
#include "base/text.h"

#define MAGIC UINT64_C(0x316e657a6f7266) /* "frozen1" */
#define NEW_NAME ".new-"                 /* what is being written; then the number of who writes it */

/* ---- the file ---- */

void frozen_encode(const struct frozen *f, struct buf *out)
{
	buf_put_u64(out, MAGIC);
	buf_put_u64(out, f->since_ms);
	buf_put_u32(out, f->by);
	buf_put_text(out, f->reason, sizeof f->reason);
	for (size_t i = 8 + 8 + 4 + sizeof f->reason; i < FROZEN_BYTES; i++)
		buf_put_u8(out, 0);
}

bool frozen_decode(const uint8_t *bytes, size_t n, struct frozen *ret)
{
	struct frozen f = { .what = "" };
	struct rbuf in;

	rbuf_init(&in, bytes, n);
	if (rbuf_u64(&in) != MAGIC)
		return false;
	f.since_ms = rbuf_u64(&in);
	f.by = rbuf_u32(&in);
	rbuf_text(&in, f.reason, sizeof f.reason);
	for (size_t i = 8 + 8 + 4 + sizeof f.reason; i < FROZEN_BYTES; i++)
		if (rbuf_u8(&in) != 0)
			return false;
	if (!rbuf_done(&in))
		return false;
	memcpy(f.what, ret->what, sizeof f.what); /* the name's */
	*ret = f;
	return true;
}

bool frozen_place(const char *store, char ret[GRANT_OBJECT_MAX])
{
	const char *last = strrchr(store, '/');
	const int n = store[0] != '/' ? -1 : snprintf(ret, GRANT_OBJECT_MAX, "%.*s/frozen", (int)(last - store), store);

	return n > 0 && n < GRANT_OBJECT_MAX;
}

/* ---- looking ---- */

/* 0: it is not there. */
static int look_at(const char *dir, const char *what, struct frozen *ret)
{
	char path[GRANT_OBJECT_MAX + ID_TEXT_MAX];
	uint8_t bytes[FROZEN_BYTES + 1];
	auto_fd int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/%s", dir, what); /* fits */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	*ret = (struct frozen){ .since_ms = 0 };
	(void)text_copy(ret->what, sizeof ret->what, what); /* an id fits */
	n = fd_read_all(fd, bytes, sizeof bytes);
	(void)frozen_decode(bytes, n < 0 ? 0 : (size_t)n, ret); /* else it says nothing, and is there */
	return 1;
}

int frozen_look(const char *dir, const char *session, const char *event, struct frozen *ret)
{
	int r = look_at(dir, FROZEN_ALL, ret);

	r = r != 0 || session[0] == 0 ? r : look_at(dir, session, ret);
	return r != 0 || event[0] == 0 ? r : look_at(dir, event, ret);
}

static int refuse(const struct frozen *f, struct err *e)
{
	const bool all = strcmp(f->what, FROZEN_ALL) == 0;
	char hint[ERR_HINT_MAX], reason[ERR_WHY_MAX / 2];
	int r;

	(void)snprintf(hint, sizeof hint, "`ambit thaw %s%s` lets things go on", all ? "--" : "", f->what); /* fits */
	r = err_set(e, AMBIT_FROZEN, hint, "%s frozen",
		    all                 ? "everything of yours is"
		    : f->what[0] == 's' ? "the session is"
		    : f->what[0] == 'c' ? "the gate of this agent to this server is"
					: "the event is");
	if (f->reason[0] != 0)
		r = err_why(e, r, "user %u: %s", (unsigned)f->by,
			    text_escape(reason, sizeof reason, f->reason, strlen(f->reason)));
	return r;
}

int frozen_refuse(const char *dir, const char *session, const char *event, struct err *e)
{
	struct frozen f;
	const int r = frozen_look(dir, session, event, &f);

	if (r >= 0)
		return r == 0 ? 0 : refuse(&f, e);
	return err_sys(e, AMBIT_FROZEN, -r, "make it the directory that it was, or remove it: then nothing is frozen",
		       "cannot tell whether something is frozen: %s", dir);
}

/* ---- writing ---- */

static int cannot(struct err *e, int sys_errno, const char *what, const char *dir)
{
	return err_sys(e, AMBIT_SYSTEM, sys_errno, "free some space, or see who owns it", "cannot %s in %s", what, dir);
}

static int open_dir(const char *dir, int *ret, struct err *e)
{
	const int r = directory_open_own(dir, ret);

	if (r == -EPERM)
		return err_set(e, AMBIT_HOST, "chown it, chmod 0700", "%s is not yours alone", dir);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot open %s", dir) : 0;
}

/* A link, and not a rename: who froze first stands in the file. */
static int publish(int dir_fd, const char *name, const char *what)
{
	const int r = linkat(dir_fd, name, dir_fd, what, 0) < 0 ? -errno : 1;

	if (r < 0 && r != -EEXIST)
		return r;
	return fsync(dir_fd) < 0 ? -errno : r == 1;
}

int frozen_write(const char *dir, const struct frozen *f, struct err *e)
{
	auto_fd int dir_fd = -1, fd = -1;
	uint8_t bytes[FROZEN_BYTES];
	char name[32];
	struct buf b;
	int r = open_dir(dir, &dir_fd, e);

	if (r < 0)
		return r;
	buf_init_in(&b, bytes, sizeof bytes);
	frozen_encode(f, &b);
	(void)snprintf(name, sizeof name, NEW_NAME "%d", (int)getpid()); /* fits */
	(void)unlinkat(dir_fd, name, 0);                                 /* of one that was killed */
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : fd_write_all(fd, b.data, b.len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	r = r < 0 ? r : publish(dir_fd, name, f->what);
	(void)unlinkat(dir_fd, name, 0);
	return r < 0 ? cannot(e, -r, "write down what is frozen", dir) : r;
}

int frozen_remove(const char *dir, const char *what, struct err *e)
{
	auto_fd int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return errno == ENOENT ? 0 : cannot(e, errno, "look", dir);
	if (unlinkat(dir_fd, what, 0) < 0)
		return errno == ENOENT ? 0 : cannot(e, errno, "take away what is frozen", dir);
	return fsync(dir_fd) < 0 ? cannot(e, errno, "write down what is frozen", dir) : 1;
}

static bool names_something(const char *name)
{
	const size_t n = strlen(name);

	return strcmp(name, FROZEN_ALL) == 0 || id_is('s', name, n) || id_is('e', name, n) || id_is('c', name, n);
}

int frozen_list(const char *dir, frozen_each_fn *each, void *user, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (d == NULL)
		return errno == ENOENT ? 0 : cannot(e, errno, "look", dir);
	while ((entry = readdir(d)) != NULL) {
		struct frozen f;

		if (names_something(entry->d_name) && look_at(dir, entry->d_name, &f) == 1)
			each(user, &f);
	}
	(void)closedir(d);
	return 0;
}
