#include "lib/service.h"

#include <errno.h>
#include <fcntl.h>
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
#include "lib/event.h"
#include "lib/helper.h"

#define BACKLOG 128
#define LAST_WORD_MS 2000 /* for what its cell says at its end */
#define ATTEMPTS 20       /* of finding one that is not about to end */
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_LEN 36

#ifndef SO_PASSRIGHTS /* Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

/* The directory by its descriptor: a path of any length fits into a socket's address. */
static void address_of(const struct service *s, int dir_fd, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", dir_fd, s->socket);
}

static int new_socket(const struct service *s, int *ret, struct err *e)
{
	const struct timeval patience = { .tv_sec = SERVICE_PATIENCE_MS / 1000 };

	*ret = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (*ret < 0 || setsockopt(*ret, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for the %s", s->name);
	return 0;
}

int service_silent(const struct service *s, struct err *e)
{
	return err_set(e, AMBIT_GONE, "is its disk slow, or was it stopped? try again", "the %s does not answer",
		       s->name);
}

/* 1: connected; 0: nobody is there. */
static int try_connect(const struct service *s, int dir_fd, int *ret_fd, struct err *e)
{
	struct sockaddr_un address;
	struct ucred peer;
	socklen_t size = sizeof peer;
	auto_fd int sock = -1;
	int r = new_socket(s, &sock, e);

	if (r < 0)
		return r;
	address_of(s, dir_fd, &address);
	if (connect(sock, (const struct sockaddr *)&address, sizeof address) < 0)
		return errno == ENOENT || errno == ECONNREFUSED ? 0
		       : errno == EAGAIN /* as many wait already as may */
			       ? service_silent(s, e)
			       : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot connect to the %s", s->name);
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return err_set(e, AMBIT_DENIED, s->hint_another, "the %s there is another user's", s->name);
	*ret_fd = steal_fd(&sock);
	return 1;
}

/* ---- starting it ---- */

static int boot_id(char ret[BOOT_LEN + 1], struct err *e)
{
	auto_fd int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, ret, BOOT_LEN);

	ret[n < 0 ? 0 : n] = 0;
	return n == BOOT_LEN ? 0 : err_sys(e, AMBIT_SYSTEM, fd < 0 ? errno : EIO, NULL, "cannot read " BOOT_FILE);
}

/* Of one that wants none: nobody passes it a descriptor, whose last end could hold it up for as long as the sender likes (SO_LINGER). Before Linux 6.16 they
 * come, and are closed. */
static void take_no_descriptors(int sock)
{
	const int none = 0;

	(void)setsockopt(sock, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof none);
}

static int listen_there(const struct service *s, int dir_fd, int *ret_fd, struct err *e)
{
	struct sockaddr_un address;
	auto_fd int sock = -1;
	int r = new_socket(s, &sock, e);

	if (r < 0)
		return r;
	address_of(s, dir_fd, &address);
	if (!s->takes_descriptors)
		take_no_descriptors(sock);
	(void)unlinkat(dir_fd, s->socket, 0); /* nobody is behind it, and nobody else starts one now */
	if (bind(sock, (const struct sockaddr *)&address, sizeof address) < 0 ||
	    fchmodat(dir_fd, s->socket, 0600, 0) < 0 || listen(sock, BACKLOG) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "see who may write there", "cannot make the %s's socket",
			       s->name);
	*ret_fd = steal_fd(&sock);
	return 0;
}

static int describe(const struct service *s, const char *dir, struct event_request **ret, struct err *e)
{
	auto_free struct event_request *q = calloc(1, sizeof *q);
	uint32_t grant;
	int r;

	if (q == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to start the %s", s->name);
	q->base = CELL_BASE_NONE;
	q->observe = CELL_OBSERVE_OFF;
	q->flags = CELL_BY_FD;
	q->own = 1;
	q->umask = 077;
	(void)text_copy(q->user, sizeof q->user, s->name); /* fits */
	strcpy(q->home, "/");
	strcpy(q->workspace, "/");
	q->limits.value[LIMIT_TASKS] = 1;
	q->limits.value[LIMIT_FILES] = 1024;
	q->limits.value[LIMIT_MEMORY] = s->memory_bytes;
#ifdef AMBIT_SANITIZED
	q->base = CELL_BASE_SYSTEM; /* a sanitized helper is not static, and its shadow memory has no measure */
	q->limits.value[LIMIT_MEMORY] = 0;
#endif
	grant_set_init(&q->grants);
	r = grant_add(&q->grants, VERB_WRITE, dir, 0, &grant, e);
	if (r == 0 && s->reads != NULL && access(s->reads, F_OK) == 0)
		r = grant_add(&q->grants, VERB_READ, s->reads, 0, &grant, e);
	if (r == 0 && s->also != NULL)
		r = grant_add(&q->grants, VERB_READ, s->also, 0, &grant, e);
	*ret = r < 0 ? NULL : steal_ptr(&q);
	return r;
}

/* In a cell that shows it the directory and nothing else, and that stays when we go. */
static int start_role(const struct service *s, const char *dir, int listen_fd, struct ambit_event **ret, struct err *e)
{
	char boot[BOOT_LEN + 1];
	char *const argv[] = { (char *)(uintptr_t)s->role, (char *)(uintptr_t)dir, boot, (char *)(uintptr_t)s->also,
			       NULL }; /* only copied */
	char *const envp[] = { NULL };
	auto_fd int exe = -1, brought = -1;
	char path[64];
	struct event_plan plan = { .path = path,
				   .argv = argv,
				   .envp = envp,
				   .stream = { STREAM_OURS, AMBIT_STREAM_NULL, AMBIT_STREAM_NULL },
				   .stream_fd = { listen_fd, -1, -1 },
				   .stays = true };
	int r = boot_id(boot, e);

	if (r == 0 && s->brings != NULL) {
		r = s->brings(&brought, e);
		plan.stream[1] = STREAM_OURS;
		plan.stream_fd[1] = brought;
	}
	r = r < 0 ? r : helper_open(s->role, &exe, e);
	plan.program_fd = exe;
	(void)snprintf(path, sizeof path, "/%s", s->role); /* fits */
	r = r < 0 ? r : describe(s, dir, &plan.request, e);
	return r < 0 ? r : event_start(&plan, ret, e);
}

/* Why it did not come, if its cell says so. */
static int lost(const struct service *s, struct ambit_event *ev, struct err *e)
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
			(void)snprintf(e->hint, sizeof e->hint, "%s", s->hint_overlay);
		return err_context(e, -(int)result->error.code, "the %s", s->name);
	}
	return err_set(e, AMBIT_GONE, "see the kernel's log", "the %s ended before it said a word", s->name);
}

/* Waits for its first word, or for the end of the cell, of which the socket says nothing: it is ours, too. */
static int await_role(const struct service *s, struct ambit_event *ev, int sock, void *ret, struct err *e)
{
	struct pollfd p[] = { { .fd = sock, .events = POLLIN }, { .fd = ambit_event_fd(ev), .events = POLLIN } };

	for (;;) {
		const int n = poll(p, 2, SERVICE_PATIENCE_MS);

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && p[0].revents == 0) {
			if (ambit_event_step(ev, NULL) == 1)
				return lost(s, ev, e);
			continue;
		}
		return s->hear(sock, ret, e); /* or its patience ends */
	}
}

/* One that runs in no cell says itself why it cannot, and its end shows by its socket. */
static int start_on_host(const struct service *s, int listen_fd, int *ret_pidfd, struct err *e)
{
	auto_fd int exe = -1;
	int r = helper_open(s->role, &exe, e);

	r = r < 0 ? r : fd_set_nonblock(listen_fd, true);
	return r < 0 ? r : helper_start(exe, s->role, listen_fd, ret_pidfd, e);
}

static int hear_on_host(const struct service *s, int pidfd, int sock, void *ret, struct err *e)
{
	struct pollfd p[] = { { .fd = sock, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	int n;

	do
		n = poll(p, 2, SERVICE_PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n > 0 && p[0].revents == 0) /* it ended, and its last word may have come just before */
		n = poll(p, 1, 0);
	if (n <= 0)
		return n == 0 && p[1].revents == 0 ? service_silent(s, e)
						   : err_set(e, AMBIT_GONE, "see the kernel's log",
							     "the %s ended before it said a word", s->name);
	return s->hear(sock, ret, e);
}

/* The caller holds the lock `starting`. */
static int start(const struct service *s, const char *dir, int dir_fd, int *ret_fd, void *ret, struct err *e)
{
	struct ambit_event *ev = NULL;
	auto_fd int listen_fd = -1, sock = -1, pidfd = -1;
	int r = listen_there(s, dir_fd, &listen_fd, e);

	r = r < 0 ? r : try_connect(s, dir_fd, &sock, e);
	if (r >= 0 && s->on_host)
		r = start_on_host(s, listen_fd, &pidfd, e);
	else
		r = r < 0 ? r : start_role(s, dir, listen_fd, &ev, e);
	fd_close(&listen_fd); /* from here on it is the role's alone */
	if (r < 0)
		return r;
	if (s->on_host) {
		r = hear_on_host(s, pidfd, sock, ret, e);
		helper_part(&pidfd);
		*ret_fd = r == 1 ? steal_fd(&sock) : -1;
		return r != 0 ? r
			      : err_set(e, AMBIT_GONE, "see the kernel's log", "the %s ended before it said a word",
					s->name);
	}
	r = await_role(s, ev, sock, ret, e);
	if (r == 0)
		r = lost(s, ev, e);
	if (r < 0)
		(void)ambit_event_kill(ev, NULL); /* or it is over already */
	ambit_event_free(ev);
	*ret_fd = r < 0 ? -1 : steal_fd(&sock);
	return r;
}

static int lock_starting(const struct service *s, int dir_fd, int *ret_fd, struct err *e)
{
	auto_fd int fd = openat(dir_fd, s->starting, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, errno == ENOSPC || errno == EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, errno,
			       "make room, or see who may write there", "cannot start the %s", s->name);
	r = fd_lock(fd, SERVICE_PATIENCE_MS);
	if (r == -EWOULDBLOCK)
		return err_set(e, AMBIT_GONE, "see which process has locked 'starting' there (lslocks)",
			       "the %s is being started by another, who does not come to an end", s->name);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot lock the start of the %s", s->name);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* 1: connected; 0: it ended just now, and another is to be started. */
static int connect_once(const struct service *s, const char *dir, int dir_fd, int *ret_fd, void *ret, struct err *e)
{
	auto_fd int lock = -1, sock = -1;
	int r = try_connect(s, dir_fd, &sock, e);

	if (r == 0) {
		r = lock_starting(s, dir_fd, &lock, e);
		r = r < 0 ? r : try_connect(s, dir_fd, &sock, e);
		if (r == 0)
			return start(s, dir, dir_fd, ret_fd, ret, e);
	}
	r = r < 0 ? r : s->hear(sock, ret, e);
	if (r == 1)
		*ret_fd = steal_fd(&sock);
	return r;
}

int service_call(const struct service *s, int dir_fd, int *ret_fd, struct err *e)
{
	int r;

	*ret_fd = -1;
	r = try_connect(s, dir_fd, ret_fd, e);
	return r < 0 ? r : 0;
}

int service_join(const struct service *s, int dir_fd, const char *path, int *ret_fd, void *ret, struct err *e)
{
	if (*ret_fd >= 0) {
		const int r = s->hear(*ret_fd, ret, e);

		if (r != 0)
			return r < 0 ? r : 0;
		fd_close(ret_fd); /* it ended just now */
	}
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		const int r = connect_once(s, path, dir_fd, ret_fd, ret, e);

		if (r != 0)
			return r < 0 ? r : 0;
	}
	return err_set(e, AMBIT_GONE, NULL, "the %s ends as often as it is started", s->name);
}

int service_receive(const struct service *s, int sock, enum wire_state state, void *room, size_t size,
		    struct wire_message *ret, struct err *e)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, SERVICE_PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return service_silent(s, e);
	n = wire_receive(sock, s->side, state, room, size, ret);
	if (n > 0 && ret->number == s->failed)
		return wire_take_error(&ret->body, e);
	return n < 0 ? err_set(e, AMBIT_PROTOCOL, NULL, "the %s said what it may not", s->name) : n;
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

int service_open(const struct service *s, const char *dir, int *ret_dir_fd, char *ret_path, size_t size, struct err *e)
{
	auto_fd int fd = -1;
	int r;

	r = directory_open_own(dir, &fd);
	if (r == -EPERM)
		return err_why(e, err_set(e, AMBIT_HOST, s->hint_private, "cannot keep the %s in %s", s->name, dir),
			       "it is another's, or others can look into it");
	if (r < 0)
		return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r, s->hint_elsewhere,
			       "cannot keep the %s in %s", s->name, dir);
	if (!path_of(fd, ret_path, size))
		return err_set(e, AMBIT_LIMIT, "name one that has a shorter path", "cannot tell the path of %s", dir);
	*ret_dir_fd = steal_fd(&fd);
	return 0;
}
