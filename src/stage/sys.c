#include "stage/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"

#define NS INT64_C(1000000000)

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000u
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000u
#endif

static int64_t ns_of(const struct statx_timestamp *t)
{
	return t->tv_sec * NS + t->tv_nsec;
}

int sys_look(int dir_fd, const char *name, struct look *ret)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] == 0 ? AT_EMPTY_PATH : 0);
	struct statx x;

	if (syscall(SYS_statx, dir_fd, name, flags, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &x) !=
	    0) /* no musl has it */
		return -errno;
	*ret = (struct look){
		.id = { .dev = (uint64_t)x.stx_dev_major << 32 | x.stx_dev_minor,
			.ino = x.stx_ino,
			.size = S_ISDIR(x.stx_mode) ? 0 : x.stx_size,
			.ctime_ns = ns_of(&x.stx_ctime),
			.mtime_ns = ns_of(&x.stx_mtime),
			.btime_ns = (x.stx_mask & STATX_BTIME) != 0 ? ns_of(&x.stx_btime) : 0,
			.mode = x.stx_mode,
			.nlink = x.stx_nlink },
		.bytes = x.stx_blocks * 512,
		.mount = x.stx_mnt_id,
		.is_mount = (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0,
		.is_whiteout = S_ISCHR(x.stx_mode) && x.stx_rdev_major == 0 && x.stx_rdev_minor == 0,
		.uid = x.stx_uid,
		.is_immutable = (x.stx_attributes & STATX_ATTR_IMMUTABLE) != 0,
		.is_append = (x.stx_attributes & STATX_ATTR_APPEND) != 0,
	};
	return 0;
}

int sys_open_beneath(int dir_fd, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	const long fd = syscall(SYS_openat2, dir_fd, path[0] == 0 ? "." : path, &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}

int sys_open_parent(int dir_fd, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[4096];
	const size_t n = slash != NULL ? (size_t)(slash - path) : 0;

	*ret_name = slash != NULL ? slash + 1 : path;
	if (n >= sizeof parent)
		return -ENAMETOOLONG;
	memcpy(parent, path, n);
	parent[n] = 0;
	return sys_open_beneath(dir_fd, parent, O_PATH | O_DIRECTORY);
}

int sys_open_name(int dir_fd, const char *name, int flags)
{
	const int fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

/* A call that changes something: the step first. */
#define STEP(call, expression)                                                                                         \
	__extension__({                                                                                                \
		const int fails_ = stage_step(call);                                                                   \
		fails_ != 0 ? -fails_ : (expression) < 0 ? -errno : 0;                                                 \
	})

int sys_move(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return STEP("rename", syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}

int sys_unlink(int dir_fd, const char *name, int flags)
{
	return STEP("unlink", unlinkat(dir_fd, name, flags));
}

int sys_mkdir(int dir_fd, const char *name, unsigned mode)
{
	return STEP("mkdir", mkdirat(dir_fd, name, mode));
}

int sys_node(int dir_fd, const char *name, unsigned mode)
{
	return STEP("mknod", mknodat(dir_fd, name, mode, 0));
}

int sys_symlink(const char *to, int dir_fd, const char *name)
{
	return STEP("symlink", symlinkat(to, dir_fd, name));
}

int sys_link(int from_fd, const char *from, int to_fd, const char *to)
{
	return STEP("link", linkat(from_fd, from, to_fd, to, 0));
}

int sys_create(int dir_fd, const char *name, unsigned mode)
{
	int fd = -1;
	const int r = STEP("create",
			   fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));

	return r < 0 ? r : fd;
}

int sys_open_append(int dir_fd, const char *name)
{
	int fd = -1;
	const int r = STEP("append",
			   fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));

	return r < 0 ? r : fd;
}

int sys_truncate(int fd, uint64_t size)
{
	return STEP("truncate", ftruncate(fd, (off_t)size));
}

int sys_chmod(int fd, unsigned mode)
{
	return STEP("chmod", fchmod(fd, mode & 07777));
}

/* chmod follows links, and somebody else may put one there: so the object is held first. */
static int chmod_held(int dir_fd, const char *name, unsigned mode)
{
	const int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char held[32];
	struct stat st;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -1 : 0;

	(void)snprintf(held, sizeof held, "/proc/self/fd/%d", fd);
	if (r == 0 && S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		r = -1;
	}
	r = r < 0 ? r : chmod(held, mode & 07777);
	if (fd >= 0) {
		const int saved = errno;

		(void)close(fd);
		errno = saved;
	}
	return r;
}

int sys_chmod_name(int dir_fd, const char *name, unsigned mode)
{
	return STEP("chmod", chmod_held(dir_fd, name, mode));
}

int sys_chown_name(int dir_fd, const char *name, uint32_t uid, uint32_t gid)
{
	return STEP("chown", fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW));
}

int sys_mtime(int dir_fd, const char *name, int64_t mtime_ns)
{
	const int64_t s = mtime_ns / NS - (mtime_ns % NS < 0 ? 1 : 0);
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = s, .tv_nsec = mtime_ns - s * NS } };

	if (name[0] == 0)
		return STEP("utimens", futimens(dir_fd, times));
	return STEP("utimens", utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW));
}

int sys_mtime_of_any(int dir_fd, const char *name, int64_t mtime_ns)
{
	const int r = sys_mtime(dir_fd, name, mtime_ns);

	return r == -EPERM ? 0 : r;
}

int sys_may_write(int dir_fd)
{
	return faccessat(dir_fd, ".", W_OK | X_OK, 0) < 0 ? -errno : 0;
}

int sys_set_xattr(int fd, const char *name, const void *value, size_t n)
{
	return STEP("setxattr", fsetxattr(fd, name, value, n, 0));
}

int sys_remove_xattr(int fd, const char *name)
{
	const int r = STEP("removexattr", fremovexattr(fd, name));

	return r == -ENODATA ? 0 : r;
}

int sys_write(int fd, const void *bytes, size_t n)
{
	const int fails = stage_step("write");

	return fails != 0 ? -fails : fd_write_all(fd, bytes, n);
}

/* copy_file_range between file systems only works where both know how: then by hand. */
static int copy_by_hand(int from, int to, off_t at, off_t end)
{
	char bytes[16384];

	if (lseek(to, at, SEEK_SET) < 0)
		return -errno;
	while (at < end) {
		const size_t want = end - at < (off_t)sizeof bytes ? (size_t)(end - at) : sizeof bytes;
		const ssize_t got = pread(from, bytes, want, at);
		int r;

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return 0; /* shorter than it was: who copies looks at the size again */
		r = got > 0 ? fd_write_all(to, bytes, (size_t)got) : 0; /* through short writes: the next says why */
		if (r < 0)
			return r;
		at += got > 0 ? got : 0;
	}
	return 0;
}

static int copy_range(int from, int to, off_t at, off_t end)
{
	while (at < end) {
		off_t in = at, out = at;
		const ssize_t got = copy_file_range(from, &in, to, &out, (size_t)(end - at), 0);

		if (got <= 0)
			return copy_by_hand(from, to, at, end);
		at += got;
	}
	return 0;
}

static int copy_extents(int from, int to, off_t size)
{
	off_t at = 0;

	while (at < size) {
		const off_t data = lseek(from, at, SEEK_DATA);
		off_t hole;
		int r;

		if (data < 0 && errno == ENXIO)
			break; /* a hole up to the end */
		hole = data < 0 ? size : lseek(from, data, SEEK_HOLE);
		r = copy_range(from, to, data < 0 ? at : data, hole < 0 || hole > size ? size : hole);
		if (r < 0)
			return r;
		at = hole < 0 || hole > size ? size : hole;
	}
	return ftruncate(to, size) != 0 ? -errno : 0;
}

int sys_copy_data(int from, int to, uint64_t size)
{
	const int fails = stage_step("copy");

	if (fails != 0)
		return -fails;
	if (size == 0 || ioctl(to, FICLONE, from) == 0)
		return 0;
	return copy_extents(from, to, (off_t)size);
}

int sys_sync(int fd)
{
	return STEP("fsync", fsync(fd));
}

int sys_sync_data(int fd)
{
	return STEP("fdatasync", fdatasync(fd));
}

int sys_sync_all(int fd)
{
	return STEP("syncfs", syncfs(fd));
}
