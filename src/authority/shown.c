#include "authority/shown.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/layout.h"
#include "base/fd.h"

#define NAME_FORM "a_%016llx"
#define NAME_LEN 18

static void name_of(authority_ref ask, char ret[NAME_LEN + 1])
{
	(void)snprintf(ret, NAME_LEN + 1, NAME_FORM, (unsigned long long)ask);
}

/* 0: it is none of ours. */
static authority_ref ref_of(const char *name)
{
	authority_ref ref = 0;
	char again[NAME_LEN + 1];

	if (strlen(name) != NAME_LEN)
		return 0;
	ref = strtoull(name + 2, NULL, 16);
	name_of(ref, again);
	return strcmp(again, name) == 0 ? ref : 0;
}

static bool lives(const struct authority *a, authority_ref ask)
{
	struct authority_ask_told told;

	return authority_ask_by(a, ask, &told);
}

/* getdents64 as it is: readdir wants a call that the role does not have. */
static int list(struct shown *s, const struct authority *a)
{
	_Alignas(struct dirent64) char room[4096];
	ssize_t n;

	while ((n = getdents64(s->dir_fd, room, sizeof room)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const struct dirent64 *)(const void *)(room + at);
			const authority_ref ref = ref_of(entry->d_name);

			at += entry->d_reclen;
			if (entry->d_name[0] == '.')
				continue;
			if (ref != 0 && lives(a, ref) && s->n < SHOWN_MAX)
				s->asks[s->n++] = ref;
			else
				(void)unlinkat(s->dir_fd, entry->d_name, 0); /* what stays is in nobody's way */
		}
	return n < 0 ? -errno : 0;
}

int shown_open(struct shown *s, int dir_fd, const struct authority *a)
{
	s->n = 0;
	if (mkdirat(dir_fd, AUTHORITY_SHOWN, 0700) == 0 ? fsync(dir_fd) < 0 : errno != EEXIST)
		return -errno;
	s->dir_fd = openat(dir_fd, AUTHORITY_SHOWN, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->dir_fd < 0 ? -errno : list(s, a);
}

void shown_close(struct shown *s)
{
	fd_close(&s->dir_fd);
}

int shown_keep(struct shown *s, authority_ref ask, const void *bytes, size_t n)
{
	char name[NAME_LEN + 1];
	auto_fd int fd = -1;
	int r;

	if (s->n == SHOWN_MAX)
		return -ENOSPC;
	name_of(ask, name);
	(void)unlinkat(s->dir_fd, name, 0); /* of a question that has not happened */
	fd = openat(s->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	s->asks[s->n++] = ask; /* from here on it is swept */
	r = fd_write_all(fd, bytes, n);
	return r < 0 ? r : fdatasync(fd) < 0 || fsync(s->dir_fd) < 0 ? -errno : 0;
}

int shown_read(const struct shown *s, authority_ref ask)
{
	char name[NAME_LEN + 1];
	int fd;

	name_of(ask, name);
	fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void shown_sweep(struct shown *s, const struct authority *a)
{
	for (unsigned i = s->n; i-- > 0;) {
		char name[NAME_LEN + 1];

		if (lives(a, s->asks[i]))
			continue;
		name_of(s->asks[i], name);
		(void)unlinkat(s->dir_fd, name, 0); /* or at the next start */
		s->asks[i] = s->asks[--s->n];
	}
}
