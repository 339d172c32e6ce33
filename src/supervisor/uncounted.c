#include "supervisor/uncounted.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervisor/proctext.h"

static bool used_bytes(int fd, uint64_t *ret)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return false;
	*ret = (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
	return true;
}

static bool is_known(const struct uncounted *u, dev_t dev)
{
	for (uint32_t i = 0; i < u->n; i++)
		if (u->row[i].dev == dev)
			return true;
	return false;
}

/* fd is borrowed. What is not in memory, or is there already, is left out. */
static int add(struct uncounted *u, int fd, int scratch_fd, struct err *e)
{
	struct stat st, scratch;
	uint64_t used;

	if (fstat(fd, &st) < 0 || !used_bytes(fd, &used) || is_known(u, st.st_dev) ||
	    (scratch_fd >= 0 && fstat(scratch_fd, &scratch) == 0 && scratch.st_dev == st.st_dev))
		return 0;
	if (u->n == UNCOUNTED_MAX)
		return err_set(e, AMBIT_HOST, "grant fewer directories to be written",
			       "the cell can write to more than %u file systems in memory", UNCOUNTED_MAX);
	u->row[u->n].fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (u->row[u->n].fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot keep a file system in memory in sight");
	u->row[u->n].dev = st.st_dev;
	u->row[u->n++].before = used;
	return 0;
}

/* Kinds whose server writes, not the kernel; and ramfs, of which not even a size is known. */
static bool is_in_the_dark(const char *type)
{
	static const char *const kinds[] = { "ramfs", "9p", "virtiofs", "fuse", "fuseblk" };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(type, kinds[i]) == 0)
			return true;
	return strncmp(type, "fuse.", 5) == 0;
}

/* Where somebody else's overlay is written, if that has this name here, too. */
static int add_upper(struct uncounted *u, const struct uncounted_ask *ask, const char *path, struct err *e)
{
	auto_fd int fd = path[0] != '/' ? -1 : open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? 0 : add(u, fd, ask->scratch_fd, e);
}

static int add_mount(struct uncounted *u, const struct uncounted_ask *ask, int root_fd, const struct proctext_mount *m,
		     struct err *e)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH };
	auto_fd int fd = -1;

	if (m->read_only || m->point[0] != '/')
		return 0;
	if (is_in_the_dark(m->type))
		return !ask->limited
			       ? 0
			       : err_set(e, AMBIT_HOST, "stage it (without --direct), or say --limit disk=none",
					 "nobody counts what is written to %s, whose file system is %s: disk cannot hold",
					 m->point, m->type);
	if (strcmp(m->type, "overlay") == 0)
		return add_upper(u, ask, m->upper, e);
	if (strcmp(m->type, "tmpfs") != 0)
		return 0;
	fd = (int)syscall(SYS_openat2, root_fd, m->point[1] == 0 ? "." : m->point + 1, &how, sizeof how);
	if (fd >= 0)
		return add(u, fd, ask->scratch_fd, e);
	/* where this process does not get to, the cell, which has no more rights, does not either */
	return errno == EACCES || errno == ENOENT || errno == ENOTDIR || errno == ELOOP
		       ? 0
		       : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot look at the file system at %s", m->point);
}

static int add_mounts(struct uncounted *u, const struct uncounted_ask *ask, FILE *lines, int root_fd, struct err *e)
{
	struct proctext_mount mount;
	char *line = NULL;
	size_t room = 0;
	int r = 0;

	while (r == 0 && getline(&line, &room, lines) >= 0)
		if (proctext_mount(line, &mount))
			r = add_mount(u, ask, root_fd, &mount, e);
		else if (ask->limited) /* it may be one of those that count */
			r = err_set(e, AMBIT_HOST, "say --limit disk=none if it need not hold",
				    "a mount of the cell has a path or a kind that is too long to tell");
	if (r == 0 && ferror(lines))
		r = err_sys(e, AMBIT_HOST, errno, ERR_DOCTOR, "cannot read the mounts of the cell");
	free(line);
	return r;
}

static int find_mounts(struct uncounted *u, const struct uncounted_ask *ask, struct err *e)
{
	auto_fd int root = openat(ask->proc_fd, "1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd int fd = openat(ask->proc_fd, "1/mountinfo", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *lines = root < 0 || fd < 0 ? NULL : fdopen(fd, "r");
	int r;

	if (lines == NULL)
		return err_sys(e, AMBIT_HOST, errno, ERR_DOCTOR, "cannot read the mounts of the cell");
	(void)steal_fd(&fd); /* the stream has it */
	r = add_mounts(u, ask, lines, root, e);
	(void)fclose(lines);
	return r;
}

int uncounted_find(struct uncounted *ret, const struct uncounted_ask *ask, struct err *e)
{
	int r = 0;

	ret->n = 0;
	for (size_t i = 0; i < ask->n_also && r == 0; i++)
		if (ask->also[i] >= 0)
			r = add(ret, ask->also[i], ask->scratch_fd, e);
	r = r < 0 ? r : find_mounts(ret, ask, e);
	if (r < 0)
		uncounted_close(ret);
	return r;
}

void uncounted_again(struct uncounted *u)
{
	uint64_t used;

	for (uint32_t i = 0; i < u->n; i++)
		if (used_bytes(u->row[i].fd, &used))
			u->row[i].before = used;
}

uint64_t uncounted_grown(const struct uncounted *u)
{
	uint64_t sum = 0, used;

	for (uint32_t i = 0; i < u->n; i++)
		if (used_bytes(u->row[i].fd, &used) && used > u->row[i].before)
			sum += used - u->row[i].before;
	return sum;
}

void uncounted_close(struct uncounted *u)
{
	for (uint32_t i = 0; i < u->n; i++)
		fd_close(&u->row[i].fd);
	u->n = 0;
}
