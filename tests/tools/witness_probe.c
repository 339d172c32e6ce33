/* Stands in the place of ambit-witness, as if a witness had taken that over: tries what it must not be able to do, and tells the witness, over
 * the connection that it was given, one line for each: "WHAT yes" or "WHAT no". Takes the role's packet as standard input.
 * usage: witness_probe    The port to connect to and the ledger stand in the path of the address that is asked, as
 *        /PORT/LEDGER. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "witness/ask.h"

static uint8_t asked[WITNESS_ASK_MAX];

static bool can_connect(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
}

static bool can_open(const char *dir, const char *name, int flags)
{
	char path[1024];
	auto_fd int fd = -1;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd >= 0;
}

/* Whatever is in the root but its own program, and what a cell always has. */
static bool sees_files(void)
{
	DIR *root = opendir("/");
	const struct dirent *d;
	bool any = false;

	while (root != NULL && (d = readdir(root)) != NULL)
		any |= strcmp(d->d_name, "etc") == 0 || strcmp(d->d_name, "usr") == 0 || strcmp(d->d_name, "home") == 0;
	if (root != NULL)
		(void)closedir(root);
	return any;
}

static bool can_fork(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static void say(int fd, const char *what, bool yes)
{
	char line[64];
	const int n = snprintf(line, sizeof line, "%s %s\n", what, yes ? "yes" : "no");

	(void)fd_write_all(fd, line, (size_t)n);
}

int main(void)
{
	int fds[FD_PASS_MAX] = { -1 };
	struct witness_ask ask;
	size_t n_fds = 0;
	const ssize_t n = fd_receive(0, asked, sizeof asked, fds, &n_fds);
	char *ledger;
	int port;

	if (n <= 0 || n_fds < 1 || witness_ask_decode(asked, (size_t)n, &ask, NULL) < 0)
		return 2;
	port = (int)strtol(ask.url.path + 1, &ledger, 10);
	say(fds[0], "connect", can_connect(port));
	say(fds[0], "log", can_open(ledger, "log/checkpoint", O_RDONLY));
	say(fds[0], "key", can_open(ledger, "ledger.key", O_RDONLY));
	say(fds[0], "kept", can_open(ledger, "witnesses", O_RDWR));
	say(fds[0], "passwd", can_open("", "etc/passwd", O_RDONLY));
	say(fds[0], "files", sees_files());
	say(fds[0], "fork", can_fork());
	return 0;
}
