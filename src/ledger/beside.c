#include "ledger/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ledger/layout.h"

#define NAMED_MAX (4096u * SHA256_BYTES)

void beside_init(struct beside *b, int dir_fd)
{
	b->dir_fd = dir_fd;
	buf_init(&b->named, NAMED_MAX);
}

void beside_finish(struct beside *b)
{
	buf_finish(&b->named);
}

int beside_note(struct beside *b, const uint8_t digest[SHA256_BYTES])
{
	int r;

	if (b->named.len > 0 && memcmp(b->named.data + b->named.len - SHA256_BYTES, digest, SHA256_BYTES) == 0)
		return 0; /* several entries name one, one after the other */
	r = b->named.len == NAMED_MAX ? beside_settle(b) : 0;
	buf_put(&b->named, digest, SHA256_BYTES);
	return r < 0 ? r : b->named.failed ? -ENOMEM : 0;
}

/* Not blocking: what somebody put there may be a pipe. */
static int sync_one(int payload_fd, const uint8_t digest[SHA256_BYTES])
{
	char name[PAYLOAD_NAME_MAX];
	struct stat st;
	auto_fd int fd = -1;

	payload_name(digest, name);
	fd = openat(payload_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return fdatasync(fd) < 0 ? -errno : 0;
}

int beside_settle(struct beside *b)
{
	auto_fd int payload_fd = -1;
	int r = 0;

	if (b->named.len == 0)
		return 0;
	payload_fd = openat(b->dir_fd, LEDGER_PAYLOAD, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	for (size_t at = 0; payload_fd >= 0 && at < b->named.len && r == 0; at += SHA256_BYTES)
		r = sync_one(payload_fd, b->named.data + at);
	if (payload_fd >= 0 && r == 0 && fsync(payload_fd) < 0)
		r = -errno;
	buf_reset(&b->named);
	return r;
}
