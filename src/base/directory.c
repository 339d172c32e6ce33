#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

/* Every directory on the way, private where it is ours to make. */
static int make_path(const char *path)
{
	char at[PATH_MAX];

	if (!text_copy(at, sizeof at, path))
		return -ENAMETOOLONG;
	for (char *slash = strchr(at + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash != NULL)
			*slash = 0;
		if (mkdir(at, 0700) < 0 && errno != EEXIST)
			return -errno;
		if (slash == NULL)
			return 0;
		*slash = '/';
	}
}

bool directory_is_own(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

int directory_open_own(const char *path, int *ret_fd)
{
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		const int r = make_path(path);

		if (r < 0)
			return r;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	if (!directory_is_own(fd))
		return -EPERM;
	*ret_fd = steal_fd(&fd);
	return 0;
}
