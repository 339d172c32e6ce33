/* Sockets of the cell's own at the paths of sockets of the host, for somebody outside. Each is bound beside the devices and mounted on
 * the path that was granted, so that no program of the cell puts another one there, and a tree of the host that shows the path stays as it
 * is. What is missing is made in the cell's own tree alone. */
#include "cell/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cell/kernel.h"
#include "core/endpoint.h"

#define BACKLOG 1024
#define BOUND "/dev/.socket-%u"
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

static int make(int dir, const char *name, bool directory)
{
	return directory ? mkdirat(dir, name, 0755) : mknodat(dir, name, S_IFREG | 0600, 0);
}

/* A name of the directory, which is closed; one that is missing is made if the directory is the cell's own. */
static int step_to(int dir_fd, const char *name, bool directory, dev_t own)
{
	auto_fd int dir = dir_fd;
	struct stat st;
	int fd = root_open(dir, name);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if (fstat(dir, &st) < 0 || st.st_dev != own)
		return -ENOENT;
	fd = make(dir, name, directory) < 0 ? -1 : root_open(dir, name);
	return fd < 0 ? -errno : fd;
}

/* What stands at path, through no link: owned, or -errno. */
static int open_place(const char *path)
{
	char at[ENDPOINT_UNIX_MAX], *rest = at, *name;
	int fd = root_open_host("/");
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? -errno : fd;
	(void)snprintf(at, sizeof at, "%s", path + 1); /* spec_check: it fits */
	while (fd >= 0 && (name = strsep(&rest, "/")) != NULL)
		fd = step_to(fd, name, rest != NULL, st.st_dev);
	return fd;
}

/* Only who runs in the cell may connect. Descriptors are refused where the kernel can, but by who asks for sub-agents, since they lead nowhere: whoever drops one closes it, and
 * waits for what is to be sent on it for as long as its owner said (SO_LINGER). */
static int bind_beside(uint32_t i, bool delegates, int *ret_sock, int *ret_fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_fd int sock = socket(AF_UNIX, (delegates ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
				  0);
	const int no = 0;

	if (!delegates)
		(void)setsockopt(sock, SOL_SOCKET, SO_PASSRIGHTS, &no,
				 sizeof no);                                 /* who connects has it from the listener */
	(void)snprintf(at.sun_path, sizeof at.sun_path, BOUND, (unsigned)i); /* it fits */
	if (sock < 0 || bind(sock, (const struct sockaddr *)&at, sizeof at) < 0 || chmod(at.sun_path, 0600) < 0 ||
	    listen(sock, BACKLOG) < 0)
		return -errno;
	*ret_fd = open(at.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0)
		return -errno;
	*ret_sock = steal_fd(&sock);
	return 0;
}

static int mount_on(int socket_fd, int place_fd)
{
	auto_fd int tree = open_tree(socket_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	struct stat st;

	if (fstat(place_fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -EISDIR;
	return tree < 0 || move_mount(tree, "", place_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		       ? -errno
		       : 0;
}

int sockets_listen(const struct cell_spec *spec, uint32_t i, struct cell_made *made, int *ret_fd,
		   struct cell_failure *f)
{
	const char *path = spec_text(spec, spec->endpoints[i].name);
	auto_fd int place = open_place(path), sock = -1, bound = -1;
	int r = place < 0 ? place : bind_beside(i, strcmp(path, CELL_DELEGATE) == 0, &sock, &bound);

	r = r < 0 ? r : landlock_allow_socket(made, bound);
	r = r < 0 ? r : mount_on(bound, place);
	if (r < 0) {
		*f = (struct cell_failure){ .step = STEP_SOCKET, .sys_errno = -r, .index = i };
		return -1;
	}
	*ret_fd = steal_fd(&sock);
	return 0;
}
