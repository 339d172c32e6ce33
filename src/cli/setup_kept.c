#include "cli/setup_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "lib/state.h"

#define CHANGES_MAX 1000u /* of one file that are kept */
#define SAYS_MAX (PATH_MAX + 256)
#define NOT_THERE "-"

/* word: "" or "/CLIENT". */
static int open_directory(const char *word, int *ret_fd, struct err *e)
{
	char name[64], path[PATH_MAX];
	int fd = -1, r = 0;

	(void)snprintf(name, sizeof name, "setup%s", word); /* fits */
	if (state_path(name, path, sizeof path) < 0)
		return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME", "there is no place for what is there now");
	for (char *slash = path + strlen(path) - strlen(name) - 1; r == 0 && slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = 0;
		r = state_open(path, &fd, e);
		fd_close(&fd);
		*slash = '/';
	}
	return r < 0 ? r : state_open(path, ret_fd, e);
}

int setup_kept_lock(int *ret_fd, struct err *e)
{
	auto_fd int fd = -1;
	int r = open_directory("", &fd, e);

	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		(void)fprintf(stderr, "ambit: another `ambit setup` is at work; this one goes on when it has ended\n");
		do
			r = flock(fd, LOCK_EX);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for it");
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

static void names(const struct setup_kept *k, unsigned n, char before[64], char is[64])
{
	(void)snprintf(before, 64, "%s.%u", k->name, n); /* both fit */
	(void)snprintf(is, 64, "%s.%u.is", k->name, n);
}

static int damaged(const char *name, struct err *e)
{
	return err_set(e, AMBIT_CONFLICT, "look at it, and put back by hand what is there",
		       "what was kept of it (%s) is not what was written", name);
}

static int read_kept(int dir_fd, const char *name, struct buf *out, struct err *e)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int r = fd < 0 ? -errno : fd_read_into(fd, out);

	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read what was kept of it (%s)", name) : 0;
}

/* "was DIGEST\nis DIGEST\npath PATH\n", and nothing else. */
static bool take_says(struct setup_kept *k, const char *text, const char *path)
{
	char again[SAYS_MAX];
	int n;

	if (sscanf(text, "was %64s\nis %64s\n", k->was, k->is) != 2)
		return false;
	n = snprintf(again, sizeof again, "was %s\nis %s\npath %s\n", k->was, k->is, path);
	k->was_there = strcmp(k->was, NOT_THERE) != 0;
	return n > 0 && n < (int)sizeof again && strcmp(again, text) == 0;
}

static int read_latest(struct setup_kept *k, const char *path, struct err *e)
{
	auto_buf says = { .max = SAYS_MAX };
	char before[64], is[64], digest[2 * SHA256_BYTES + 1];
	int r;

	names(k, k->n, before, is);
	r = read_kept(k->dir_fd, is, &says, e);
	if (r < 0)
		return r;
	if (buf_cstr(&says) == NULL || !take_says(k, (const char *)says.data, path))
		return damaged(is, e);
	if (!k->was_there)
		return 0;
	r = read_kept(k->dir_fd, before, &k->before, e);
	if (r < 0)
		return r;
	setup_digest(k->before.data, k->before.len, digest);
	return strcmp(digest, k->was) == 0 ? 0 : damaged(before, e);
}

int setup_kept_open(struct setup_kept *k, enum setup_client c, const struct setup_file *f, struct err *e)
{
	char digest[2 * SHA256_BYTES + 1], before[64], is[64], word[32];
	int r;

	*k = (struct setup_kept){ .dir_fd = -1 };
	buf_init(&k->before, SETUP_TEXT_MAX + 1);
	setup_digest(f->path, strlen(f->path), digest);
	(void)snprintf(k->name, sizeof k->name, "%.16s", digest);       /* as long as that */
	(void)snprintf(word, sizeof word, "/%s", setup_about(c)->word); /* fits */
	r = open_directory(word, &k->dir_fd, e);
	if (r < 0)
		return r;
	for (unsigned n = 1; n <= CHANGES_MAX; n++) {
		names(k, n, before, is);
		if (faccessat(k->dir_fd, is, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			break;
		k->n = n;
	}
	return k->n > 0 ? read_latest(k, f->path, e) : 0;
}

static int write_kept(int dir_fd, const char *name, const void *bytes, size_t n, struct err *e)
{
	auto_fd int fd = openat(dir_fd, ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, bytes, n);

	if (r == 0 && (fsync(fd) < 0 || renameat(dir_fd, ".new", dir_fd, name) < 0 || fsync(dir_fd) < 0))
		r = -errno;
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "free some space", "cannot keep what is there now") : 0;
}

int setup_kept_add(struct setup_kept *k, const struct setup_file *f, const void *bytes, size_t n, struct err *e)
{
	auto_buf says = { .max = SAYS_MAX };
	char before[64], is[64];
	int r = 0;

	if (k->n >= CHANGES_MAX)
		return err_set(e, AMBIT_LIMIT, "--undo some", "%u changes of '%s' are kept already", CHANGES_MAX,
			       f->path);
	k->n++;
	names(k, k->n, before, is);
	(void)snprintf(k->was, sizeof k->was, "%s", NOT_THERE);
	if (f->is_there)
		setup_digest(f->text.data, f->text.len, k->was);
	setup_digest(bytes, n, k->is);
	k->was_there = f->is_there;
	buf_printf(&says, "was %s\nis %s\npath %s\n", k->was, k->is, f->path);
	if (says.failed)
		return err_set(e, AMBIT_LIMIT, NULL, "the path is too long");
	if (f->is_there)
		r = write_kept(k->dir_fd, before, f->text.data, f->text.len, e);
	return r < 0 ? r : write_kept(k->dir_fd, is, says.data, says.len, e);
}

void setup_kept_drop(struct setup_kept *k)
{
	char before[64], is[64];

	names(k, k->n, before, is);
	(void)unlinkat(k->dir_fd, is, 0);     /* what stays is found out by its digests */
	(void)unlinkat(k->dir_fd, before, 0); /* of a file that was not there, none */
}

void setup_kept_close(struct setup_kept *k)
{
	fd_close(&k->dir_fd);
	buf_finish(&k->before);
}
