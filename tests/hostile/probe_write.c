/* Ways to change what may not be changed: args[0] is the file, args[1] a directory that may be written, on the same file
 * system. run.py compares the tree with what it was. */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

static int by_open(struct attempt *a)
{
	return got(open(a->args[0], O_WRONLY | O_CLOEXEC));
}

static int by_open_both(struct attempt *a)
{
	return got(open(a->args[0], O_RDWR | O_CLOEXEC));
}

static int by_append(struct attempt *a)
{
	return got(open(a->args[0], O_WRONLY | O_APPEND | O_CLOEXEC));
}

static int by_creat(struct attempt *a)
{
	return got(creat(a->args[0], 0600));
}

static int by_openat2(struct attempt *a)
{
	struct open_how how = { .flags = O_RDWR | O_CLOEXEC };

	return got(syscall(SYS_openat2, AT_FDCWD, a->args[0], &how, sizeof how));
}

static int by_truncate(struct attempt *a)
{
	return got(truncate(a->args[0], 3));
}

/* Truncation asks for nothing but the flag: O_RDONLY|O_TRUNC. */
static int by_open_truncate(struct attempt *a)
{
	return got(open(a->args[0], O_RDONLY | O_TRUNC | O_CLOEXEC));
}

static int by_unlink(struct attempt *a)
{
	return got(unlink(a->args[0]));
}

static int beside(struct attempt *a, char ret[4096])
{
	return snprintf(ret, 4096, "%s.planted", a->args[0]);
}

static int by_create_beside(struct attempt *a)
{
	char name[4096];

	(void)beside(a, name);
	return got(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

static int by_tmpfile(struct attempt *a)
{
	char name[4096], from[64];
	const int fd = open(parent_of(a->args[0]).text, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	(void)beside(a, name);
	(void)snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	if (fd < 0 || linkat(AT_FDCWD, from, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return fd;
}

static int by_mkdir(struct attempt *a)
{
	char name[4096];

	(void)beside(a, name);
	return got(mkdir(name, 0700));
}

static int by_symlink_beside(struct attempt *a)
{
	char name[4096];

	(void)beside(a, name);
	return got(symlink("/etc/passwd", name));
}

static int by_fifo(struct attempt *a)
{
	char name[4096];

	(void)beside(a, name);
	return got(mkfifo(name, 0600));
}

static int by_socket(struct attempt *a)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof at.sun_path, "%.90s.planted", a->args[0]);
	return fd < 0 ? failed_try(a, "no Unix socket") : got(bind(fd, (struct sockaddr *)&at, sizeof at));
}

static int by_rename_over(struct attempt *a)
{
	return got(rename(scratch_file(a->args[1], "over").text, a->args[0]));
}

static int by_rename_in(struct attempt *a)
{
	char name[4096];

	(void)beside(a, name);
	return got(rename(scratch_file(a->args[1], "in").text, name));
}

static int by_rename_away(struct attempt *a)
{
	char name[4096];

	(void)beside(a, name);
	return got(rename(a->args[0], name));
}

static int by_rename_out(struct attempt *a)
{
	return got(rename(a->args[0], joined(a->args[1], "out").text));
}

static int by_exchange(struct attempt *a)
{
	const struct path mine = scratch_file(a->args[1], "exchange");

	return got(syscall(SYS_renameat2, AT_FDCWD, mine.text, AT_FDCWD, a->args[0], 2U /* RENAME_EXCHANGE */));
}

/* args[2] levels above the file. */
static struct path ancestor(struct attempt *a)
{
	struct path p = parent_of(a->args[0]);

	for (long n = number(a->args[2]); n > 0; n--)
		p = parent_of(p.text);
	return p;
}

static int by_rename_ancestor(struct attempt *a)
{
	const struct path from = ancestor(a);
	char to[4200];

	(void)snprintf(to, sizeof to, "%s.moved", from.text);
	return got(rename(from.text, to));
}

/* In the place of the directory, a link to one of the attacker's. */
static int by_replace_ancestor(struct attempt *a)
{
	const struct path from = ancestor(a), mine = joined(a->args[1], "instead");

	(void)mkdir(mine.text, 0700);
	return got(syscall(SYS_renameat2, AT_FDCWD, mine.text, AT_FDCWD, from.text, 2U /* RENAME_EXCHANGE */));
}

static int by_link_over(struct attempt *a)
{
	char name[4096];

	(void)beside(a, name);
	return got(link(scratch_file(a->args[1], "link-over").text, name));
}

static int by_chmod(struct attempt *a)
{
	return got(chmod(a->args[0], 0666));
}

static int by_fchmod(struct attempt *a)
{
	const int fd = open(a->args[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : got(fchmod(fd, 0666));
}

static int by_chmod_descriptor(struct attempt *a)
{
	const int fd = open(a->args[0], O_PATH | O_CLOEXEC);
	char name[64];

	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return fd < 0 ? -errno : got(chmod(name, 0666));
}

static int by_chown(struct attempt *a)
{
	return got(chown(a->args[0], getuid(), getgid()));
}

static int by_utimes(struct attempt *a)
{
	const struct timespec when[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	return got(utimensat(AT_FDCWD, a->args[0], when, 0));
}

static int by_attribute(struct attempt *a)
{
	return got(setxattr(a->args[0], "user.planted", "x", 1, 0));
}

static int by_flags(struct attempt *a)
{
	const int fd = open(a->args[0], O_RDONLY | O_CLOEXEC);
	const int flags = FS_NODUMP_FL;

	return fd < 0 ? -errno : got(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static int by_allocate(struct attempt *a)
{
	const int fd = open(a->args[0], O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : got(fallocate(fd, 0, 0, 1 << 20));
}

static int by_map(struct attempt *a)
{
	const int fd = open(a->args[0], O_RDWR | O_CLOEXEC);
	char *at = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	at[0] = '!';
	return got(msync(at, 4096, MS_SYNC));
}

static int by_symlink(struct attempt *a)
{
	const struct path name = joined(a->args[1], "write-by-symlink");

	(void)unlink(name.text);
	if (symlink(a->args[0], name.text) < 0)
		return failed_try(a, "symlink in %s", a->args[1]);
	return got(open(name.text, O_WRONLY | O_CLOEXEC));
}

/* A link that leads to a name that is not there yet. */
static int by_dangling_symlink(struct attempt *a)
{
	const struct path name = joined(a->args[1], "write-by-dangling");
	char target[4096];

	(void)beside(a, target);
	(void)unlink(name.text);
	if (symlink(target, name.text) < 0)
		return failed_try(a, "symlink in %s", a->args[1]);
	return got(open(name.text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int by_directory_symlink(struct attempt *a)
{
	const struct path name = joined(a->args[1], "write-by-dirlink");

	(void)unlink(name.text);
	if (symlink(parent_of(a->args[0]).text, name.text) < 0)
		return failed_try(a, "symlink in %s", a->args[1]);
	return got(open(joined(name.text, base_of(a->args[0])).text, O_WRONLY | O_CLOEXEC));
}

static int by_hard_link(struct attempt *a)
{
	const struct path name = joined(a->args[1], "write-by-link");

	(void)unlink(name.text);
	return link(a->args[0], name.text) < 0 ? -errno : got(open(name.text, O_WRONLY | O_CLOEXEC));
}

static int by_dots(struct attempt *a)
{
	/* args[1] is a sibling of the directory that holds the file */
	const struct path dir = parent_of(a->args[0]);
	char name[8192];

	(void)snprintf(name, sizeof name, "%s/../%s/%s", a->args[1], base_of(dir.text), base_of(a->args[0]));
	return got(open(name, O_WRONLY | O_CLOEXEC));
}

static int by_own_root(struct attempt *a)
{
	return got(open(joined("/proc/self/root", a->args[0]).text, O_WRONLY | O_CLOEXEC));
}

static int reopened(struct attempt *a, int first_flags)
{
	const int fd = open(a->args[0], first_flags | O_CLOEXEC);
	char name[64];

	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return fd < 0 ? -errno : got(open(name, O_WRONLY | O_CLOEXEC));
}

static int by_path_descriptor(struct attempt *a)
{
	return reopened(a, O_PATH);
}

static int by_reading_descriptor(struct attempt *a)
{
	return reopened(a, O_RDONLY);
}

static int by_thread_descriptor(struct attempt *a)
{
	const int fd = open(a->args[0], O_RDONLY | O_CLOEXEC);
	char name[64];

	(void)snprintf(name, sizeof name, "/proc/thread-self/fd/%d", fd);
	return fd < 0 ? -errno : got(open(name, O_RDWR | O_CLOEXEC));
}

static int by_root_of(struct attempt *a)
{
	return got(open(joined(joined(joined("/proc", a->args[2]).text, "root").text, a->args[0]).text,
			O_WRONLY | O_CLOEXEC));
}

const struct probe probes_write[] = {
	{ "write-open", 2, .writes = by_open },
	{ "write-open-both", 2, .writes = by_open_both },
	{ "write-append", 2, .writes = by_append },
	{ "write-creat", 2, .writes = by_creat },
	{ "write-openat2", 2, .writes = by_openat2 },
	{ "write-truncate", 2, .tries = by_truncate },
	{ "write-open-truncate", 2, .tries = by_open_truncate },
	{ "write-unlink", 2, .tries = by_unlink },
	{ "write-create-beside", 2, .writes = by_create_beside },
	{ "write-tmpfile", 2, .writes = by_tmpfile },
	{ "write-mkdir", 2, .tries = by_mkdir },
	{ "write-symlink-beside", 2, .tries = by_symlink_beside },
	{ "write-fifo", 2, .tries = by_fifo },
	{ "write-socket", 2, .tries = by_socket },
	{ "write-rename-over", 2, .tries = by_rename_over },
	{ "write-rename-in", 2, .tries = by_rename_in },
	{ "write-rename-away", 2, .tries = by_rename_away },
	{ "write-rename-out", 2, .tries = by_rename_out },
	{ "write-exchange", 2, .tries = by_exchange },
	{ "write-rename-ancestor", 3, .tries = by_rename_ancestor },
	{ "write-replace-ancestor", 3, .tries = by_replace_ancestor },
	{ "write-link-in", 2, .tries = by_link_over },
	{ "write-chmod", 2, .tries = by_chmod },
	{ "write-fchmod", 2, .tries = by_fchmod },
	{ "write-chmod-fd", 2, .tries = by_chmod_descriptor },
	{ "write-chown", 2, .tries = by_chown },
	{ "write-utimes", 2, .tries = by_utimes },
	{ "write-attribute", 2, .tries = by_attribute },
	{ "write-flags", 2, .tries = by_flags },
	{ "write-allocate", 2, .tries = by_allocate },
	{ "write-map", 2, .tries = by_map },
	{ "write-symlink", 2, .writes = by_symlink },
	{ "write-dangling-symlink", 2, .writes = by_dangling_symlink },
	{ "write-directory-symlink", 2, .writes = by_directory_symlink },
	{ "write-hard-link", 2, .writes = by_hard_link },
	{ "write-dots", 2, .writes = by_dots },
	{ "write-own-root", 2, .writes = by_own_root },
	{ "write-path-fd", 2, .writes = by_path_descriptor },
	{ "write-reading-fd", 2, .writes = by_reading_descriptor },
	{ "write-thread-fd", 2, .writes = by_thread_descriptor },
	{ "write-root-of", 3, .writes = by_root_of },
	{ .name = NULL },
};
