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
	l->is_pipe = false;
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
static enum listing_kind kind_of(struct listing *l, const struct dirent *entry)
{
	struct stat st = { .st_mode = 0 };

	if (entry->d_type == DT_UNKNOWN)
		(void)fstatat(l->fd, entry->d_name, &st,
			      AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT); /* gone: it is no matter */
	l->is_pipe = entry->d_type == DT_FIFO || S_ISFIFO(st.st_mode);
	if (entry->d_type == DT_DIR || S_ISDIR(st.st_mode))
		return LISTING_DIRECTORY;
	return entry->d_type == DT_LNK || S_ISLNK(st.st_mode) ? LISTING_LINK : LISTING_OTHER;
}

const char *listing_next(struct listing *l, enum listing_kind *ret_kind)
{
	for (;;) {
		const struct dirent *entry;

		if (l->at >= l->len && !refill(l))
			return NULL;
		entry = (const struct dirent *)(const void *)&l->bytes[l->at];
		l->at += entry->d_reclen;
		if (is_dots(entry->d_name))
			continue;
		*ret_kind = kind_of(l, entry);
		return entry->d_name;
	}
}
