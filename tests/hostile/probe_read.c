/* Ways to read a file: args[0] is the secret. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define READ_ONLY (O_RDONLY | O_CLOEXEC | O_NONBLOCK)

static int by_open(struct attempt *a)
{
	return got(open(a->args[0], READ_ONLY));
}

static int by_open_call(struct attempt *a)
{
	return got(syscall(SYS_open, a->args[0], READ_ONLY, 0));
}

static int by_openat(struct attempt *a)
{
	const struct path dir = parent_of(a->args[0]);
	const int dir_fd = open(dir.text, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return dir_fd < 0 ? -errno : got(openat(dir_fd, base_of(a->args[0]), READ_ONLY));
}

static int by_openat2(struct attempt *a)
{
	struct open_how how = { .flags = READ_ONLY };

	return got(syscall(SYS_openat2, AT_FDCWD, a->args[0], &how, sizeof how));
}

/* The same file by a number of its own, "type:hex" from serve-handle; args[1]: a directory on the same mount. */
static int by_handle(struct attempt *a)
{
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} h = { .head = { .handle_bytes = 0 } };
	const char *hex = strchr(a->args[0], ':');
	const int mount_fd = open(a->args[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (hex == NULL || mount_fd < 0)
		return mount_fd < 0 ? -errno : cannot(a, "'%s' is not a handle", a->args[0]);
	h.head.handle_type = (int)strtol(a->args[0], NULL, 10);
	for (hex++; hex[0] != 0 && hex[1] != 0; hex += 2)
		h.bytes[h.head.handle_bytes++] = (unsigned char)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
	memcpy(h.head.f_handle, h.bytes, h.head.handle_bytes);
	return got(open_by_handle_at(mount_fd, &h.head, O_RDONLY | O_CLOEXEC));
}

static int reopened(int fd, int flags)
{
	char name[64];

	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return got(open(name, flags));
}

static int by_path_descriptor(struct attempt *a)
{
	const int fd = open(a->args[0], O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : reopened(fd, READ_ONLY);
}

static int by_symlink(struct attempt *a)
{
	const struct path link = joined(a->args[1], "read-by-symlink");

	(void)unlink(link.text);
	if (symlink(a->args[0], link.text) < 0)
		return failed_try(a, "symlink in %s", a->args[1]);
	return got(open(link.text, READ_ONLY));
}

static int by_hard_link(struct attempt *a)
{
	const struct path name = joined(a->args[1], "read-by-link");

	(void)unlink(name.text);
	if (link(a->args[0], name.text) < 0)
		return -errno;
	return got(open(name.text, READ_ONLY));
}

static int by_link_of_descriptor(struct attempt *a)
{
	const struct path name = joined(a->args[1], "read-by-fd-link");
	const int fd = open(a->args[0], O_PATH | O_CLOEXEC);
	char from[64];

	(void)unlink(name.text);
	(void)snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	if (fd < 0 || linkat(AT_FDCWD, from, AT_FDCWD, name.text, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return got(open(name.text, READ_ONLY));
}

static int by_rename(struct attempt *a)
{
	const struct path name = joined(a->args[1], "read-by-rename");

	return rename(a->args[0], name.text) < 0 ? -errno : got(open(name.text, READ_ONLY));
}

/* args: secret as seen from args[1], a granted directory: "../secret/file". */
static int by_dots(struct attempt *a)
{
	return got(open(joined(a->args[1], a->args[0]).text, READ_ONLY));
}

static int by_dots_from_descriptor(struct attempt *a)
{
	const int fd = open(a->args[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? failed_try(a, "%s", a->args[1]) : got(openat(fd, a->args[0], READ_ONLY));
}

static int by_dots_from_cwd(struct attempt *a)
{
	return chdir(a->args[1]) < 0 ? failed_try(a, "%s", a->args[1]) : got(open(a->args[0], READ_ONLY));
}

/* From args[1], which somebody outside moves away meanwhile, so that `..` would lead past the mount: args[0] is the
 * secret as seen from where it then is, args[2] the name that says "I stand in it". */
static int by_moved_directory(struct attempt *a)
{
	if (chdir(a->args[1]) < 0)
		return failed_try(a, "%s", a->args[1]);
	(void)scratch_file(".", a->args[2]);
	for (int i = 0; i < 300; i++) {
		const int fd = open(a->args[0], READ_ONLY);

		if (fd >= 0)
			return fd;
		(void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	return -errno;
}

static int beneath(struct attempt *a, const char *dir)
{
	return got(open(joined(dir, a->args[0]).text, READ_ONLY));
}

static int by_own_root(struct attempt *a)
{
	return beneath(a, "/proc/self/root");
}

static int by_thread_root(struct attempt *a)
{
	return beneath(a, "/proc/thread-self/root");
}

/* args[1]: the process through whose root, or from whose working directory. */
static int by_root_of(struct attempt *a)
{
	return beneath(a, joined(joined("/proc", a->args[1]).text, "root").text);
}

static int by_cwd_of(struct attempt *a)
{
	return beneath(a, joined(joined("/proc", a->args[1]).text, "cwd").text);
}

static int marker_in_fds(const char *process, struct attempt *a)
{
	const struct path dir = joined(joined("/proc", process).text, "fd");
	DIR *d = opendir(dir.text);
	int r = -errno;

	if (d == NULL)
		return r;
	r = -ENODATA;
	for (struct dirent *e; r < 0 && (e = readdir(d)) != NULL;) {
		const int fd = openat(dirfd(d), e->d_name, READ_ONLY | O_NOCTTY);

		if (fd < 0)
			continue;
		r = find_marker(fd, a);
		(void)close(fd);
	}
	(void)closedir(d);
	return r;
}

/* args[1]: a process that has the secret open, or "all". */
static int by_fds_of(struct attempt *a)
{
	DIR *d;
	int r = -ENODATA;

	if (strcmp(a->args[1], "all") != 0)
		return marker_in_fds(a->args[1], a);
	d = opendir("/proc");
	if (d == NULL)
		return -errno;
	for (struct dirent *e; r < 0 && (e = readdir(d)) != NULL;)
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			r = marker_in_fds(e->d_name, a);
	(void)closedir(d);
	return r;
}

static int by_chroot(struct attempt *a)
{
	const struct path dir = parent_of(a->args[0]);

	if (chroot(dir.text) < 0)
		return -errno;
	return got(open(joined("/", base_of(a->args[0])).text, READ_ONLY));
}

/* ---- what is not the content of a file ---- */

static int marked(struct attempt *a, const char *text, ssize_t n)
{
	if (n < 0)
		return -errno;
	return memmem(text, (size_t)n, MARKER, sizeof MARKER - 1) == NULL ? -ENODATA
									  : said(a, "read %.*s", (int)n, text);
}

static int link_text(struct attempt *a)
{
	char text[256];

	return marked(a, text, readlink(a->args[0], text, sizeof text));
}

static int attribute(struct attempt *a)
{
	char text[256];

	return marked(a, text, getxattr(a->args[0], "user.ambit", text, sizeof text));
}

static int listing(struct attempt *a)
{
	DIR *d = opendir(a->args[0]);
	int r = -errno;

	if (d == NULL)
		return r;
	r = -ENODATA;
	for (struct dirent *e; r < 0 && (e = readdir(d)) != NULL;)
		r = marked(a, e->d_name, (ssize_t)strlen(e->d_name));
	(void)closedir(d);
	return r;
}

/* Looks for a name with MARKER in it in every directory from / on that can be listed, to a depth of args[0]. */
static int walk(struct attempt *a, const char *dir, long depth)
{
	DIR *d = opendir(dir);
	int r = -ENODATA;

	if (d == NULL)
		return r;
	for (struct dirent *e; r < 0 && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, "proc") == 0)
			continue;
		r = marked(a, e->d_name, (ssize_t)strlen(e->d_name));
		if (r < 0 && e->d_type == DT_DIR && depth > 1)
			r = walk(a, joined(dir, e->d_name).text, depth - 1);
	}
	(void)closedir(d);
	return r;
}

static int walked(struct attempt *a)
{
	return walk(a, a->args[1], number(a->args[0]));
}

const struct probe probes_read[] = {
	{ "read-open", 1, .opens = by_open },
	{ "read-open-call", 1, .opens = by_open_call },
	{ "read-openat", 1, .opens = by_openat },
	{ "read-openat2", 1, .opens = by_openat2 },
	{ "read-handle", 2, .opens = by_handle },
	{ "read-path-fd", 1, .opens = by_path_descriptor },
	{ "read-symlink", 2, .opens = by_symlink },
	{ "read-hard-link", 2, .opens = by_hard_link },
	{ "read-fd-link", 2, .opens = by_link_of_descriptor },
	{ "read-rename", 2, .opens = by_rename },
	{ "read-dots", 2, .opens = by_dots },
	{ "read-dots-fd", 2, .opens = by_dots_from_descriptor },
	{ "read-dots-cwd", 2, .opens = by_dots_from_cwd },
	{ "read-moved", 3, .opens = by_moved_directory },
	{ "read-own-root", 1, .opens = by_own_root },
	{ "read-thread-root", 1, .opens = by_thread_root },
	{ "read-root-of", 2, .opens = by_root_of },
	{ "read-cwd-of", 2, .opens = by_cwd_of },
	{ "read-fds-of", 2, .tries = by_fds_of },
	{ "read-chroot", 1, .opens = by_chroot },
	{ "read-link-text", 1, .tries = link_text },
	{ "read-attribute", 1, .tries = attribute },
	{ "read-listing", 1, .tries = listing },
	{ "read-walk", 2, .tries = walked },
	{ .name = NULL },
};
