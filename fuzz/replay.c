/* replay - runs each file of the directories that it is given through the fuzz target it is linked with. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define FILE_MAX (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes in a block of exactly their size, so that a sanitizer sees one byte too far. */
static int replay_file(int dir_fd, const char *name)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	auto_free uint8_t *bytes = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return -1;
	bytes = malloc((size_t)st.st_size + (st.st_size == 0));
	if (bytes == NULL || fd_read_all(fd, bytes, (size_t)st.st_size) != st.st_size)
		return -1;
	(void)LLVMFuzzerTestOneInput(bytes, (size_t)st.st_size); /* aborts if a promise is broken */
	return 0;
}

static int replay_dir(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (dir == NULL) {
		perror(path);
		return -1;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL && n >= 0; entry = readdir(dir)) {
		if (entry->d_name[0] == '.')
			continue;
		(void)printf("%s\n", entry->d_name); /* the last one named is the one that aborts */
		(void)fflush(stdout);
		n = replay_file(dirfd(dir), entry->d_name) < 0 ? -1 : n + 1;
	}
	(void)closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		const int n = replay_dir(argv[i]);

		if (n <= 0) {
			(void)fprintf(stderr, "%s: nothing was replayed\n", argv[i]);
			return 1;
		}
		total += n;
	}
	(void)printf("%d files\n", total);
	return total == 0;
}
