#include "lib/daemon_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "lib/state.h"

int daemon_place_own(const char *name, char ret[PATH_MAX], struct err *e)
{
	if (runtime_path(name, ret, PATH_MAX) < 0)
		return err_set(e, AMBIT_HOST, "set XDG_RUNTIME_DIR to a directory of your own",
			       "there is no place for the daemon's socket");
	return 0;
}

bool daemon_place_told(const char *name, char ret[PATH_MAX])
{
	char lock[PATH_MAX], text[PATH_MAX + 32], *directory, *end;
	auto_fd int fd = -1;
	struct stat st;
	ssize_t n;

	if (state_path("sessions/" DAEMON_LOCK, lock, sizeof lock) < 0)
		return false;
	/* who has no home has his place in a directory of everybody's, where somebody else may have been first */
	fd = open(lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return false;
	n = fd_read_all(fd, text, sizeof text - 1);
	if (n <= 0)
		return false;
	text[n] = 0;
	directory = strchr(text, '\n');
	end = directory != NULL ? strchr(directory + 1, '\n') : NULL;
	if (end == NULL || directory[1] != '/')
		return false;
	*end = 0;
	return snprintf(ret, PATH_MAX, "%s/%s", directory + 1, name) < PATH_MAX;
}

void daemon_place_sessions(uint64_t *ret_dev, uint64_t *ret_ino)
{
	char path[PATH_MAX];
	struct stat st;

	*ret_dev = *ret_ino = 0;
	if (state_path("sessions", path, sizeof path) < 0 || stat(path, &st) < 0)
		return;
	*ret_dev = st.st_dev;
	*ret_ino = st.st_ino;
}
