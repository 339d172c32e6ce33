#include "dial/resolve.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "cell/confine.h"
#include "core/sockaddr.h"

#define DNS_PORT 53
#define ALLOCATED_FIRST 0x70000000u /* what distributions and systemd leave unused */

/* ---- in a process of its own ---- */

static bool add(struct resolved *r, const struct sockaddr *sa)
{
	struct address *a = &r->address[r->n];

	if (r->n == RESOLVED_MAX)
		return false;
	if (!sockaddr_take(sa, a))
		return true;
	address_unmap(a); /* so that it is judged as what it leads to */
	r->n++;
	return true;
}

static void look_up(const char *name, struct resolved *ret)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;

	ret->n = 0;
	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return;
	for (const struct addrinfo *i = list; i != NULL && add(ret, i->ai_addr); i = i->ai_next)
		;
	freeaddrinfo(list);
}

/* Root's are somebody's who owns nothing: ids that nobody has, as root's cells get them (supervisor/identity.c). All capabilities go with it. */
static int leave_root(void)
{
	const uid_t id = ALLOCATED_FIRST + (uid_t)getpid();

	if (geteuid() != 0)
		return 0;
	return setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0 ? -1 : 0;
}

/* Where systems keep what names mean. */
static int confine_here(void)
{
	static const char *const dirs[] = {
		"/etc",       "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
		"/nix/store", "/gnu/store",           "/run/connman",    "/mnt/wsl"
	};

	return confine_reading("resolver", dirs, sizeof dirs / sizeof dirs[0], DNS_PORT, NULL);
}

/* Whoever answers the host's questions is not trusted: this process starts no other, writes no file, reads no person's, and has nothing but its
 * socket and name servers. */
static void give_up_powers(void)
{
	static const struct confine_bound bounds[] = { { RLIMIT_CORE, 1 }, { RLIMIT_FSIZE, 0 }, { RLIMIT_NPROC, 0 } };

	if (leave_root() < 0)
		_exit(1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (confine_here() < 0 ||
	    confine_role("resolver", FILTER_RESOLVER, bounds, sizeof bounds / sizeof bounds[0], NULL) < 0)
		_exit(1);
}

static _Noreturn void serve(int sock)
{
	struct host_name name;
	struct resolved answer;
	ssize_t n;

	give_up_powers();
	memset(&answer, 0, sizeof answer);
	while ((n = recv(sock, name.text, sizeof name.text - 1, 0)) > 0) {
		name.text[n] = 0;
		look_up(name.text, &answer);
		if (send(sock, &answer, sizeof answer, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* ---- on the dialer's side ---- */

void resolver_init(struct resolver *r)
{
	for (unsigned i = 0; i < RESOLVERS; i++) {
		r->sock[i] = -1;
		r->busy[i] = false;
	}
}

static int start_one(int *ret_sock, struct err *e)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for a resolver");
	pid = fork();
	if (pid == 0) {
		if (dup2(pair[1], 0) < 0 || syscall(SYS_close_range, 3, ~0u, 0) < 0)
			_exit(1);
		serve(0);
	}
	(void)close(pair[1]);
	*ret_sock = pair[0];
	if (pid < 0 || fd_set_nonblock(pair[0], true) < 0) /* one that answers and does not read holds nobody up */
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot start a resolver");
	return 0;
}

int resolver_start(struct resolver *r, struct err *e)
{
	int failed = 0;

	for (unsigned i = 0; i < RESOLVERS && failed == 0; i++)
		failed = start_one(&r->sock[i], e);
	return failed;
}

int resolver_ask(struct resolver *r, const struct host_name *name, uint32_t job)
{
	int ret = -AMBIT_GONE;

	for (unsigned i = 0; i < RESOLVERS; i++) {
		if (r->busy[i])
			ret = 0;
		if (r->busy[i] || r->sock[i] < 0)
			continue;
		if (fd_send(r->sock[i], name->text, strlen(name->text), NULL, 0) < 0) {
			fd_close(&r->sock[i]);
			continue;
		}
		r->busy[i] = true;
		r->job[i] = job;
		return 1;
	}
	return ret;
}

void resolver_watch(const struct resolver *r, struct pollfd *p)
{
	for (unsigned i = 0; i < RESOLVERS; i++)
		p[i] = (struct pollfd){ .fd = r->sock[i], .events = POLLIN };
}

static bool is_good(const struct resolved *a)
{
	if (a->n > RESOLVED_MAX)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->address[i].family != ADDRESS_IPV4 && a->address[i].family != ADDRESS_IPV6)
			return false;
	return true;
}

bool resolver_take(struct resolver *r, unsigned i, uint32_t *ret_job, struct resolved *ret)
{
	const bool was_busy = r->busy[i];
	int fds[FD_PASS_MAX];
	size_t n_fds;
	const ssize_t n = fd_receive(r->sock[i], ret, sizeof *ret, fds, &n_fds);

	for (size_t k = 0; n >= 0 && k < n_fds; k++)
		(void)close(fds[k]);
	if (n != sizeof *ret || !was_busy || !is_good(ret)) {
		fd_close(&r->sock[i]);
		ret->n = 0;
	}
	r->busy[i] = false;
	*ret_job = r->job[i];
	return was_busy;
}
