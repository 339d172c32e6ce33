/* Objects for talking between processes, and keys. The host's side of each is in serve.c. */
#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

static int marked(struct attempt *a, const char *text)
{
	return strncmp(text, MARKER, sizeof MARKER - 1) == 0 ? said(a, "read %.100s", text) : -ENODATA;
}

static int shared_memory(struct attempt *a)
{
	const char *at = shmat((int)number(a->args[0]), NULL, SHM_RDONLY);

	return at == (void *)-1 ? -errno : marked(a, at);
}

static int shared_memory_by_key(struct attempt *a)
{
	const int id = shmget((key_t)number(a->args[0]), 0, 0);
	const char *at = id < 0 ? (void *)-1 : shmat(id, NULL, SHM_RDONLY);

	return at == (void *)-1 ? -errno : marked(a, at);
}

static int shared_memory_status(struct attempt *a)
{
	struct shmid_ds status;

	return got(shmctl((int)number(a->args[0]), IPC_STAT, &status));
}

static int shared_memory_remove(struct attempt *a)
{
	return got(shmctl((int)number(a->args[0]), IPC_RMID, NULL));
}

static int semaphore_value(struct attempt *a)
{
	return got(semctl((int)number(a->args[0]), 0, GETVAL));
}

static int semaphore_by_key(struct attempt *a)
{
	return got(semget((key_t)number(a->args[0]), 0, 0));
}

static int message(struct attempt *a)
{
	struct {
		long type;
		char text[128];
	} m = { .type = 0 };

	if (msgrcv((int)number(a->args[0]), &m, sizeof m.text - 1, 0, IPC_NOWAIT | MSG_NOERROR) < 0)
		return -errno;
	return marked(a, m.text);
}

static int message_by_key(struct attempt *a)
{
	return got(msgget((key_t)number(a->args[0]), 0));
}

/* args[0]: a number that must stand in one of the kernel's lists, args[1] the list. */
static int listed(struct attempt *a)
{
	char line[512];
	FILE *f = fopen(a->args[1], "re");
	int r = f == NULL ? -errno : -ENODATA;

	while (f != NULL && r < 0 && fgets(line, sizeof line, f) != NULL)
		if (strstr(line, a->args[0]) != NULL)
			r = said(a, "%.80s", line);
	if (f != NULL)
		(void)fclose(f);
	return r;
}

static int posix_queue(struct attempt *a)
{
	char text[8192];
	const mqd_t q = mq_open(a->args[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (q < 0 || mq_receive(q, text, sizeof text, NULL) < 0)
		return -errno;
	return marked(a, text);
}

static int posix_memory(struct attempt *a)
{
	return got(shm_open(a->args[0], O_RDONLY, 0));
}

static int posix_semaphore(struct attempt *a)
{
	const sem_t *s = sem_open(a->args[0], 0);

	return s == SEM_FAILED ? -errno : said(a, "opened");
}

/* ---- Unix sockets: args[0] is a path, or @name for an abstract one; the server answers MARKER ---- */

static socklen_t address(const char *text, struct sockaddr_un *ret)
{
	const size_t n = strlen(text);

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n >= sizeof ret->sun_path)
		return 0;
	memcpy(ret->sun_path, text, n);
	if (text[0] == '@')
		ret->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (text[0] == '@' ? 0 : 1));
}

static int unix_socket(struct attempt *a, int type)
{
	const struct timeval patience = { .tv_sec = 3 };
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	else
		(void)said(a, "no Unix socket");
	return fd;
}

static int answer(int fd, struct attempt *a)
{
	char text[128] = "";

	if (recv(fd, text, sizeof text - 1, 0) < 0)
		return -errno;
	return marked(a, text);
}

static int unix_connect(struct attempt *a, int type)
{
	struct sockaddr_un to;
	const socklen_t n = address(a->args[0], &to);
	const int fd = unix_socket(a, type);

	if (fd < 0 || n == 0 || connect(fd, (struct sockaddr *)&to, n) < 0)
		return -errno;
	if (type == SOCK_DGRAM && send(fd, "?", 1, MSG_NOSIGNAL) < 0)
		return -errno;
	return type == SOCK_DGRAM ? said(a, "sent") : answer(fd, a);
}

static int unix_stream(struct attempt *a)
{
	return unix_connect(a, SOCK_STREAM);
}

static int unix_packet(struct attempt *a)
{
	return unix_connect(a, SOCK_SEQPACKET);
}

static int unix_datagram(struct attempt *a)
{
	return unix_connect(a, SOCK_DGRAM);
}

static int unix_sendto(struct attempt *a)
{
	struct sockaddr_un to;
	const socklen_t n = address(a->args[0], &to);
	const int fd = unix_socket(a, SOCK_DGRAM);

	return fd < 0 ? -errno : got(sendto(fd, "?", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, n));
}

/* A pair is connected, but datagrams go where they are sent. */
static int unix_pair(struct attempt *a)
{
	struct sockaddr_un to;
	const socklen_t n = address(a->args[0], &to);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	return got(sendto(pair[0], "?", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, n));
}

static int unix_sendmsg(struct attempt *a)
{
	struct sockaddr_un to;
	struct iovec text = { (char[]){ "?" }, 1 };
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = address(a->args[0], &to), .msg_iov = &text, .msg_iovlen = 1
	};
	const int fd = unix_socket(a, SOCK_DGRAM);

	return fd < 0 ? -errno : got(sendmsg(fd, &m, MSG_NOSIGNAL));
}

static int unix_sendmmsg(struct attempt *a)
{
	struct sockaddr_un to;
	struct iovec text = { (char[]){ "?" }, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_name = &to,
					  .msg_namelen = address(a->args[0], &to),
					  .msg_iov = &text,
					  .msg_iovlen = 1 } };
	const int fd = unix_socket(a, SOCK_DGRAM);

	return fd < 0 ? -errno : got(sendmmsg(fd, &m, 1, MSG_NOSIGNAL));
}

/* ---- keys ---- */

#define KEY_NAME "ambit-marker"

static int key_payload(long key, struct attempt *a)
{
	char text[128] = "";

	if (key < 0 || syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof text - 1, 0) < 0)
		return -errno;
	return marked(a, text);
}

static int key_in_session(struct attempt *a)
{
	return key_payload(syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", KEY_NAME, 0), a);
}

/* Read is what is possessed: so the keyring is linked to one of our own. */
static int key_of_user(struct attempt *a)
{
	if (syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING, 0, 0) < 0)
		return -errno;
	return key_payload(syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", KEY_NAME, 0), a);
}

static int key_requested(struct attempt *a)
{
	return key_payload(syscall(SYS_request_key, "user", KEY_NAME, NULL, 0), a);
}

static int key_by_number(struct attempt *a)
{
	return key_payload(number(a->args[0]), a);
}

static int key_described(struct attempt *a)
{
	char text[128];

	return got(syscall(SYS_keyctl, KEYCTL_DESCRIBE, number(a->args[0]), text, sizeof text, 0));
}

static int key_added(struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_add_key, "user", "ambit-planted", "x", 1UL, KEY_SPEC_PROCESS_KEYRING));
}

const struct probe probes_ipc[] = {
	{ "shm-id", 1, .tries = shared_memory },
	{ "shm-key", 1, .tries = shared_memory_by_key },
	{ "shm-status", 1, .tries = shared_memory_status },
	{ "shm-remove", 1, .tries = shared_memory_remove },
	{ "sem-id", 1, .tries = semaphore_value },
	{ "sem-key", 1, .tries = semaphore_by_key },
	{ "msg-id", 1, .tries = message },
	{ "msg-key", 1, .tries = message_by_key },
	{ "ipc-listed", 2, .tries = listed },
	{ "mq", 1, .tries = posix_queue },
	{ "posix-shm", 1, .opens = posix_memory },
	{ "posix-sem", 1, .tries = posix_semaphore },
	{ "unix-stream", 1, .tries = unix_stream },
	{ "unix-packet", 1, .tries = unix_packet },
	{ "unix-datagram", 1, .tries = unix_datagram },
	{ "unix-sendto", 1, .tries = unix_sendto },
	{ "unix-pair", 1, .tries = unix_pair },
	{ "unix-sendmsg", 1, .tries = unix_sendmsg },
	{ "unix-sendmmsg", 1, .tries = unix_sendmmsg },
	{ "key-session", 0, .tries = key_in_session },
	{ "key-user", 0, .tries = key_of_user },
	{ "key-requested", 0, .tries = key_requested },
	{ "key-number", 1, .tries = key_by_number },
	{ "key-described", 1, .tries = key_described },
	{ "key-added", 0, .tries = key_added },
	{ .name = NULL },
};
