#include "lib/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/directory.h"
#include "base/text.h"
#include "ledger/hello.h"
#include "ledger/layout.h"
#include "lib/event.h"
#include "lib/helper.h"
#include "lib/state.h"
#include "wire/wire.h"

#define BACKLOG 128
#define LAST_WORD_MS 2000 /* for what its cell says at its end */
#define PATIENCE_MS 15000 /* for its first word: it may have a long journal to fold */
#define ATTEMPTS 20       /* of finding one that is not about to end */
#define MEMORY_BYTES (UINT64_C(256) << 20)
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_LEN 36

#ifndef SO_PASSRIGHTS /* Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

/* The directory by its descriptor: a path of any length fits into a socket's address. */
static void address_of(int dir_fd, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/" LEDGER_SOCKET, dir_fd);
}

static int new_socket(int *ret, struct err *e)
{
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };

	*ret = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (*ret < 0 || setsockopt(*ret, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for the ledger");
	return 0;
}

static int silent(struct err *e)
{
	return err_set(e, AMBIT_GONE, "is its disk slow, or was it stopped? try again", "the ledger does not answer");
}

/* 1: connected; 0: nobody is there. */
static int try_connect(int dir_fd, int *ret_fd, struct err *e)
{
	struct sockaddr_un address;
	struct ucred peer;
	socklen_t size = sizeof peer;
	auto_fd int sock = -1;
	int r = new_socket(&sock, e);

	if (r < 0)
		return r;
	address_of(dir_fd, &address);
	if (connect(sock, (const struct sockaddr *)&address, sizeof address) < 0)
		return errno == ENOENT || errno == ECONNREFUSED ? 0
		       : errno == EAGAIN /* as many wait already as may */
			       ? silent(e)
			       : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot connect to the ledger");
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return err_set(e, AMBIT_DENIED, "choose a directory of your own with --ledger",
			       "the ledger there is another user's");
	*ret_fd = steal_fd(&sock);
	return 1;
}

/* 1: it is there, and speaks; 0: it went, as one does that was about to end. */
static int hear_hello(int sock, struct ledger_hello *ret, struct err *e)
{
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	struct pollfd p = { .fd = sock, .events = POLLIN };
	auto_message m = { .n_fds = 0 };
	uint8_t what;
	int n;

	do
		n = poll(&p, 1, PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return silent(e);
	n = wire_receive(sock, WIRE_LEDGER, WIRE_NEW, room, sizeof room, &m);
	if (n == 0)
		return 0;
	if (n > 0 && m.number == WIRE_LEDGER_FAILED)
		return wire_take_error(&m.body, e);
	what = rbuf_u8(&m.body);
	ret->is_named = what == HELLO_NAMED;
	ret->is_new = what == HELLO_NEW || ret->is_named;
	if (n < 0 || rbuf_left(&m.body) >= sizeof ret->key)
		return err_set(e, AMBIT_PROTOCOL, NULL, "the ledger said what it may not");
	n = (int)rbuf_left(&m.body);
	memcpy(ret->key, rbuf_bytes(&m.body, (size_t)n), (size_t)n);
	ret->key[n] = 0;
	return m.body.failed ? err_set(e, AMBIT_PROTOCOL, NULL, "the ledger said what it may not") : 1;
}

/* ---- starting it ---- */

static int boot_id(char ret[BOOT_LEN + 1], struct err *e)
{
	auto_fd int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, ret, BOOT_LEN);

	ret[n < 0 ? 0 : n] = 0;
	return n == BOOT_LEN ? 0 : err_sys(e, AMBIT_SYSTEM, fd < 0 ? errno : EIO, NULL, "cannot read " BOOT_FILE);
}

/* Nobody passes it a descriptor, whose last end could hold it up for as long as the sender likes (SO_LINGER). Before Linux 6.16 they
 * come, and are closed. */
static void take_no_descriptors(int sock)
{
	const int none = 0;

	(void)setsockopt(sock, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof none);
}

static int listen_there(int dir_fd, int *ret_fd, struct err *e)
{
	struct sockaddr_un address;
	auto_fd int sock = -1;
	int r = new_socket(&sock, e);

	if (r < 0)
		return r;
	address_of(dir_fd, &address);
	take_no_descriptors(sock);
	(void)unlinkat(dir_fd, LEDGER_SOCKET, 0); /* nobody is behind it, and nobody else starts one now */
	if (bind(sock, (const struct sockaddr *)&address, sizeof address) < 0 ||
	    fchmodat(dir_fd, LEDGER_SOCKET, 0600, 0) < 0 || listen(sock, BACKLOG) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "see who may write there", "cannot make the ledger's socket");
	*ret_fd = steal_fd(&sock);
	return 0;
}

static int describe(const char *dir, struct event_request **ret, struct err *e)
{
	auto_free struct event_request *q = calloc(1, sizeof *q);
	uint32_t grant;
	int r;

	if (q == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to start the ledger");
	q->base = CELL_BASE_NONE;
	q->observe = CELL_OBSERVE_OFF;
	q->flags = CELL_BY_FD;
	q->own = 1;
	q->umask = 077;
	strcpy(q->user, "ledger"); /* fits */
	strcpy(q->home, "/");
	strcpy(q->workspace, "/");
	q->limits.value[LIMIT_TASKS] = 1;
	q->limits.value[LIMIT_FILES] = 1024;
	q->limits.value[LIMIT_MEMORY] = MEMORY_BYTES;
#ifdef AMBIT_SANITIZED
	q->base = CELL_BASE_SYSTEM; /* a sanitized helper is not static, and its shadow memory has no measure */
	q->limits.value[LIMIT_MEMORY] = 0;
#endif
	grant_set_init(&q->grants);
	r = grant_add(&q->grants, VERB_WRITE, dir, 0, &grant, e);
	*ret = r < 0 ? NULL : steal_ptr(&q);
	return r;
}

/* In a cell that shows it the directory and nothing else, and that stays when we go. */
static int start_role(const char *dir, int listen_fd, struct ambit_event **ret, struct err *e)
{
	char boot[BOOT_LEN + 1];
	char *const argv[] = { (char *)(uintptr_t) "ambit-ledger", (char *)(uintptr_t)dir, boot,
			       NULL }; /* only copied */
	char *const envp[] = { NULL };
	auto_fd int exe = -1;
	struct event_plan plan = { .path = "/ambit-ledger",
				   .argv = argv,
				   .envp = envp,
				   .stream = { STREAM_OURS, AMBIT_STREAM_NULL, AMBIT_STREAM_NULL },
				   .stream_fd = { listen_fd, -1, -1 },
				   .stays = true };
	int r = boot_id(boot, e);

	r = r < 0 ? r : helper_open("ambit-ledger", &exe, e);
	plan.program_fd = exe;
	r = r < 0 ? r : describe(dir, &plan.request, e);
	return r < 0 ? r : event_start(&plan, ret, e);
}

/* Why it did not come, if its cell says so. */
static int lost(struct ambit_event *ev, struct err *e)
{
	const struct event_result *result = event_result(ev);
	const uint64_t until = clock_ms() + LAST_WORD_MS;
	int over;

	while ((over = ambit_event_step(ev, NULL)) == 0 && clock_ms() < until) { /* its socket may end first */
		struct pollfd p = { .fd = ambit_event_fd(ev), .events = POLLIN };

		(void)poll(&p, 1, LAST_WORD_MS);
	}
	if (over == 1 && result->cause == CAUSE_REFUSED) {
		if (e != NULL)
			*e = result->error;
		if (e != NULL && e->code == AMBIT_HOST &&
		    strcmp(e->hint, ERR_OWNERS) == 0) /* not of an overlay, so not in most containers */
			(void)snprintf(
				e->hint, sizeof e->hint,
				"name a directory on ext4, xfs, btrfs or tmpfs (in a container, a volume) with --ledger or "
				"AMBIT_LEDGER; --no-ledger records nothing");
		return err_context(e, -(int)result->error.code, "the ledger");
	}
	return err_set(e, AMBIT_GONE, "see the kernel's log", "the ledger ended before it said a word");
}

/* Waits for its first word, or for the end of the cell, of which the socket says nothing: it is ours, too. */
static int await_role(struct ambit_event *ev, int sock, struct ledger_hello *ret, struct err *e)
{
	struct pollfd p[] = { { .fd = sock, .events = POLLIN }, { .fd = ambit_event_fd(ev), .events = POLLIN } };

	for (;;) {
		const int n = poll(p, 2, PATIENCE_MS);

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && p[0].revents == 0) {
			if (ambit_event_step(ev, NULL) == 1)
				return lost(ev, e);
			continue;
		}
		return hear_hello(sock, ret, e); /* or its patience ends */
	}
}

/* The caller holds the lock `starting`. */
static int start(const char *dir, int dir_fd, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	struct ambit_event *ev = NULL;
	auto_fd int listen_fd = -1, sock = -1;
	int r = listen_there(dir_fd, &listen_fd, e);

	r = r < 0 ? r : try_connect(dir_fd, &sock, e);
	r = r < 0 ? r : start_role(dir, listen_fd, &ev, e);
	fd_close(&listen_fd); /* from here on it is the role's alone */
	if (r < 0)
		return r;
	r = await_role(ev, sock, ret, e);
	if (r == 0)
		r = lost(ev, e);
	if (r < 0)
		(void)ambit_event_kill(ev, NULL); /* or it is over already */
	ambit_event_free(ev);
	*ret_fd = r < 0 ? -1 : steal_fd(&sock);
	return r;
}

static int lock_starting(int dir_fd, int *ret_fd, struct err *e)
{
	auto_fd int fd = openat(dir_fd, LEDGER_STARTING, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, errno == ENOSPC || errno == EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, errno,
			       "make room, or see who may write there", "cannot start the ledger");
	r = fd_lock(fd, PATIENCE_MS);
	if (r == -EWOULDBLOCK)
		return err_set(e, AMBIT_GONE, "see which process has locked '" LEDGER_STARTING "' there (lslocks)",
			       "the ledger is being started by another, who does not come to an end");
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot lock the start of the ledger");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* 1: connected; 0: it ended just now, and another is to be started. */
static int connect_once(const char *dir, int dir_fd, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	auto_fd int lock = -1, sock = -1;
	int r = try_connect(dir_fd, &sock, e);

	if (r == 0) {
		r = lock_starting(dir_fd, &lock, e);
		r = r < 0 ? r : try_connect(dir_fd, &sock, e);
		if (r == 0)
			return start(dir, dir_fd, ret_fd, ret, e);
	}
	r = r < 0 ? r : hear_hello(sock, ret, e);
	if (r == 1)
		*ret_fd = steal_fd(&sock);
	return r;
}

/* As the kernel has it; a directory that went just now has none. */
static bool path_of(int dir_fd, char *ret, size_t size)
{
	char link[sizeof "/proc/self/fd/" + 10];
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", dir_fd);
	n = readlink(link, ret, size);
	if (n <= 0 || (size_t)n >= size)
		return false;
	ret[n] = 0;
	return path_is_normal(ret) && fd_is_named(dir_fd, ret);
}

int ledger_default(char *ret, size_t size, struct err *e)
{
	const char *named = getenv("AMBIT_LEDGER");

	if (named != NULL && strcmp(named, LEDGER_NONE) == 0)
		return 0;
	if (named != NULL && named[0] != 0)
		return named[0] == '/' && text_copy(ret, size, named)
			       ? 1
			       : err_set(e, AMBIT_MALFORMED, "name a directory by its whole path, or " LEDGER_NONE,
					 "AMBIT_LEDGER is '%s'", named);
	return state_path("ledger", ret, size) == 0
		       ? 1
		       : err_set(e, AMBIT_HOST, "name a directory with --ledger", "there is no place for a ledger");
}

int ledger_open(const char *dir, int *ret_dir_fd, char *ret_path, size_t size, struct err *e)
{
	auto_fd int fd = -1;
	int r;

	if (dir[0] == 0)
		return err_set(e, AMBIT_USAGE, "name a directory", "an empty path for the ledger");
	r = directory_open_own(dir, &fd);
	if (r == -EPERM)
		return err_why(
			e,
			err_set(e, AMBIT_HOST,
				"chmod 700 it, or name a directory of your own with --ledger; --no-ledger records nothing",
				"cannot keep the ledger in %s", dir),
			"it is another's, or others can look into it");
	if (r < 0)
		return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
			       "name a directory of your own with --ledger; --no-ledger records nothing",
			       "cannot keep the ledger in %s", dir);
	if (!path_of(fd, ret_path, size))
		return err_set(e, AMBIT_LIMIT, "name one that has a shorter path", "cannot tell the path of %s", dir);
	*ret_dir_fd = steal_fd(&fd);
	return 0;
}

int ledger_call(int dir_fd, int *ret_fd, struct err *e)
{
	int r;

	*ret_fd = -1;
	r = try_connect(dir_fd, ret_fd, e);
	return r < 0 ? r : 0;
}

int ledger_join(int dir_fd, const char *path, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	if (*ret_fd >= 0) {
		const int r = hear_hello(*ret_fd, ret, e);

		if (r != 0)
			return r < 0 ? r : 0;
		fd_close(ret_fd); /* it ended just now */
	}
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		const int r = connect_once(path, dir_fd, ret_fd, ret, e);

		if (r != 0)
			return r < 0 ? r : 0;
	}
	return err_set(e, AMBIT_GONE, NULL, "the ledger ends as often as it is started");
}

int ledger_connect(const char *dir, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	char path[PATH_MAX];
	auto_fd int dir_fd = -1;
	const int r = ledger_open(dir, &dir_fd, path, sizeof path, e);

	*ret_fd = -1;
	return r < 0 ? r : ledger_join(dir_fd, path, ret_fd, ret, e);
}

int ledger_reconnect(const char *dir, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/" LEDGER_KEY, dir) >= (int)sizeof path || access(path, F_OK) < 0)
		return err_set(e, AMBIT_NOT_FOUND,
			       "restore it from a backup; or `ambit discard --force` goes without it",
			       "there is no ledger in %s any more", dir);
	return ledger_connect(dir, ret_fd, ret, e);
}
