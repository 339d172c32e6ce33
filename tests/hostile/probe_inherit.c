/* What a program is given without asking: descriptors, environment, terminal. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

static int any_descriptor(struct attempt *a)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return find_marker(fd, a) == 0 ? 0 : said(a, "descriptor %d is open", fd);
	return -EBADF;
}

/* A directory on one of 0 to 2: a way to everything beneath it. */
static int from_directory(struct attempt *a)
{
	for (int fd = 0; fd < 3; fd++) {
		const int file = openat(fd, a->args[0], O_RDONLY | O_CLOEXEC);

		if (file >= 0)
			return find_marker(file, a);
	}
	return -errno;
}

/* A socket on one of 0 to 2: can be asked for its peer, passed on, and given descriptors. */
static int is_socket(struct attempt *a)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
			return said(a, "descriptor %d is a socket", fd);
	return -ENOTSOCK;
}

/* args[0]: the descriptor, open for reading and writing on the caller's side. */
static int writes_to_input(struct attempt *a)
{
	const int fd = (int)number(a->args[0]);

	return got(pwrite(fd, MARKER "written", sizeof MARKER "written" - 1, 0));
}

/* args[0]: a descriptor that was given for writing only; args[1]: the flags that are tried. */
static int reopens(struct attempt *a)
{
	return got(open(joined("/proc/self/fd", a->args[0]).text, (int)number(a->args[1]) | O_CLOEXEC));
}

/* args[0]: the descriptor. What needs no direction, but only to be the owner. */
static int changes_mode(struct attempt *a)
{
	return got(fchmod((int)number(a->args[0]), 0666));
}

static int changes_times(struct attempt *a)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	return got(futimens((int)number(a->args[0]), times));
}

static int changes_attribute(struct attempt *a)
{
	return got(fsetxattr((int)number(a->args[0]), "user.hostile", "x", 1, 0));
}

/* args[0]: the descriptor, open for appending: what was there before goes. */
static int cuts(struct attempt *a)
{
	return got(ftruncate((int)number(a->args[0]), 0));
}

static int overwrites(struct attempt *a)
{
	static const char blank[64];
	const int fd = (int)number(a->args[0]);

	return fcntl(fd, F_SETFL, 0) < 0 ? -errno : got(pwrite(fd, blank, sizeof blank, 0));
}

static int environment(struct attempt *a)
{
	for (char **e = environ; *e != NULL; e++)
		if (strstr(*e, MARKER) != NULL)
			return said(a, "%s", *e);
	return -ENODATA;
}

static int environment_file(struct attempt *a)
{
	const int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : find_marker(fd, a);
}

/* args[0]: the name of a variable; succeeds if there is one. */
static int variable(struct attempt *a)
{
	const char *value = getenv(a->args[0]);

	return value == NULL ? -ENODATA : said(a, "%s=%s", a->args[0], value);
}

/* ---- the terminal ---- */

/* args[0]: descriptor, args[1]: command. Anything but "you may not" and "there is no such call" means that the command
 * went to the driver of the terminal. */
static int reaches_driver(struct attempt *a)
{
	/* for TIOCSTI what is typed, for the others a subcommand or number that there is not */
	int byte = 'x';
	const long r = syscall(SYS_ioctl, number(a->args[0]), number(a->args[1]), &byte);

	if (r < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS))
		return -errno;
	return r < 0 ? said(a, "the driver answered %s", strerrorname_np(errno)) : said(a, "done");
}

static int controlling_terminal(struct attempt *a)
{
	const int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || write(fd, MARKER "tty\n", sizeof MARKER "tty\n" - 1) < 0)
		return -errno;
	return said(a, "written");
}

/* Sends args[0] to the terminal as it is, escape sequences and all; run.py sees what came out. */
static int emits(struct attempt *a)
{
	char text[256];
	size_t n = 0;

	for (const char *s = a->args[0]; *s != 0 && n < sizeof text; s++)
		text[n++] = *s == '^' ? '\033' : *s == '~' ? '\a' : *s;
	return got(write(1, text, n));
}

const struct probe probes_inherit[] = {
	{ "inherit-descriptor", 0, .tries = any_descriptor },
	{ "inherit-directory", 1, .tries = from_directory },
	{ "inherit-socket", 0, .tries = is_socket },
	{ "inherit-writable-input", 1, .tries = writes_to_input },
	{ "inherit-reopen", 2, .tries = reopens },
	{ "inherit-mode", 1, .tries = changes_mode },
	{ "inherit-times", 1, .tries = changes_times },
	{ "inherit-attribute", 1, .tries = changes_attribute },
	{ "inherit-cut", 1, .tries = cuts },
	{ "inherit-overwrite", 1, .tries = overwrites },
	{ "inherit-environment", 0, .tries = environment },
	{ "inherit-environment-file", 0, .tries = environment_file },
	{ "inherit-variable", 1, .tries = variable },
	{ "terminal-ioctl", 2, .tries = reaches_driver },
	{ "terminal-controlling", 0, .tries = controlling_terminal },
	{ "terminal-emit", 1, .tries = emits },
	{ .name = NULL },
};
