#include "secret/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/nearest.h"
#include "base/text.h"

#define LOCK "lock"
#define LOCK_PATIENCE_MS 10000 /* nobody who holds it waits for a person */
#define KEY "store.key"
#define KEY_MAGIC "ambit secret key 1\n"
#define KEY_FILE_BYTES (sizeof KEY_MAGIC - 1 + SEALED_KEY_BYTES)
#define NEW ".new"
#define SUFFIX ".sealed"
#define FILE_NAME_MAX (SECRET_NAME_MAX + sizeof SUFFIX)

static int check_directory(int fd, uid_t uid, const char *what, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid && (st.st_mode & 077) == 0)
		return 0;
	return err_set(e, AMBIT_DENIED, "chmod 700 it, if it is yours", "%s is not yours alone", what);
}

int store_check(const struct store *s, struct err *e)
{
	const int r = check_directory(s->dir_fd, s->uid, "the directory of your secrets", e);

	return r < 0 ? r : check_directory(s->key_fd, s->uid, "the directory of your secrets' key", e);
}

int store_lock(int dir_fd, int *ret_fd, struct err *e)
{
	auto_fd int fd = openat(dir_fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	const int r = fd < 0 ? -errno : fd_lock(fd, LOCK_PATIENCE_MS);

	if (r < 0)
		return err_sys(e, r == -EWOULDBLOCK ? AMBIT_CONFLICT : AMBIT_SYSTEM, -r,
			       "see who may write there, and whether the directory is shared with another machine",
			       "cannot lock the store of secrets");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* ---- one file ---- */

#define MISSING INT_MIN /* no code, and no count */

/* All of it; gives how many bytes. MISSING leaves *e as it was. */
static int read_own(const struct store *s, int dir_fd, const char *name, void *ret, size_t size, struct err *e)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return MISSING;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "see who may read it", "cannot open %s", name);
	if (!S_ISREG(st.st_mode) || st.st_uid != s->uid || (st.st_mode & 077) != 0)
		return err_set(e, AMBIT_DENIED, "it should be a file of yours with mode 0600: see who changed it",
			       "%s is not yours alone, or no file", name);
	n = fd_read_all(fd, ret, size);
	if (n < 0)
		return err_sys(e, AMBIT_SYSTEM, (int)-n, NULL, "cannot read %s", name);
	return (int)n; /* at most size */
}

static int put_new(int dir_fd, const char *name, const void *bytes, size_t n)
{
	auto_fd int fd = -1;
	int r;

	(void)unlinkat(dir_fd, NEW, 0); /* of a death */
	fd = openat(dir_fd, NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : fd_write_all(fd, bytes, n);
	if (r < 0)
		return r;
	return fsync(fd) < 0 || renameat(dir_fd, NEW, dir_fd, name) < 0 || fsync(dir_fd) < 0 ? -errno : 0;
}

static int write_own(int dir_fd, const char *name, const void *bytes, size_t n, struct err *e)
{
	const int r = put_new(dir_fd, name, bytes, n);

	if (r == 0)
		return 0;
	(void)unlinkat(dir_fd, NEW, 0);
	return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
		       "make room, or see who may write there", "cannot write %s", name);
}

/* ---- the key ---- */

static int bad_key(struct err *e)
{
	return err_set(e, AMBIT_MALFORMED,
		       "restore the file " KEY " from a backup; or remove all secrets and it, and set them again",
		       "the key of your secrets is damaged");
}

static int make_key(struct store *s, struct err *e)
{
	uint8_t file[KEY_FILE_BYTES] = KEY_MAGIC;
	int r;

	randombytes_buf(s->key, sizeof s->key);
	memcpy(file + sizeof KEY_MAGIC - 1, s->key, sizeof s->key);
	r = write_own(s->key_fd, KEY, file, sizeof file, e);
	sodium_memzero(file, sizeof file);
	return r;
}

static int no_key(struct store *s, bool make, struct err *e)
{
	static struct store_names names;
	const int r = store_list(s, &names, e);

	if (r < 0)
		return r;
	if (names.n > 0)
		return err_set(e, AMBIT_NOT_FOUND,
			       "restore the file " KEY " from a backup; or remove all secrets, and set them again",
			       "the key of your secrets is gone");
	return make ? make_key(s, e)
		    : err_set(e, AMBIT_NOT_FOUND, "set it first: ambit secret set NAME", "you have no secrets");
}

int store_key(struct store *s, bool make, struct err *e)
{
	uint8_t file[KEY_FILE_BYTES + 1];
	const int n = read_own(s, s->key_fd, KEY, file, sizeof file, e);
	int r = 0;

	if (n == MISSING)
		return no_key(s, make, e);
	if (n < 0)
		return n;
	if (n != KEY_FILE_BYTES || memcmp(file, KEY_MAGIC, sizeof KEY_MAGIC - 1) != 0)
		r = bad_key(e);
	else
		memcpy(s->key, file + sizeof KEY_MAGIC - 1, sizeof s->key);
	sodium_memzero(file, sizeof file);
	return r;
}

/* ---- names ---- */

static bool name_of(const char *file, char ret[SECRET_NAME_MAX])
{
	const size_t n = strlen(file), suffix = sizeof SUFFIX - 1;

	if (n <= suffix || n - suffix >= SECRET_NAME_MAX || strcmp(file + n - suffix, SUFFIX) != 0)
		return false;
	memcpy(ret, file, n - suffix);
	ret[n - suffix] = 0;
	return secret_name_is_good(ret);
}

static void file_of(const char *name, char ret[FILE_NAME_MAX])
{
	(void)snprintf(ret, FILE_NAME_MAX, "%s" SUFFIX, name); /* fits */
}

static bool add_name(struct store_names *names, const char *name)
{
	uint32_t at = names->n;

	if (names->n == STORE_SECRETS_MAX)
		return false;
	for (; at > 0 && strcmp(names->list[at - 1], name) > 0; at--)
		memcpy(names->list[at], names->list[at - 1], SECRET_NAME_MAX);
	names->n++;
	return text_copy(names->list[at], SECRET_NAME_MAX, name); /* of the same size */
}

/* getdents64 as it is: readdir wants a call that the role does not have. */
static int add_names(int fd, struct store_names *ret)
{
	_Alignas(struct dirent64) char room[4096];
	ssize_t n;

	while ((n = getdents64(fd, room, sizeof room)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const struct dirent64 *)(const void *)(room + at);
			char name[SECRET_NAME_MAX];

			if (name_of(entry->d_name, name) && !add_name(ret, name))
				return -E2BIG;
			at += entry->d_reclen;
		}
	return n < 0 ? -errno : 0;
}

int store_list(const struct store *s, struct store_names *ret, struct err *e)
{
	auto_fd int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	ret->n = 0;
	r = r < 0 ? r : add_names(fd, ret);
	if (r == -E2BIG)
		return err_set(e, AMBIT_LIMIT, "remove some", "there are more than %d secrets", STORE_SECRETS_MAX);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot list your secrets") : 0;
}

static int not_found(const struct store *s, const char *name, struct err *e)
{
	static struct store_names names;
	static struct nearest nearest;
	char hint[2 * SECRET_NAME_MAX + 64] = "`ambit secret list` names them";

	if (store_list(s, &names, NULL) == 0) {
		nearest_begin(&nearest, name);
		for (uint32_t i = 0; i < names.n; i++)
			nearest_try(&nearest, names.list[i]);
		if (names.n == 0)
			(void)snprintf(hint, sizeof hint, "set it: ambit secret set %s", name); /* fits */
		else if (nearest_found(&nearest) != NULL)
			(void)snprintf(hint, sizeof hint, "did you mean '%.*s'?", SECRET_NAME_MAX,
				       nearest_found(&nearest));
	}
	return err_set(e, AMBIT_NOT_FOUND, hint, "there is no secret '%s'", name);
}

/* ---- secrets ---- */

int store_read(struct store *s, const char *name, struct err *e)
{
	static uint8_t bytes[SEALED_FILE_MAX + 1];
	char file[FILE_NAME_MAX];
	int r;

	file_of(name, file);
	r = read_own(s, s->dir_fd, file, bytes, sizeof bytes, e);
	if (r == MISSING)
		return not_found(s, name, e);
	r = r < 0 ? r : sealed_take(bytes, (size_t)r, s->key, &s->head, &s->value, e);
	if (r == 0 && strcmp(s->head.name, name) != 0) {
		sodium_memzero(&s->value, sizeof s->value);
		r = err_set(e, AMBIT_MALFORMED, "give the file its name back",
			    "it is the secret '%s', under another name", s->head.name);
	}
	return r < 0 ? err_context(e, r, "secret '%s'", name) : 0;
}

static bool has_name(const struct store_names *names, const char *name)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i], name) == 0)
			return true;
	return false;
}

int store_write(struct store *s, struct err *e)
{
	static uint8_t room[SEALED_FILE_MAX];
	static struct store_names names;
	char file[FILE_NAME_MAX];
	struct buf out;
	int r = store_list(s, &names, e);

	if (r < 0)
		return r;
	if (names.n == STORE_SECRETS_MAX && !has_name(&names, s->head.name))
		return err_set(e, AMBIT_LIMIT, "remove one that is not needed", "there are %d secrets already",
			       STORE_SECRETS_MAX);
	file_of(s->head.name, file);
	buf_init_in(&out, room, sizeof room);
	sealed_put(&out, &s->head, &s->value, s->key);
	return out.failed ? err_set(e, AMBIT_INTERNAL, NULL, "the secret does not fit into a file")
			  : write_own(s->dir_fd, file, out.data, out.len, e);
}

int store_remove(struct store *s, const char *name, struct err *e)
{
	char file[FILE_NAME_MAX];

	file_of(name, file);
	if (unlinkat(s->dir_fd, file, 0) < 0)
		return errno == ENOENT
			       ? not_found(s, name, e)
			       : err_sys(e, AMBIT_SYSTEM, errno, "see who may write there", "cannot remove %s", file);
	return fsync(s->dir_fd) < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot write that %s is gone", file) : 0;
}
