/* sys - every system call by which the stage engine changes something, and how it looks at names.
 *
 * Owns:   nothing; descriptors it gives belong to the caller.
 * Holds:  names are resolved beneath a descriptor, through no link and into no other mount. Each changing call first asks
 *         stage_step(), so that a test can make any of them fail, or end the process there. Results are 0 or -errno.
 * Called: from stage/ only. */
#ifndef STAGE_SYS_H
#define STAGE_SYS_H

#include <linux/fs.h> /* RENAME_ */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a name stands for, as far as it is compared and kept. */
struct ident {
	uint64_t dev, ino; /* ino 0: nothing is there */
	uint64_t size;
	int64_t ctime_ns, mtime_ns;
	int64_t btime_ns; /* 0: the file system has none, or it is not to be compared */
	uint32_t mode;    /* with the type */
	uint32_t nlink;
};

struct look {
	struct ident id;
	uint64_t bytes; /* on disk */
	uint64_t mount;
	bool is_mount; /* something is mounted on it */
	bool is_whiteout;
	uint32_t uid;
	bool is_immutable, is_append; /* as chattr says it: not even root moves, or takes away, what is */
};

/* 0 to go on, or a positive errno with which the call fails. Weak: tests bring their own. */
int stage_step(const char *call);

int sys_look(int dir_fd, const char *name, struct look *ret); /* name "": the descriptor itself */
/* path "" is the directory itself; flags as of open. */
int sys_open_beneath(int dir_fd, const char *path, int flags);
/* The directory that holds path, as O_PATH, and where the last part of path begins; path is not empty. */
int sys_open_parent(int dir_fd, const char *path, const char **ret_name);
/* A regular file or a directory for reading, never through a link and never waiting. */
int sys_open_name(int dir_fd, const char *name, int flags);

int sys_move(int from_fd, const char *from, int to_fd, const char *to, unsigned flags); /* RENAME_ */
int sys_unlink(int dir_fd, const char *name, int flags);
int sys_mkdir(int dir_fd, const char *name, unsigned mode);
int sys_node(int dir_fd, const char *name, unsigned mode); /* a whiteout, a pipe or a socket */
int sys_symlink(const char *to, int dir_fd, const char *name);
int sys_link(int from_fd, const char *from, int to_fd, const char *to);
int sys_create(int dir_fd, const char *name, unsigned mode); /* the descriptor, for writing; the name must be new */
/* The descriptor, for writing behind what is there; the file is made if there is none. */
int sys_open_append(int dir_fd, const char *name);
int sys_truncate(int fd, uint64_t size);
int sys_chmod(int fd, unsigned mode);
int sys_chmod_name(int dir_fd, const char *name, unsigned mode);              /* for what is certainly no link */
int sys_chown_name(int dir_fd, const char *name, uint32_t uid, uint32_t gid); /* of a link, itself */
int sys_mtime(int dir_fd, const char *name, int64_t mtime_ns);                /* name "": the descriptor itself */
/* The same of what may belong to another, who alone could set it: then it stays as writing left it. */
int sys_mtime_of_any(int dir_fd, const char *name, int64_t mtime_ns);
/* Whether this process may change names in a directory. -EACCES, -EROFS, -EPERM: immutable. */
int sys_may_write(int dir_fd);
int sys_set_xattr(int fd, const char *name, const void *value, size_t n);
int sys_remove_xattr(int fd, const char *name);
int sys_write(int fd, const void *bytes, size_t n);
/* Clones or copies what `from` holds, holes as holes, to an empty file. */
int sys_copy_data(int from, int to, uint64_t size);
int sys_sync(int fd);
int sys_sync_data(int fd); /* what it holds, and not its times */
int sys_sync_all(int fd);  /* the file system it lies on */

#endif
