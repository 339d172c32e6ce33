/* Devices, and the knobs of the kernel that are files. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "probe.h"

/* args[0]: a directory that may be written; args[1], args[2]: numbers of the device. */
static int make_node(struct attempt *a, mode_t kind)
{
	const struct path p = joined(a->args[0], "planted-node");

	(void)unlink(p.text);
	return got(mknod(p.text, kind | 0600, makedev((unsigned)number(a->args[1]), (unsigned)number(a->args[2]))));
}

static int make_character(struct attempt *a)
{
	return make_node(a, S_IFCHR);
}

static int make_block(struct attempt *a)
{
	return make_node(a, S_IFBLK);
}

static int open_device(struct attempt *a)
{
	return got(open(a->args[0], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

static int open_device_both(struct attempt *a)
{
	return got(open(a->args[0], O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

/* Writes into a knob what it already says, so that the twin changes nothing. args[0]: the file. */
static int turn(struct attempt *a)
{
	char value[512];
	int fd = open(a->args[0], O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof value);

	if (fd >= 0)
		(void)close(fd);
	if (n < 0)
		return -errno;
	fd = open(a->args[0], O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : got(write(fd, value, (size_t)n));
}

/* args[1]: what is written. */
static int put(struct attempt *a)
{
	const int fd = open(a->args[0], O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : got(write(fd, a->args[1], strlen(a->args[1])));
}

static int look(struct attempt *a)
{
	char value[512];
	const int fd = open(a->args[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof value);

	if (n < 0)
		return -errno;
	return n == 0 ? -ENODATA : said(a, "read %zd bytes", n);
}

static int is_there(struct attempt *a)
{
	struct stat st;

	return got(stat(a->args[0], &st));
}

const struct probe probes_device[] = {
	{ "node-character", 3, .tries = make_character },
	{ "node-block", 3, .tries = make_block },
	{ "device-open", 1, .tries = open_device },
	{ "device-open-both", 1, .tries = open_device_both },
	{ "knob-turn", 1, .tries = turn },
	{ "knob-put", 2, .tries = put },
	{ "knob-look", 1, .tries = look },
	{ "is-there", 1, .tries = is_there },
	{ .name = NULL },
};
