/* fd - descriptors with one owner, and their passage between processes.
 *
 * Owns:   nothing; it gives the cleanup attribute and the helpers that keep ownership visible.
 * Holds:  every descriptor made here is close-on-exec; -1 is the only "none".
 * Called: from everywhere, also between fork and exec (async-signal-safe), except where a comment says otherwise. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

void fd_close(int *fd); /* closes if >= 0, sets -1, keeps errno */

#define auto_fd __attribute__((cleanup(fd_close)))

static inline int steal_fd(int *fd)
{
	const int taken = *fd;

	*fd = -1;
	return taken;
}

/* All of n bytes, through EINTR and short transfers. 0, or -errno; fd_read_all gives the count, short only at the end. */
int fd_write_all(int fd, const void *bytes, size_t n);
ssize_t fd_read_all(int fd, void *bytes, size_t n);

/* A room on the stack that read(2) fills, and of which nothing but what it gave is looked at: all others are cleared when they come to be (meson.build), which takes longer than
 * reading a few bytes into 64 KB. */
#define ROOM_TO_READ __attribute__((uninitialized))

/* All that is left in it, appended to ret. 0, -errno; -EFBIG: more than the buffer may hold, -ENOMEM. Allocates. */
struct buf;
int fd_read_into(int fd, struct buf *ret);

/* flock(2), exclusive or shared, tried every few milliseconds for wait_ms. 0, -EWOULDBLOCK or another -errno. */
int fd_lock(int fd, uint32_t wait_ms);
int fd_lock_shared(int fd, uint32_t wait_ms);

/* Fills 0, 1 and 2 where they are closed, so that no other descriptor ever gets their numbers. 0 or -errno. */
int fd_reserve_standard(void);

/* As many descriptors as the process may have at all, up to 65,536: for who serves many. */
void fd_allow_many(void);

/* Opens a regular file to be read: what is none is -EINVAL, and a pipe that nobody writes holds nobody up. The caller owns what it gives, or -errno. */
int fd_open_to_read(const char *path);
/* Opens a regular file for writing at a path that a program may have had in its hands: a symbolic link anywhere in it is
 * -ELOOP, and what is no regular file -ENXIO. Beneath /dev and /proc, which no cell writes, both are allowed
 * (/dev/stderr). flags: O_TRUNC or O_EXCL, as for a file that is created. */
int fd_create(const char *path, int flags, unsigned mode, int *ret_fd);
/* Whether path still names the file that fd has open: another process may have put something else there. */
bool fd_is_named(int fd, const char *path);

int fd_set_cloexec(int fd, bool on);  /* 0 or -errno */
int fd_set_nonblock(int fd, bool on); /* 0 or -errno */

/* One packet with descriptors, over a Unix SOCK_SEQPACKET socket. The sender keeps its copies.
 * 0, or -errno (EPIPE: the other side is gone; never a signal). */
#define FD_PASS_MAX 10
int fd_send(int sock, const void *bytes, size_t n, const int *fds, size_t n_fds);
/* The same for a message that lies in two places. */
int fd_send_two(int sock, const void *first, size_t n_first, const void *second, size_t n_second, const int *fds,
		size_t n_fds);

/* Gives the packet's length (0: the other side is gone, and all that it sent was received) and its descriptors, close-on-exec; ret_fds has room for
 * FD_PASS_MAX. A packet longer than n, or with more descriptors than FD_PASS_MAX: -EMSGSIZE, and nothing stays open.
 * The caller owns what it gets. */
ssize_t fd_receive(int sock, void *bytes, size_t n, int *ret_fds, size_t *ret_n_fds);

#endif
