#include "cli/setup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"

/* ---- where it is ---- */

static int too_long(struct err *e)
{
	return err_set(e, AMBIT_LIMIT, NULL, "the path is too long");
}

/* "NAME:DIR/FILE": beneath what the variable says, and else beneath home. */
static int named_path(const char *where, bool project, char ret[PATH_MAX], struct err *e)
{
	const char *colon = strchr(where, ':'), *rest = colon != NULL ? colon + 1 : where, *home = getenv("HOME"),
		   *given = NULL;
	const char *slash = strchr(rest, '/');
	char name[64] = "", here[PATH_MAX];

	if (project) {
		if (getcwd(here, sizeof here) == NULL)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot find out the current directory");
		return snprintf(ret, PATH_MAX, "%s/%s", here, where) >= PATH_MAX ? too_long(e) : 0;
	}
	if (colon != NULL)
		(void)snprintf(name, sizeof name, "%.*s", (int)(colon - where), where); /* fits: the table is ours */
	given = name[0] != 0 ? getenv(name) : NULL;
	if (given != NULL && given[0] == '/')
		return snprintf(ret, PATH_MAX, "%s/%s", given, slash != NULL ? slash + 1 : rest) >= PATH_MAX
			       ? too_long(e)
			       : 0;
	if (home == NULL || home[0] != '/')
		return err_set(e, AMBIT_HOST, "set HOME to an absolute path, or name the file with --config",
			       "there is no home");
	return snprintf(ret, PATH_MAX, "%s/%s", home, rest) >= PATH_MAX ? too_long(e) : 0;
}

/* As an editor does: links are followed to what is changed. Directories may be missing still. */
static int resolve(const char *path, char ret[PATH_MAX], struct err *e)
{
	char above[PATH_MAX], real[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (realpath(path, ret) != NULL)
		return 0;
	if (errno != ENOENT || lstat(path, &st) == 0)
		return err_sys(e, AMBIT_USAGE, errno, "if it is a link, look where it leads", "cannot find '%s'", path);
	(void)snprintf(above, sizeof above, "%.*s", slash != NULL ? (int)(slash - path) : 1,
		       slash != NULL ? path : "."); /* shorter */
	if (realpath(above[0] != 0 ? above : "/", real) == NULL)
		return path[0] == '/' && text_copy(ret, PATH_MAX, path)
			       ? 0
			       : err_sys(e, AMBIT_NOT_FOUND, errno, NULL, "cannot find '%s'", above);
	return snprintf(ret, PATH_MAX, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash != NULL ? slash + 1 : path) >=
			       PATH_MAX
		       ? too_long(e)
		       : 0;
}

int setup_file_find(struct setup_file *f, const char *where, bool project, const char *word, struct err *e)
{
	char path[PATH_MAX];
	int r = 0;

	*f = (struct setup_file){ .is_there = false };
	buf_init(&f->text, SETUP_TEXT_MAX + 1);
	if (word == NULL)
		r = named_path(where, project, path, e);
	return r < 0 ? r : resolve(word != NULL ? word : path, f->path, e);
}

/* ---- whose it is ---- */

/* Whoever else may write it could have written it, and would have a person start it behind our gate, or without. */
static int check_own(const struct stat *st, const char *path, struct err *e)
{
	if (st->st_uid != geteuid() && !(S_ISDIR(st->st_mode) && st->st_uid == 0))
		return err_set(e, AMBIT_DENIED, "run it as its owner", "'%s' belongs to another user", path);
	if ((st->st_mode & S_IWOTH) != 0 || ((st->st_mode & S_IWGRP) != 0 && st->st_gid != getegid()))
		return err_set(e, AMBIT_DENIED, "`chmod go-w` it, when you have looked what is there",
			       "'%s' can be written by others", path);
	return 0;
}

static int open_above(const char *path, int *ret_fd, struct err *e)
{
	char above[PATH_MAX];
	auto_fd int fd = -1;
	struct stat st;
	int r;

	(void)snprintf(above, sizeof above, "%s", path); /* the same size */
	*strrchr(above, '/') = 0;
	fd = open(above[0] != 0 ? above : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open the directory of '%s'", path);
	r = check_own(&st, above, e);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

int setup_file_read(struct setup_file *f, struct err *e)
{
	auto_fd int fd = open(f->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), above = -1;
	int r;

	buf_reset(&f->text);
	f->is_there = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open '%s'", f->path);
	if (fstat(fd, &f->st) < 0 || !S_ISREG(f->st.st_mode))
		return err_set(e, AMBIT_USAGE, NULL, "'%s' is no regular file", f->path);
	r = check_own(&f->st, f->path, e);
	r = r < 0 ? r : open_above(f->path, &above, e);
	if (r < 0)
		return r;
	if (f->st.st_nlink > 1)
		return err_set(e, AMBIT_DENIED, "make a link of the other name, or name a copy",
			       "'%s' has several names (hard links), of which one alone would be changed", f->path);
	if (f->st.st_size > (off_t)SETUP_TEXT_MAX)
		return err_set(e, AMBIT_LIMIT, "is the file what it should be?", "'%s' has more than %u MB", f->path,
			       SETUP_TEXT_MAX >> 20);
	r = fd_read_into(fd, &f->text);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read '%s'", f->path) : 0;
}

/* ---- written whole ---- */

static int make_above(const char *path, struct err *e)
{
	char at[PATH_MAX];

	(void)snprintf(at, sizeof at, "%s", path); /* the same size */
	for (char *slash = strchr(at + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(at, 0700) < 0 && errno != EEXIST)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make the directory '%s'", at);
		*slash = '/';
	}
	return 0;
}

/* Between this look and the new name there is an instant in which another may write: clients have no lock either. */
static int check_same(const struct setup_file *f, struct err *e)
{
	struct setup_file now = *f;
	int r;

	buf_init(&now.text, SETUP_TEXT_MAX + 1);
	r = setup_file_read(&now, e);
	if (r == 0 && (now.is_there != f->is_there || !buf_is_same(&now.text, &f->text)))
		r = err_set(e, AMBIT_CONFLICT, "do it again: the difference will be another",
			    "'%s' was changed meanwhile, and is left as it is", f->path);
	buf_finish(&now.text);
	return r;
}

/* fd: a file that has the new content, under a name of its own. */
static int fill(const struct setup_file *f, int fd, const void *bytes, size_t n, struct err *e)
{
	const mode_t mode = f->is_there ? f->st.st_mode & 07777 : 0600;
	int r = fd_write_all(fd, bytes, n);

	if (r == 0 && f->is_there && f->st.st_gid != getegid() && fchown(fd, (uid_t)-1, f->st.st_gid) < 0)
		r = -errno;
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "free some space", "cannot write '%s'", f->path) : 0;
}

static int replace(const struct setup_file *f, int dir_fd, const void *bytes, size_t n, struct err *e)
{
	const char *name = strrchr(f->path, '/') + 1;
	char beside[64];
	uint64_t number = 0;
	auto_fd int fd = -1;
	int r;

	(void)getrandom(&number, sizeof number, 0); /* O_EXCL looks, too */
	(void)snprintf(beside, sizeof beside, ".ambit-setup-%016llx", (unsigned long long)number); /* fits */
	fd = openat(dir_fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot write beside '%s'", f->path);
	r = fill(f, fd, bytes, n, e);
	r = r < 0 ? r : check_same(f, e);
	/* a new one gets its name only if nobody else took that meanwhile */
	if (r == 0 &&
	    (f->is_there ? renameat(dir_fd, beside, dir_fd, name) : linkat(dir_fd, beside, dir_fd, name, 0)) < 0)
		r = err_sys(e, errno == EEXIST ? AMBIT_CONFLICT : AMBIT_SYSTEM, errno, NULL,
			    "cannot put '%s' in its place", f->path);
	if (r < 0 || !f->is_there)
		(void)unlinkat(dir_fd, beside, 0); /* nothing is lost by it */
	return r;
}

int setup_file_write(const struct setup_file *f, const void *bytes, size_t n, bool remove, struct err *e)
{
	auto_fd int dir_fd = -1;
	int r = make_above(f->path, e);

	r = r < 0 ? r : open_above(f->path, &dir_fd, e);
	if (r == 0 && !remove)
		r = replace(f, dir_fd, bytes, n, e);
	if (r == 0 && remove) {
		r = check_same(f, e);
		if (r == 0 && unlinkat(dir_fd, strrchr(f->path, '/') + 1, 0) < 0)
			r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot remove '%s'", f->path);
	}
	if (r == 0 && fsync(dir_fd) < 0 && errno != EINVAL)
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "'%s' may not be on disk yet", f->path);
	return r;
}

void setup_file_finish(struct setup_file *f)
{
	buf_finish(&f->text);
}

void setup_digest(const void *bytes, size_t n, char ret[2 * SHA256_BYTES + 1])
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, bytes, n);
	sha256_end(&s, digest);
	hex_write(digest, sizeof digest, ret);
}
