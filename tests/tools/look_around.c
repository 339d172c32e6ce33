/* Takes the place of a role in a parser's cell, and says on standard output what it finds there, as whoever took the role over would: each name
 * that it can see ("sees PATH"), each directory that it can write to ("writes PATH"), whether it can reach a network or start a process.
 *
 * A role whose standard output nobody sees says it in a file `seen`, if there is one in a directory that it can write to.
 *
 * Run outside of a cell it says the same of the host, which shows that it would notice. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH 7
#define NAMES 2000 /* that are told */

static unsigned told;
static int seen_fd = -1;

static void try_writing(const char *path)
{
	char name[4096];
	int fd;

	if (snprintf(name, sizeof name, "%s/.look", path) >= (int)sizeof name)
		return;
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	(void)printf("writes %s\n", path);
	(void)close(fd);
	(void)unlink(name);
	(void)snprintf(name, sizeof name, "%s/seen", path); /* as long */
	if (seen_fd < 0)
		seen_fd = open(name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
}

static void look(const char *path, int depth)
{
	DIR *dir;
	const struct dirent *d;

	if (depth == 0)
		return;
	try_writing(path);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL && told < NAMES) {
		char below[4096];
		struct stat st;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
		    snprintf(below, sizeof below, "%s/%s", strcmp(path, "/") == 0 ? "" : path, d->d_name) >=
			    (int)sizeof below)
			continue;
		(void)printf("sees %s\n", below);
		told++;
		if (strcmp(below, "/proc") != 0 && strcmp(below, "/sys") != 0 && lstat(below, &st) == 0 &&
		    S_ISDIR(st.st_mode))
			look(below, depth - 1);
	}
	(void)closedir(dir);
}

/* The loopback is each namespace's own. */
static void try_network(void)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int i = 1; fd >= 0 && i < 64; i++) {
		struct ifreq r = { .ifr_ifindex = i };

		if (ioctl(fd, SIOCGIFNAME, &r) == 0 && strcmp(r.ifr_name, "lo") != 0)
			(void)printf("has the interface %s\n", r.ifr_name);
	}
}

/* What it was given to do names places: these, and what lies around them. */
static void look_where_it_is_told(void)
{
	static char given[65536];
	const ssize_t n = read(STDIN_FILENO, given, sizeof given - 1);

	for (char *at = given; at < given + (n > 0 ? n : 0); at += strlen(at) + 1) {
		if (at[0] != '/')
			continue;
		for (char *end = at; *end != 0; end++)
			if (*end < ' ' || *end > '~')
				*end = 0;
		look(at, DEPTH);
		*strrchr(at, '/') = 0;
		look(at[0] != 0 ? at : "/", 1);
	}
}

static void try_process(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0 && waitpid(pid, NULL, 0) == pid)
		(void)puts("starts a process");
}

int main(void)
{
	static const char *const places[] = { "/etc", "/home", "/root", "/tmp", "/usr", "/var/tmp" };
	static char room[1u << 20];
	char self[4096];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	(void)setvbuf(stdout, room, _IOFBF, sizeof room); /* where it goes is known at the end */
	(void)puts("looks around");
	look_where_it_is_told();
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		look(places[i], 1);
	look("/", DEPTH);
	try_network();
	try_process();
	if (n > 0)
		(void)printf("is %.*s\n", (int)n, self);
	if (seen_fd >= 0)
		(void)dup2(seen_fd, STDOUT_FILENO);
	return 0;
}
