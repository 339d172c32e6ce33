#include "base/filesystem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Numbers: linux/magic.h, and what is not in it from the file system's own sources. */
static const struct kind {
	unsigned long number;
	const char *name;
	bool refuses_overlay;
} kinds[] = {
	{ 0xef53, "ext4", false },         { 0x58465342, "xfs", false },   { 0x9123683e, "btrfs", false },
	{ 0xf2f52010, "f2fs", false },     { 0x01021994, "tmpfs", false }, { 0x2fc12fc1, "zfs", false },
	{ 0xca451a4e, "bcachefs", false }, { 0x858458f6, "ramfs", false }, { 0x73717368, "squashfs", false },
	{ 0xe0f5e1e2, "erofs", false },    { 0x9660, "iso9660", false },   { 0x15013346, "udf", false },
	{ 0x794c7630, "overlay", true },   { 0x4d44, "vfat", true },       { 0x2011bab0, "exfat", true },
	{ 0x65735546, "fuse", true },      { 0x6969, "nfs", true },        { 0xff534d42, "cifs", true },
	{ 0xfe534d42, "smb3", true },      { 0x01021997, "9p", true },     { 0x00c36400, "ceph", true },
	{ 0x5346414f, "afs", true },       { 0xf15f, "ecryptfs", true },
};

static const struct kind *kind_of(const struct statfs *fs)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].number ==
		    ((unsigned long)fs->f_type & 0xffffffff)) /* a signed number, on some of 32 bits */
			return &kinds[i];
	return NULL;
}

static const char *name_of(const struct kind *k)
{
	return k != NULL ? k->name : "a file system";
}

const char *filesystem_name(int fd)
{
	struct statfs fs;

	return name_of(fstatfs(fd, &fs) < 0 ? NULL : kind_of(&fs));
}

const char *filesystem_name_at(const char *path)
{
	struct statfs fs;

	return name_of(statfs(path, &fs) < 0 ? NULL : kind_of(&fs));
}

bool filesystem_takes_overlay(int fd)
{
	struct statfs fs;
	const struct kind *k = fstatfs(fd, &fs) < 0 ? NULL : kind_of(&fs);

	return k == NULL || !k->refuses_overlay;
}

bool filesystem_tells_kinds(int dir_fd)
{
	const int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	bool told = true;

	if (d == NULL) {
		if (copy >= 0)
			(void)close(copy);
		return true; /* another step says why */
	}
	while (told && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			told = entry->d_type != DT_UNKNOWN;
	(void)closedir(d);
	return told;
}
