/* kernel - numbers of the kernel's interface that Debian 12's headers (6.1) do not have yet.
 *
 * Owns:   nothing. Source: include/uapi of Linux 6.12, the man pages landlock(7), prctl(2), mount_setattr(2).
 * Called: from cell/. */
#ifndef CELL_KERNEL_H
#define CELL_KERNEL_H

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <sys/mount.h>
#else /* musl has neither the calls of Linux 5.2 nor their names */
#include <linux/mount.h>

static inline int fsopen(const char *type, unsigned flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static inline int fsconfig(int fs, unsigned command, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fs, command, key, value, aux);
}

static inline int fsmount(int fs, unsigned flags, unsigned attributes)
{
	return (int)syscall(SYS_fsmount, fs, flags, attributes);
}

static inline int open_tree(int dir, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags);
}

static inline int move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

static inline int mount_setattr(int dir, const char *path, unsigned flags, struct mount_attr *attr, size_t size)
{
	return (int)syscall(SYS_mount_setattr, dir, path, flags, attr, size);
}

static inline int mount(const char *from, const char *at, const char *type, unsigned long flags, const void *data)
{
	return (int)syscall(SYS_mount, from, at, type, flags, data);
}

static inline int umount2(const char *at, int flags)
{
	return (int)syscall(SYS_umount2, at, flags);
}
#define MNT_DETACH 2
#endif

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3, Linux 6.2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5, Linux 6.10 */
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6, Linux 6.12 */
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif
#define LANDLOCK_ACCESS_FS_RESOLVE_UNIX_ABI9 (1ULL << 16) /* ABI 9, Linux 7.1 */

/* struct landlock_ruleset_attr of ABI 6; the kernel takes a shorter one from older programs and a longer one if the rest
 * is zero. */
struct landlock_ruleset_attr_6 {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65 /* Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN (1UL << 0)
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

static inline int landlock_create_ruleset_(const void *attr, size_t size, uint32_t flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

static inline int landlock_add_rule_(int ruleset_fd, enum landlock_rule_type type, const void *attr)
{
	return (int)syscall(SYS_landlock_add_rule, ruleset_fd, type, attr, 0);
}

static inline int landlock_restrict_self_(int ruleset_fd)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset_fd, 0);
}

#endif
