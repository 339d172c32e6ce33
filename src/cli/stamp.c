#include "cli/stamp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ledger/layout.h"

#define STAMP_MAX 96

static bool stamp_of(int dir_fd, char ret[STAMP_MAX])
{
	struct stat st;

	if (fstatat(dir_fd, LEDGER_INDEX_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	(void)snprintf(ret, STAMP_MAX, "%ju %jd %jd.%09jd\n", (uintmax_t)st.st_ino, (intmax_t)st.st_size,
		       (intmax_t)st.st_ctim.tv_sec, (intmax_t)st.st_ctim.tv_nsec); /* it fits */
	return true;
}

/* Whether there is an index, and the stamp is of another. */
static bool differs(int dir_fd, char is[STAMP_MAX])
{
	auto_fd int fd = openat(dir_fd, LEDGER_INDEX_STAMP, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char was[STAMP_MAX];
	const ssize_t n = fd < 0 ? 0 : fd_read_all(fd, was, sizeof was - 1);

	was[n > 0 ? n : 0] = 0;
	return stamp_of(dir_fd, is) && strcmp(is, was) != 0;
}

bool stamp_refuse(int dir_fd)
{
	char is[STAMP_MAX];

	return differs(dir_fd, is) && unlinkat(dir_fd, LEDGER_INDEX_FILE, 0) == 0;
}

void stamp_put(int dir_fd)
{
	char is[STAMP_MAX];
	auto_fd int fd = -1;

	if (!differs(dir_fd, is))
		return;
	(void)unlinkat(dir_fd, LEDGER_INDEX_STAMP, 0);
	fd = openat(dir_fd, LEDGER_INDEX_STAMP, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)fd_write_all(fd, is, strlen(is)); /* half a stamp is of no index */
}
