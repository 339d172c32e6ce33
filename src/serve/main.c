/* ambit-serve [--idle SECONDS]: the daemon of one person. It lets in who is the person, gives each session a process of its own and each client a connection to it,
 * and counts. It parses nothing but our own messages of fixed size; what clients say in JSON is read by the role ambit-rpc, one for each, in a cell.
 * Told to end (SIGTERM, SIGINT) it lets nobody in any more, waits for what runs, and goes. Told to (SIGHUP, SERVE_RELOAD) it becomes the program that is
 * installed now: --takes REVISION asks whether it can, --handed FD is what it then has. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "lib/daemon.h"
#include "serve/clients.h"
#include "serve/handover.h"
#include "serve/place.h"
#include "serve/pool.h"
#include "serve/rows.h"
#include "wire/wire.h"

#define STARTER_FD 3   /* of who started it, and waits until it listens */
#define DEAF_MS 200    /* also between two looks at what still runs when it is to end */
#define GRACE_MS 30000 /* for what runs when it is told to end */
#define IDLE_MS 600000 /* of one that was started because a client needed it */

struct daemon {
	struct place place;
	struct roles roles;
	struct clients clients;
	struct pool pool;
	int signal_fd;
	uint64_t idle_max_ms;   /* 0: it stays */
	uint64_t idle_since_ms; /* 0: it is not */
	uint64_t deaf_ms;       /* until when nobody is let in, for want of descriptors */
	uint64_t ends_ms;       /* when it goes at the latest; 0: nobody told it to */
	struct pollfd polled[4 + ROLES_MAX + CLIENTS_POLL_MAX];
};

/* ---- what its roles are told of the person's environment ---- */

static char *kept[16];

static bool is_kept(const char *entry)
{
	static const char *const names[] = { "HOME=",
					     "USER=",
					     "XDG_STATE_HOME=",
					     "XDG_CONFIG_HOME=",
					     "XDG_RUNTIME_DIR=",
					     "AMBIT_LEDGER=",
					     "AMBIT_KEEP=",
					     "AMBIT_KEEP_SPACE=",
					     "SSH_AUTH_SOCK=",
					     "PATH=",
					     "GNUPGHOME=",
					     "DBUS_SESSION_BUS_ADDRESS=" /* for commands that give secrets */ };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void keep_environment(void)
{
	size_t n = 0;

	for (char **v = environ; *v != NULL && n + 1 < sizeof kept / sizeof kept[0]; v++)
		if (is_kept(*v))
			kept[n++] = *v;
}

/* ---- telling who started it ---- */

/* sd_notify(3), of which this is all that is needed. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const size_t n = path != NULL ? strlen(path) : 0;
	auto_fd int fd = n > 0 && n < sizeof to.sun_path ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = 0;
	(void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)); /* it waits for nobody */
}

static bool was_started(void)
{
	int type;
	socklen_t size = sizeof type;

	return getenv("LISTEN_FDS") == NULL && getsockopt(STARTER_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET;
}

static int tell_starter(int r, const struct err *e)
{
	uint8_t room[2048];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	if (r < 0)
		link_failed_put(&b, 0, e);
	else
		link_number_put(&b, &(struct link_number){ .value = (uint64_t)getpid() });
	(void)wire_send(STARTER_FD, r < 0 ? WIRE_SERVE_FAILED : WIRE_SERVE_DONE, &b, NULL, 0); /* it may have gone */
	return close(STARTER_FD);
}

/* ---- its life ---- */

static int catch_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Nobody is our child, but where we are the first process of a container: then who is nobody else's is ours. */
static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void on_signal(struct daemon *d)
{
	struct signalfd_siginfo seen;

	if (read(d->signal_fd, &seen, sizeof seen) != (ssize_t)sizeof seen)
		return;
	if (seen.ssi_signo == SIGCHLD) {
		reap();
		return;
	}
	if (seen.ssi_signo == SIGHUP) {
		d->clients.reload = true;
		return;
	}
	if (d->ends_ms != 0) { /* told twice */
		d->ends_ms = 1;
		return;
	}
	notify("STOPPING=1");
	d->ends_ms = clock_ms() + GRACE_MS;
	pool_finish(&d->pool);
	place_shut(&d->place); /* who comes finds nobody, or starts another, which waits for us */
}

static uint64_t running(const struct daemon *d)
{
	struct role_state sum;

	roles_sum(&d->roles, &sum);
	return sum.running;
}

static bool is_over(struct daemon *d)
{
	const bool idle = d->roles.n == 0 && clients_now(&d->clients) == 0 && !pool_is_there(&d->pool);

	d->idle_since_ms = !idle ? 0 : d->idle_since_ms != 0 ? d->idle_since_ms : clock_ms();
	if (d->ends_ms != 0)
		return running(d) == 0 || clock_ms() >= d->ends_ms;
	return idle && d->idle_max_ms != 0 && clock_ms() - d->idle_since_ms >= d->idle_max_ms;
}

/* Negative: there are no descriptors for him. */
static int let_in_by(struct daemon *d, int listen_fd, void (*come)(struct clients *c, int sock))
{
	const int fd = listen_fd < 0 ? -EAGAIN : place_accept(listen_fd);

	if (fd >= 0)
		come(&d->clients, fd);
	return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? fd : 0;
}

/* Who cannot be let in waits where he is, and would wake us without end. */
static void let_in(struct daemon *d)
{
	const int native = let_in_by(d, d->place.native_fd, clients_come);
	const int rpc = clients_rpc_wait(&d->clients) == 0 ? let_in_by(d, d->place.rpc_fd, clients_come_by_rpc) : 0;

	d->deaf_ms = native < 0 || rpc < 0 ? clock_ms() + DEAF_MS : 0;
}

static bool is_deaf(const struct daemon *d)
{
	return d->deaf_ms != 0 && clock_ms() < d->deaf_ms;
}

/* no_rpc_ms: nobody is let in by JSON-RPC until then. */
static int patience(const struct daemon *d, unsigned no_rpc_ms)
{
	int timeout = -1;

	if (d->clients.goes_on)
		return 0;
	if (d->ends_ms != 0 || is_deaf(d))
		timeout = DEAF_MS;
	else if (d->idle_since_ms != 0 && d->idle_max_ms != 0)
		timeout = (int)(d->idle_max_ms < 1000 ? d->idle_max_ms : 1000);
	if (no_rpc_ms != 0 && (timeout < 0 || timeout > (int)no_rpc_ms))
		timeout = (int)no_rpc_ms;
	return clients_patience(&d->clients, pool_patience(&d->pool, timeout));
}

static void complain(const struct err *e)
{
	(void)fprintf(stderr, "ambit-serve: %s%s%s\n", e->msg, e->hint[0] != 0 ? "\n  hint: " : "", e->hint);
}

/* Comes back only if it cannot be. */
static void reload(struct daemon *d)
{
	struct handover h = {
		.place = &d->place, .roles = &d->roles, .clients = &d->clients, .idle_max_ms = d->idle_max_ms
	};
	struct err e;

	if (d->ends_ms != 0)
		(void)err_set(&e, AMBIT_CONFLICT, NULL, "the daemon is about to end");
	else
		(void)handover_give(&h, &e);
	complain(&e);
	clients_tell_reload(&d->clients, &e);
}

static void loop(struct daemon *d)
{
	while (!is_over(d)) {
		unsigned n = 4, of_roles;
		const bool deaf = is_deaf(d);
		const unsigned no_rpc_ms = clients_rpc_wait(&d->clients);

		d->polled[0] = (struct pollfd){ .fd = d->signal_fd, .events = POLLIN };
		d->polled[1] = (struct pollfd){ .fd = deaf ? -1 : d->place.native_fd, .events = POLLIN };
		d->polled[2] = (struct pollfd){ .fd = deaf || no_rpc_ms != 0 ? -1 : d->place.rpc_fd, .events = POLLIN };
		d->polled[3] = pool_wants(&d->pool, d->place.pool_fd);
		of_roles = roles_wants(&d->roles, d->polled + n);
		n += of_roles;
		n += clients_wants(&d->clients, d->polled + n);
		if (poll(d->polled, n, patience(d, no_rpc_ms)) < 0 && errno != EINTR)
			return;
		roles_step(&d->roles, d->polled + 4, of_roles);
		if (d->polled[0].revents != 0)
			on_signal(d);
		if ((d->polled[1].revents | d->polled[2].revents) != 0)
			let_in(d); /* signals without end keep nobody out */
		clients_step(&d->clients, d->polled + 4 + of_roles);
		if (d->polled[3].revents != 0)
			pool_step(&d->pool, d->place.pool_fd, d->roles.environment);
		if (d->clients.reload && !clients_halt(&d->clients)) /* which the other program would not know of */
			reload(d);
	}
}

static int take_arguments(struct daemon *d, int argc, char **argv, int *ret_handed_fd)
{
	uint32_t seconds = 0, fd;

	if (argc == 3 && strcmp(argv[1], "--handed") == 0 && parse_u32(argv[2], 3, INT32_MAX, &fd))
		*ret_handed_fd = (int)fd;
	else if (argc == 3 && strcmp(argv[1], "--idle") == 0 && parse_u32(argv[2], 0, 1000000, &seconds))
		d->idle_max_ms = (uint64_t)seconds * 1000;
	return argc == 1 || argc == 3 ? 0 : -1;
}

static int begin(struct daemon *d, struct err *e)
{
	const bool started = was_started();
	int r;

	if (started && fd_set_cloexec(STARTER_FD, true) < 0)
		return err_set(e, AMBIT_SYSTEM, NULL, "cannot use the connection to who started it");
	d->idle_max_ms = started ? IDLE_MS : d->idle_max_ms;
	r = place_take(&d->place, e);
	if (started)
		(void)tell_starter(r, e); /* the descriptor is gone in any case */
	else if (r < 0)
		complain(e);
	d->roles.sessions_fd = d->place.sessions_fd;
	return r;
}

/* Everything lies in the descriptors of this process, which was another program until now. */
static int take_over(struct daemon *d, int handed_fd, struct err *e)
{
	struct handover h = { .place = &d->place, .roles = &d->roles, .clients = &d->clients };
	const int r = handover_take(&h, handed_fd, e);

	if (r < 0) {
		complain(e);
		return r;
	}
	if (place_listen_for_pool(&d->place, e) < 0)
		complain(e); /* nothing is lost but time */
	d->idle_max_ms = h.idle_max_ms;
	d->roles.sessions_fd = d->place.sessions_fd;
	clients_tell_reload(&d->clients, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	static struct daemon d;
	struct err e;
	int handed_fd = -1, r;

	if (argc == 3 && strcmp(argv[1], "--takes") == 0) {
		uint32_t revision;

		return parse_u32(argv[2], 0, UINT32_MAX, &revision) && revision == HANDOVER_REVISION ? 0 : 1;
	}
	if (fd_reserve_standard() < 0 || take_arguments(&d, argc, argv, &handed_fd) < 0)
		return 2;
	fd_allow_many();
	d.signal_fd = catch_signals();
	keep_environment();
	place_init(&d.place);
	pool_init(&d.pool);
	roles_init(&d.roles, -1, kept);
	clients_init(&d.clients, &d.roles, rows_now_ms());
	r = handed_fd >= 0 ? take_over(&d, handed_fd, &e) : begin(&d, &e);
	if (r < 0)
		return err_code_exit(r);
	clients_place(&d.clients);
	notify("READY=1");
	loop(&d);
	pool_finish(&d.pool);
	clients_finish(&d.clients);
	roles_finish(&d.roles);
	place_leave(&d.place);
	return 0;
}
