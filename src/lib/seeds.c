#include "lib/seeds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/helper.h"
#include "usual/seeds_link.h"

#define OF_MACHINE "/etc/ambit/seeds.d"
#define OF_AMBIT "ambit-seeds"

/* Root or the person, and nobody else, may change it. NULL; or why it is not so. */
static const char *why_not(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it is another user's";
	return (st->st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "others may write it" : NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Why it was not taken is all that is said of it. */
static void put_bad(struct buf *out, enum seeds_from from, const char *name, const char *why)
{
	struct seeds_file f = { .from = (uint8_t)from };

	(void)text_escape(f.name, sizeof f.name, name, strlen(name));
	(void)snprintf(f.why, sizeof f.why, "%s", why);
	seeds_file_put(out, &f);
}

static void put_bytes(struct buf *out, enum seeds_from from, const char *name, int fd)
{
	struct seeds_file f = { .from = (uint8_t)from };
	auto_buf bytes = { .max = SEEDS_FILE_MAX };
	const int r = fd_read_into(fd, &bytes);

	if (r < 0 || out->len + bytes.len > SEEDS_ALL_MAX) {
		put_bad(out, from, name, r < 0 && r != -EFBIG ? "it cannot be read" : "it is longer than one may be");
		return;
	}
	(void)text_escape(f.name, sizeof f.name, name, strlen(name));
	f.bytes = bytes.data;
	f.n = bytes.len;
	seeds_file_put(out, &f);
}

struct names {
	char text[SEEDS_FILES_MAX][NAME_MAX + 1];
	size_t n;
	bool more;
};

/* Those that end so, in their order. */
static void list(DIR *dir, struct names *ret)
{
	const size_t ending = strlen(SEEDS_ENDING);

	for (const struct dirent *d; (d = readdir(dir)) != NULL;) {
		const size_t n = strlen(d->d_name);

		if (d->d_name[0] == '.' || n <= ending || strcmp(d->d_name + n - ending, SEEDS_ENDING) != 0)
			continue;
		ret->more = ret->n == SEEDS_FILES_MAX;
		if (ret->more)
			break;
		(void)text_copy(ret->text[ret->n++], NAME_MAX + 1, d->d_name); /* of a directory */
	}
	qsort(ret->text, ret->n, sizeof ret->text[0], by_name);
}

static void put_files(struct buf *out, enum seeds_from from, int dir_fd, struct names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		auto_fd int fd = openat(dir_fd, names->text[i], O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		struct stat st = { .st_mode = 0 };
		const char *why = fd < 0 || fstat(fd, &st) < 0 ? "it cannot be read"
				  : !S_ISREG(st.st_mode)       ? "it is no file"
							       : why_not(&st);

		names->text[i][strlen(names->text[i]) - strlen(SEEDS_ENDING)] = 0;
		if (why == NULL)
			put_bytes(out, from, names->text[i], fd);
		else
			put_bad(out, from, names->text[i], why);
	}
	if (names->more)
		put_bad(out, from, "seeds.d", "it has more files than may be");
}

static void put_directory(struct buf *out, enum seeds_from from, const char *path)
{
	auto_fd int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_free struct names *names = calloc(1, sizeof *names);
	struct stat st;
	const char *why;
	DIR *dir;

	if (dir_fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return;
	why = dir_fd < 0 || fstat(dir_fd, &st) < 0 || names == NULL ? "it cannot be read" : why_not(&st);
	if (why != NULL) {
		put_bad(out, from, "seeds.d", why);
		return;
	}
	dir = fdopendir(dir_fd);
	if (dir == NULL) {
		put_bad(out, from, "seeds.d", "it cannot be read");
		return;
	}
	(void)steal_fd(&dir_fd); /* the directory's */
	list(dir, names);
	put_files(out, from, dirfd(dir), names);
	(void)closedir(dir);
}

static void put_own(struct buf *out)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char path[PATH_MAX];
	int n = 0;

	if (config != NULL && config[0] == '/')
		n = snprintf(path, sizeof path, "%s/ambit/seeds.d", config);
	else if (home != NULL && home[0] == '/')
		n = snprintf(path, sizeof path, "%s/.config/ambit/seeds.d", home);
	if (n > 0 && n < (int)sizeof path)
		put_directory(out, SEEDS_OF_PERSON, path);
}

/* Trusted as helpers are: whoever could replace it could replace those. */
static void put_installed(struct buf *out)
{
	auto_fd int at = -1, fd = -1;
	char link[64];
	struct err e;

	if (helper_open(OF_AMBIT, &at, &e) < 0) /* somebody does without */
		return;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", at);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		put_bytes(out, SEEDS_OF_AMBIT, OF_AMBIT, fd);
	else
		put_bad(out, SEEDS_OF_AMBIT, OF_AMBIT, "it cannot be read");
}

int seeds_gather(int *ret_fd, struct err *e)
{
	auto_buf all = { .max = 2 * SEEDS_ALL_MAX };
	auto_fd int fd = memfd_create("ambit-seeds", MFD_CLOEXEC);

	put_own(&all);
	put_directory(&all, SEEDS_OF_MACHINE, OF_MACHINE);
	put_installed(&all);
	if (fd < 0 || all.failed || fd_write_all(fd, all.data, all.len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the seed profiles");
	*ret_fd = steal_fd(&fd);
	return 0;
}
