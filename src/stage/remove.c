#include "stage/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "stage/sys.h"

/* The top directory is read again and again until it is empty: files go at once, a directory that is empty goes too, and what
 * a directory holds that is none itself: its subdirectories are moved up into the top, under names that are free there. So there
 * are never more than two levels to look at. */
struct job {
	int top_fd;
	unsigned long long serial; /* for names */
	int failed;                /* the first error */
};

static int open_stream(int dir_fd, const char *name, DIR **ret)
{
	int fd = sys_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	*ret = fdopendir(fd);
	if (*ret == NULL) {
		fd_close(&fd);
		return -ENOMEM; /* all that fdopendir needs */
	}
	return 0;
}

static const char *next_name(DIR *d)
{
	const struct dirent *entry;

	do
		entry = readdir(d);
	while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry != NULL ? entry->d_name : NULL;
}

/* Whether it is a directory of this mount; made one that its owner may change. */
static int is_directory(int dir_fd, const char *name)
{
	struct look l;
	int r = sys_look(dir_fd, name, &l);

	if (r < 0 || !S_ISDIR(l.id.mode))
		return r;
	if (l.is_mount)
		return -EXDEV;
	if ((l.id.mode & 0700) != 0700)
		r = sys_chmod_name(dir_fd, name, (l.id.mode & 07777) | 0700);
	return r < 0 ? r : 1;
}

static int move_up(struct job *j, int dir_fd, const char *name)
{
	char up[48];
	int r;

	do {
		(void)snprintf(up, sizeof up, ".up-%llu", j->serial++); /* it fits */
		r = sys_move(dir_fd, name, j->top_fd, up, RENAME_NOREPLACE);
	} while (r == -EEXIST);
	return r;
}

static int empty_one(struct job *j, int dir_fd, const char *name)
{
	const int is_dir = is_directory(dir_fd, name);

	if (is_dir == 0)
		return sys_unlink(dir_fd, name, 0);
	if (is_dir < 0 || sys_unlink(dir_fd, name, AT_REMOVEDIR) == 0)
		return is_dir < 0 ? is_dir : 0;
	return move_up(j, dir_fd, name);
}

static int empty_directory(struct job *j, const char *name)
{
	DIR *d;
	const char *inside;
	int r = open_stream(j->top_fd, name, &d);

	if (r < 0)
		return r;
	while (r == 0 && (inside = next_name(d)) != NULL)
		r = empty_one(j, dirfd(d), inside);
	(void)closedir(d); /* nothing was written */
	return r;
}

static int remove_inside(struct job *j, const char *name)
{
	const int is_dir = is_directory(j->top_fd, name);
	int r;

	if (is_dir <= 0)
		return is_dir < 0 ? is_dir : sys_unlink(j->top_fd, name, 0);
	r = empty_directory(j, name);
	return r < 0 ? r : sys_unlink(j->top_fd, name, AT_REMOVEDIR);
}

/* One pass over the top. 1 if anything went, so that another one is worth it. */
static int pass(struct job *j)
{
	DIR *d;
	const char *name;
	int r = open_stream(j->top_fd, "", &d), did = 0;

	if (r < 0)
		return r;
	j->failed = 0;
	while ((name = next_name(d)) != NULL) {
		r = remove_inside(j, name);
		if (r == 0)
			did = 1;
		else if (j->failed == 0)
			j->failed = r;
	}
	(void)closedir(d); /* nothing was written */
	return did;
}

int remove_tree(int dir_fd, const char *name)
{
	auto_fd int top_fd = -1;
	struct job j = { .failed = 0 };
	int r = is_directory(dir_fd, name);

	if (r <= 0)
		return r == -ENOENT ? 0 : r < 0 ? r : sys_unlink(dir_fd, name, 0);
	top_fd = sys_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY);
	if (top_fd < 0)
		return top_fd;
	j.top_fd = top_fd;
	while ((r = pass(&j)) > 0)
		continue;
	if (r < 0 || j.failed < 0)
		return r < 0 ? r : j.failed;
	return sys_unlink(dir_fd, name, AT_REMOVEDIR);
}
