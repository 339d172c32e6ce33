/* The host's side of the probes: objects that exist outside the cell while one is tried. Each prints one line of what
 * there is and keeps it until its standard input ends. */
#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static int failed(const char *what)
{
	printf("CANNOT %s: %s\n", what, strerror(errno));
	return 2;
}

static void wait_for_end(void)
{
	char byte;

	(void)fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
}

/* args: the marker, and perhaps a key. Prints the key and the ids of shared memory, a semaphore and a message queue. */
static int serve_sysv(char **args)
{
	const key_t key = (key_t)((args[1] != NULL ? number(args[1]) : 0x414d0000) | (getpid() & 0xffff));
	const int shm = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
	const int sem = semget(key, 1, IPC_CREAT | IPC_EXCL | 0600);
	const int msg = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
	char *at = shm < 0 ? (void *)-1 : shmat(shm, NULL, 0);
	struct {
		long type;
		char text[128];
	} m = { .type = 1 };

	if (at == (void *)-1 || sem < 0 || msg < 0)
		return failed("System V objects");
	(void)snprintf(at, 4096, "%s", args[0]);
	(void)snprintf(m.text, sizeof m.text, "%s", args[0]);
	for (int i = 0; i < 8; i++) /* each twin takes one */
		(void)msgsnd(msg, &m, sizeof m.text, 0);
	printf("%d %d %d %d\n", (int)key, shm, sem, msg);
	wait_for_end();
	(void)shmctl(shm, IPC_RMID, NULL);
	(void)semctl(sem, 0, IPC_RMID);
	(void)msgctl(msg, IPC_RMID, NULL);
	return 0;
}

/* args: the marker, then a name ("/ambit-...") for a queue, shared memory and a semaphore alike. */
static int serve_posix(char **args)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 8192 };
	const mqd_t q = mq_open(args[1], O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0600, &attr);
	const int fd = shm_open(args[1], O_RDWR | O_CREAT | O_EXCL, 0600);
	const sem_t *s = sem_open(args[1], O_CREAT | O_EXCL, 0600, 1);

	if (q < 0 || fd < 0 || s == SEM_FAILED)
		return failed("POSIX objects");
	(void)!write(fd, args[0], strlen(args[0]));
	for (int i = 0; i < 4; i++)
		(void)mq_send(q, args[0], strlen(args[0]) + 1, 0);
	puts("ready");
	wait_for_end();
	(void)mq_unlink(args[1]);
	(void)shm_unlink(args[1]);
	(void)sem_unlink(args[1]);
	return 0;
}

/* args: the marker. A victim: prints its number and where in it the marker lies. */
static int serve_victim(char **args)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return failed("mmap");
	(void)snprintf(at, 4096, "%s", args[0]);
	(void)setsid(); /* its own group, so that a signal to it hits nothing else */
	printf("%d %#lx\n", (int)getpid(), (unsigned long)at);
	wait_for_end();
	return 0;
}

/* args: a file. Prints its handle as "type:hex". */
static int serve_handle(char **args)
{
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} h = { .head = { .handle_bytes = MAX_HANDLE_SZ } };
	unsigned char bytes[MAX_HANDLE_SZ];
	int mount_id;

	if (name_to_handle_at(AT_FDCWD, args[0], &h.head, &mount_id, 0) < 0)
		return failed("name_to_handle_at");
	memcpy(bytes, h.head.f_handle, h.head.handle_bytes);
	printf("%d:", h.head.handle_type);
	for (unsigned i = 0; i < h.head.handle_bytes; i++)
		printf("%02x", bytes[i]);
	puts("");
	return 0;
}

/* args: the marker, then a command in which @KEY@ is replaced by the key's number. Runs it with the key in a session keyring
 * of its own and in the user's keyring. */
static int with_key(char **args)
{
	char text[32];
	long key, user_key;

	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0)
		return failed("a session keyring");
	key = syscall(SYS_add_key, "user", "ambit-marker", args[0], strlen(args[0]), KEY_SPEC_SESSION_KEYRING);
	user_key = syscall(SYS_add_key, "user", "ambit-marker", args[0], strlen(args[0]), KEY_SPEC_USER_KEYRING);
	if (key < 0 || user_key < 0)
		return failed("add_key");
	/* it goes by itself: the user's keyring stays */
	(void)syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, user_key, 30, 0, 0);
	(void)snprintf(text, sizeof text, "%ld", key);
	for (char **a = args + 1; *a != NULL; a++)
		if (strcmp(*a, "@KEY@") == 0)
			*a = text;
	if (args[1] != NULL)
		(void)execv(args[1], args + 1);
	return failed("execv");
}

static const struct {
	const char *name;
	int (*run)(char **args);
	int n_args;
} servers[] = {
	{ "serve-sysv", serve_sysv, 1 },     { "serve-posix", serve_posix, 2 }, { "serve-victim", serve_victim, 1 },
	{ "serve-handle", serve_handle, 1 }, { "with-key", with_key, 2 },
};

int serve(const char *name, char **args)
{
	int n = 0;

	while (args[n] != NULL)
		n++;
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
		if (strcmp(servers[i].name, name) == 0)
			return n < servers[i].n_args ? 3 : servers[i].run(args);
	return -1;
}
