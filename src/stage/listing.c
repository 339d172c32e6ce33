#include "stage/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* readdir would ask the heap, and three more system calls for each directory. Both C libraries' struct dirent is the
 * kernel's linux_dirent64 here. */
_Static_assert(offsetof(struct dirent, d_name) == 19, "struct dirent is not the kernel's");

void listing_begin(struct listing *l, int fd)
{
	l->fd = fd;
	l->at = l->len = 0;
	l->sys_errno = 0;
}

static bool refill(struct listing *l)
{
	const long n = syscall(SYS_getdents64, l->fd, l->bytes, sizeof l->bytes);

	l->sys_errno = n < 0 ? errno : 0;
	l->at = 0;
	l->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

/* Not all file systems tell the kind. */
static bool is_directory(int fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 && S_ISDIR(st.st_mode);
}

const char *listing_next(struct listing *l, bool *ret_directory)
{
	for (;;) {
		const struct dirent *entry;

		if (l->at >= l->len && !refill(l))
			return NULL;
		entry = (const struct dirent *)(const void *)&l->bytes[l->at];
		l->at += entry->d_reclen;
		if (is_dots(entry->d_name))
			continue;
		l->type = entry->d_type;
		*ret_directory = is_directory(l->fd, entry);
		return entry->d_name;
	}
}
