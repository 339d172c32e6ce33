#include "session/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int sealed_make(const char *name, const struct buf *bytes)
{
	auto_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : bytes->failed ? -ENOMEM : fd_write_all(fd, bytes->data, bytes->len);

	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	return r < 0 ? r : steal_fd(&fd);
}

int sealed_read(int fd, struct buf *ret)
{
	struct stat st;
	uint8_t *to;
	ssize_t n;

	if (fcntl(fd, F_GET_SEALS) != SEALS || fstat(fd, &st) < 0)
		return -EINVAL;
	if (st.st_size < 0 || (uint64_t)st.st_size > ret->max - ret->len)
		return -EFBIG;
	to = buf_room(ret, (size_t)st.st_size);
	if (to == NULL)
		return -ENOMEM;
	n = pread(fd, to, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return n < 0 ? -errno : -EIO;
	ret->len += (size_t)n;
	return 0;
}
