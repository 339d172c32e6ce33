#include "files/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "files/content.h"
#include "files/names.h"

#define PATH_ROOM (4096 + (WALK_DEPTH_MAX + 1) * (NAME_MAX + 1))

enum going { GO_ON, ENOUGH, NO_MEMORY };

static enum going descend(struct walk *w, int *dir_fd, unsigned depth);

static enum going enter(struct walk *w, int dir_fd, const char *name, unsigned depth)
{
	auto_fd int fd = -1;

	if (strcmp(name, ".git") == 0)
		return GO_ON;
	if (depth + 1 >= w->depth) {
		w->deeper++;
		return GO_ON;
	}
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | CONTENT_OPEN | O_CLOEXEC);
	if (fd >= 0) {
		buf_put(&w->path, "/", 1);
		return descend(w, &fd, depth + 1);
	}
	w->unread += errno != ENOENT;
	return GO_ON;
}

static enum going visit(struct walk *w, int dir_fd, const char *name, unsigned depth)
{
	const size_t len = w->path.len;
	struct walk_entry entry = { .dir_fd = dir_fd, .name = name };
	enum going going = GO_ON;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		w->unread += errno != ENOENT; /* it went meanwhile */
		return GO_ON;
	}
	buf_put(&w->path, name, strlen(name));
	entry.path = buf_cstr(&w->path);
	if (entry.path == NULL)
		return NO_MEMORY;
	entry.relative = entry.path + w->prefix;
	entry.st = &st;
	if (!w->fn(w->user, &entry))
		going = ENOUGH;
	else if (S_ISDIR(st.st_mode))
		going = enter(w, dir_fd, name, depth);
	w->path.len = len;
	return going;
}

static enum going each_page(struct walk *w, DIR *d, unsigned depth)
{
	struct names page = { .more = true };
	enum going going = GO_ON;

	while (going == GO_ON && page.more) {
		const int r = names_next(&page, d, w->held < WALK_ROOM ? (WALK_ROOM - w->held) / 2 : 0);
		const size_t bytes = page.bytes;

		w->held += bytes;
		w->unread += r < 0;
		going = r == -ENOMEM ? NO_MEMORY : GO_ON;
		for (size_t i = 0; going == GO_ON && i < page.n; i++)
			going = visit(w, dirfd(d), page.name[i], depth);
		w->held -= bytes;
	}
	names_finish(&page);
	return going;
}

/* Recursion is as deep as WALK_DEPTH_MAX, of small frames. */
static enum going descend(struct walk *w, int *dir_fd, unsigned depth)
{
	DIR *d = fdopendir(*dir_fd);
	enum going going;

	if (d == NULL)
		return NO_MEMORY;
	(void)steal_fd(dir_fd); /* d's from here on */
	going = each_page(w, d, depth);
	(void)closedir(d);
	return going;
}

/* "." is not said, and slashes at the end are not said twice. */
static void put_prefix(struct walk *w, const char *path)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	if (n == 1 && path[0] == '.')
		return;
	buf_put(&w->path, path, n);
	buf_put(&w->path, "/", 1);
}

int walk_take(struct walk *w, int dir_fd, const char *path)
{
	auto_fd int fd = dir_fd;
	enum going going;

	buf_init(&w->path, PATH_ROOM);
	put_prefix(w, path);
	w->prefix = w->path.len;
	going = descend(w, &fd, 0);
	buf_finish(&w->path);
	return going == NO_MEMORY ? -ENOMEM : 0;
}
