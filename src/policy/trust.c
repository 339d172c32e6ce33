/* A record is a file named by a hash of the policy's path:
 *
 *     ambit-trust 1
 *     path 21
 *     /home/me/x/ambit.yaml
 *     bytes 230
 *     <so many, to the end>
 *
 * The change of a policy is shown, so its bytes are kept; comparing them needs no digest. The name needs to be good for
 * nothing: the path stands inside, and a record of another one is none of ours. */
#include "policy/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "base/num.h"
#include "base/text.h"

#define MAGIC "ambit-trust 1\n"
#define RECORD_MAX (POLICY_FILE_MAX + GRANT_OBJECT_MAX + 256u)
#define SHOWN_MAX 200

void trust_init(struct trust *t)
{
	*t = (struct trust){ .state = TRUST_UNKNOWN };
	buf_init(&t->now, POLICY_FILE_MAX);
	buf_init(&t->old, POLICY_FILE_MAX);
}

void trust_finish(struct trust *t)
{
	if (t == NULL)
		return;
	buf_finish(&t->now);
	buf_finish(&t->old);
}

int trust_dir(const char *xdg_state_home, const char *home, char *ret, size_t size, struct err *e)
{
	int n = -1;

	if (xdg_state_home != NULL && xdg_state_home[0] == '/')
		n = snprintf(ret, size, "%s/ambit/trust", xdg_state_home);
	else if (home != NULL && home[0] == '/')
		n = snprintf(ret, size, "%s/.local/state/ambit/trust", home);
	if (n < 0 || (size_t)n >= size)
		return err_set(e, AMBIT_NOT_FOUND, "set HOME or XDG_STATE_HOME to an absolute path",
			       "there is no place for the records of trusted policies");
	return 0;
}

/* ---- reading ---- */

/* All of a regular file, at most ret->max bytes. */
static int read_file(int fd, const char *shown, struct buf *ret, struct err *e)
{
	auto_free uint8_t *bytes = malloc(ret->max + 1);
	struct stat st;
	ssize_t n;

	if (bytes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "out of memory");
	if (fstat(fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot look at '%s'", shown);
	if (!S_ISREG(st.st_mode))
		return err_set(e, AMBIT_MALFORMED, "name the file itself", "'%s' is not a regular file", shown);
	n = fd_read_all(fd, bytes, ret->max + 1);
	if (n < 0)
		return err_sys(e, AMBIT_SYSTEM, (int)-n, NULL, "cannot read '%s'", shown);
	if ((size_t)n > ret->max)
		return err_set(e, AMBIT_LIMIT, "a policy that a person can review is far smaller",
			       "'%s' has more than %zu bytes", shown, ret->max);
	buf_reset(ret);
	buf_put(ret, bytes, (size_t)n);
	return ret->failed ? err_set(e, AMBIT_MEMORY, NULL, "out of memory") : 0;
}

static int read_policy(const char *file, struct trust *t, struct err *e)
{
	auto_free char *real = realpath(file, NULL);
	char shown[SHOWN_MAX];
	auto_fd int fd = -1;

	text_escape(shown, sizeof shown, file, strlen(file));
	if (real == NULL || !text_copy(t->path, sizeof t->path, real))
		return err_sys(e, AMBIT_NOT_FOUND, errno, "check the spelling", "cannot open the policy '%s'", shown);
	fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, "check its owner and mode", "cannot open the policy '%s'",
			       shown);
	return read_file(fd, shown, &t->now, e);
}

/* ---- records ---- */

static int untrusted(struct err *e, const char *dir, const char *what)
{
	char shown[SHOWN_MAX];

	text_escape(shown, sizeof shown, dir, strlen(dir));
	return err_why(e,
		       err_set(e, AMBIT_UNTRUSTED, "remove it and trust your policies again",
			       "the records of trust in '%s' are not used", shown),
		       "%s", what);
}

/* Only the person may be able to write there, or trust could be given by somebody else. */
static int check_owner(int fd, const char *dir, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open '%s'", dir);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return untrusted(e, dir, "somebody else may write them");
	return 0;
}

#define NAME_MAX_HEX 17 /* 16 digits and the NUL */

static void record_name(const char *path, char ret[NAME_MAX_HEX])
{
	(void)snprintf(ret, NAME_MAX_HEX, "%016llx", (unsigned long long)fnv(FNV_BASIS, path, strlen(path)));
}

/* Takes the line up to `\n` as a string into dst. */
static bool take_line(struct rbuf *r, char *dst, size_t size)
{
	size_t n = 0;

	for (; rbuf_left(r) > 0; n++) {
		const char c = (char)rbuf_u8(r);

		if (c == '\n' || c == 0 || n + 1 >= size) {
			dst[n] = 0;
			return c == '\n';
		}
		dst[n] = c;
	}
	return false;
}

/* The path may contain a line break, so its length stands before it. */
static bool take_path(struct rbuf *r, const char *path)
{
	char line[32];
	uint32_t len;
	const uint8_t *bytes;

	if (!take_line(r, line, sizeof line) || strncmp(line, "path ", 5) != 0 ||
	    !parse_u32(line + 5, 1, GRANT_OBJECT_MAX - 1, &len))
		return false;
	bytes = rbuf_bytes(r, len);
	return bytes != NULL && len == strlen(path) && memcmp(bytes, path, len) == 0 && rbuf_u8(r) == '\n' &&
	       !r->failed;
}

/* False if it is not a record of this path, whole. */
static bool parse_record(const struct buf *record, const char *path, struct buf *ret_bytes)
{
	char line[32];
	struct rbuf r;
	uint32_t n;

	rbuf_init(&r, record->data, record->len);
	if (!take_line(&r, line, sizeof line) || strcmp(line, "ambit-trust 1") != 0 || !take_path(&r, path))
		return false;
	if (!take_line(&r, line, sizeof line) || strncmp(line, "bytes ", 6) != 0 ||
	    !parse_u32(line + 6, 0, POLICY_FILE_MAX, &n) || rbuf_left(&r) != n)
		return false;
	buf_reset(ret_bytes);
	buf_put(ret_bytes, rbuf_bytes(&r, n), n);
	return !ret_bytes->failed;
}

/* 1: there is a record, and its bytes are in t->old. 0: there is none. */
static int find_record(const char *dir, struct trust *t, struct err *e)
{
	auto_fd int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd int fd = -1;
	auto_buf record = { .max = 0 };
	char name[NAME_MAX_HEX];
	int rc;

	buf_init(&record, RECORD_MAX);
	if (dir_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open '%s'", dir);
	rc = check_owner(dir_fd, dir, e);
	if (rc < 0)
		return rc;
	record_name(t->path, name);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_sys(e, AMBIT_UNTRUSTED, errno, "remove it and trust the policy again",
						 "cannot open '%s/%s'", dir, name);
	rc = check_owner(fd, dir, e);
	if (rc == 0)
		rc = read_file(fd, name, &record, e);
	if (rc < 0)
		return rc;
	return parse_record(&record, t->path, &t->old) ? 1 : untrusted(e, dir, "one of them is damaged");
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int trust_check(const char *dir, const char *file, struct trust *t, struct err *e)
{
	int rc = read_policy(file, t, e);

	if (rc < 0)
		return rc;
	rc = find_record(dir, t, e);
	if (rc < 0)
		return rc;
	t->state = rc == 0 ? TRUST_UNKNOWN : same_bytes(&t->now, &t->old) ? TRUST_TRUSTED : TRUST_CHANGED;
	return 0;
}

/* ---- writing ---- */

/* Each part of the path that is missing, for nobody else. */
static int make_dirs(const char *dir, struct err *e)
{
	char path[PATH_MAX];

	if (!text_copy(path, sizeof path, dir))
		return err_set(e, AMBIT_LIMIT, NULL, "'%s' is too long", dir);
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash != NULL)
			*slash = 0;
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_sys(e, AMBIT_SYSTEM, errno, "check its owner and mode", "cannot make '%s'", path);
		if (slash == NULL)
			return 0;
		*slash = '/';
	}
}

static void write_record(const struct trust *t, struct buf *out)
{
	buf_printf(out, MAGIC "path %zu\n", strlen(t->path));
	buf_printf(out, "%s\n", t->path);
	buf_printf(out, "bytes %zu\n", t->now.len);
	buf_put(out, t->now.data, t->now.len);
}

/* A new file beside the record, complete and on disk, then in its place. */
static int replace_record(int dir_fd, const char *name, const struct buf *record, struct err *e)
{
	char temporary[NAME_MAX_HEX + 16];
	auto_fd int fd = -1;
	int rc;

	(void)snprintf(temporary, sizeof temporary, "%s.%d", name, (int)getpid()); /* fits: 10 digits */
	(void)unlinkat(dir_fd, temporary, 0); /* left by one that was killed and had our number */
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot write a record of trust");
	rc = fd_write_all(fd, record->data, record->len);
	if (rc == 0 && (fsync(fd) < 0 || renameat(dir_fd, temporary, dir_fd, name) < 0 || fsync(dir_fd) < 0))
		rc = -errno;
	if (rc < 0) {
		(void)unlinkat(dir_fd, temporary, 0); /* the old record stands */
		return err_sys(e, AMBIT_SYSTEM, -rc, NULL, "cannot write a record of trust");
	}
	return 0;
}

int trust_store(const char *dir, struct trust *t, struct err *e)
{
	auto_fd int dir_fd = -1;
	auto_buf record = { .max = 0 };
	char name[NAME_MAX_HEX];
	int rc = make_dirs(dir, e);

	buf_init(&record, RECORD_MAX);
	if (rc < 0)
		return rc;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open '%s'", dir);
	rc = check_owner(dir_fd, dir, e);
	if (rc < 0)
		return rc;
	write_record(t, &record);
	if (record.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "out of memory");
	record_name(t->path, name);
	rc = replace_record(dir_fd, name, &record, e);
	if (rc == 0)
		t->state = TRUST_TRUSTED;
	return rc;
}
