#include "lib/network.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/endpoint.h"
#include "core/terms.h"
#include "lib/authorities.h"
#include "lib/event.h"
#include "lib/helper.h"
#include "lib/role.h"
#include "lib/secret.h"
#include "supervisor/endpoints.h"
#include "wire/wire.h"

#define RELAY_FILES                                                                                                    \
	12544 /* six for each connection, if both of its sides are stuck; with fewer, fewer are accepted (net/relay.c) */
#define RELAY_MEMORY (UINT64_C(96) << 20)
#define HTTP_FILES 1024
#define HTTP_MEMORY (UINT64_C(256) << 20) /* http/serve.h: connections, each with two streams under TLS */
#define VAULT_PATIENCE_S 5

void network_roles_init(struct network_roles *n)
{
	*n = (struct network_roles){
		.dialer_pidfd = -1, .relay_fd = -1, .dialer_fd = -1, .signer_pidfd = -1, .agent_fd = -1, .signer_fd = -1
	};
}

bool network_roles_are_needed(const struct grant_set *grants)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->grants[i].verb == VERB_CONNECT || grants->grants[i].verb == VERB_LISTEN)
			return true;
	return false;
}

/* name has `ambit-` before its last word. */
static int start_in_cell(const char *name, struct ambit_event **ret, int *ret_fd, struct err *e)
{
	const bool judges = strcmp(name, "ambit-http") == 0;
	const struct role_bounds bounds = { .files = judges ? HTTP_FILES : RELAY_FILES,
					    .memory_bytes = judges ? HTTP_MEMORY : RELAY_MEMORY };

	return role_start_in_cell(name, &bounds, ret, ret_fd, e);
}

static int start_on_host(const char *name, int *ret_pidfd, int *ret_fd, struct err *e)
{
	char *const none[] = { NULL };

	return role_start_on_host(name, none, ret_pidfd, ret_fd, e);
}

int network_roles_start(struct network_roles *n, struct err *e)
{
	const int r = start_in_cell("ambit-net", &n->relay, &n->relay_fd, e);

	return r < 0 ? r : start_on_host("ambit-dial", &n->dialer_pidfd, &n->dialer_fd, e);
}

/* ---- a key for ssh ---- */

bool network_wants_agent(const struct grant_set *grants)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->grants[i].verb == VERB_CONNECT && strncmp(grant_object(grants, i), "ssh://", 6) == 0)
			return true;
	return false;
}

int network_call_agent(const char *wanted, int *ret_fd, struct err *e)
{
	static const char hint[] = "start one and give it your key: eval $(ssh-agent); ssh-add";
	const char *path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (path == NULL || path[0] == 0)
		return err_why(e, err_set(e, AMBIT_NOT_FOUND, hint, "%s, and there is no agent that has one", wanted),
			       "SSH_AUTH_SOCK is not set");
	if (!text_copy(to.sun_path, sizeof to.sun_path, path))
		return err_set(e, AMBIT_LIMIT, hint, "SSH_AUTH_SOCK is longer than a socket's path can be");
	if (sock < 0 || connect(sock, (const struct sockaddr *)&to, sizeof to) < 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, hint, "cannot connect to your ssh agent at %s", path);
	*ret_fd = steal_fd(&sock);
	return 0;
}

/* Where ssh looks: the person's files, then everybody's; those that are there. */
static size_t open_known_hosts(const char *home, int ret[4])
{
	static const char *const names[] = { ".ssh/known_hosts", ".ssh/known_hosts2", "/etc/ssh/ssh_known_hosts",
					     "/etc/ssh/ssh_known_hosts2" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[GRANT_OBJECT_MAX];

		ret[n] = path_normalise(home, names[i], path, sizeof path) ? fd_open_to_read(path) : -1;
		n += ret[n] >= 0;
	}
	return n;
}

int network_agent_start(struct network_roles *n, const char *home, struct err *e)
{
	int fds[1 + 4], r;
	size_t n_fds = 1;

	r = network_call_agent("a key for ssh is granted", &fds[0], e);
	if (r < 0)
		return r;
	n_fds += open_known_hosts(home, fds + 1);
	r = start_on_host("ambit-sign", &n->signer_pidfd, &n->signer_fd, e);
	if (r == 0) {
		r = wire_send(n->signer_fd, WIRE_SIGN_AGENT, NULL, fds, n_fds);
		r = r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "ambit-sign ended at once") : 0;
	}
	for (size_t i = 0; i < n_fds; i++)
		fd_close(&fds[i]);
	return r < 0 ? r : start_in_cell("ambit-ssh", &n->agent, &n->agent_fd, e);
}

/* ---- requests that are judged ---- */

bool network_wants_judges(const struct grant_set *grants)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grant_terms(grants, i)[0] != 0)
			return true;
	return false;
}

/* One role, with a file of authorities of its own: it reads on from where another has read to. *ret_vault: where its secrets are to go, or -1. */
static int start_http(struct network_roles *n, const struct terms *t, int *ret_vault, struct err *e)
{
	auto_fd int authorities = -1;
	int fds[2] = { -1, -1 }, r = authorities_open(&authorities, e);

	if (r < 0)
		return r;
	fds[0] = authorities;
	n->http[n->n_http].fd = n->http[n->n_http].vault_fd = -1;
	n->http[n->n_http].cell = NULL;
	r = start_in_cell("ambit-http", &n->http[n->n_http].cell, &n->http[n->n_http].fd, e);
	n->n_http++;
	if (r == 0 && terms_has(t, TERM_SECRET))
		r = role_pair(ret_vault, &fds[1], e);
	if (r < 0)
		return r;
	r = wire_send(n->http[n->n_http - 1].fd, WIRE_HTTP_BEGIN, NULL, fds, fds[1] >= 0 ? 2 : 1);
	fd_close(&fds[1]);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "ambit-http ended at once") : 0;
}

/* The host of an endpoint, as its secret may be bound to it: never any, see endpoints_check_judged. */
static void host_of(const char *object, char ret[ENDPOINT_TEXT_MAX])
{
	struct endpoint p;

	ret[0] = 0;
	if (endpoint_take(object, &p, NULL) < 0)
		return;
	if (p.kind == ENDPOINT_RANGE)
		address_put(&p.range.base, ret);
	else
		(void)text_copy(ret, ENDPOINT_TEXT_MAX, p.name.text); /* fits */
}

/* The secrets go straight to who attaches them, in the order of the terms: this process has only both ends of what they go through. */
static int give_secrets(struct secret_role *role, const struct terms *t, const char *object, int vault, struct err *e)
{
	char host[ENDPOINT_TEXT_MAX];
	int r;

	host_of(object, host);
	if (host[0] == 0) /* never: who plans it has refused that */
		return err_set(e, AMBIT_INTERNAL, NULL, "connect: %s: a secret for no host", object);
	r = role->pidfd < 0 ? secret_role_start(role, e) : 0;
	for (uint32_t i = 0; i < t->n_secrets && r == 0; i++)
		r = secret_give(role, t->secrets[i].name, host, vault, e);
	return r;
}

static int start_judge(struct network_roles *n, const struct grant_set *grants, uint32_t i, bool renews,
		       struct secret_role *role, struct err *e)
{
	const struct timeval patience = { .tv_sec = VAULT_PATIENCE_S };
	auto_free struct terms *t = calloc(1, sizeof *t);
	auto_fd int vault = -1;
	int r;

	if (t == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to start a role that judges requests");
	r = terms_take(grant_terms(grants, i), t, e);
	r = r < 0 ? r : start_http(n, t, &vault, e);
	r = r < 0 || vault < 0 ? r : give_secrets(role, t, grant_object(grants, i), vault, e);
	if (r == 0 && renews && t->n_secrets == 1) {
		(void)setsockopt(vault, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); /* else it has no bound */
		n->http[n->n_http - 1].vault_fd = steal_fd(&vault);
	}
	return r;
}

int network_renew(struct network_roles *n, uint32_t i, const char *name, const char *host, struct err *e)
{
	struct secret_role role;
	int r;

	if (i >= n->n_http || n->http[i].vault_fd < 0)
		return err_set(e, AMBIT_USAGE, NULL, "there is no secret to be renewed");
	r = secret_role_start(&role, e);
	r = r < 0 ? r : secret_give(&role, name, host, n->http[i].vault_fd, e);
	secret_role_finish(&role);
	return r;
}

int network_http_start(struct network_roles *n, const struct grant_set *grants, bool renews, struct err *e)
{
	struct secret_role role = { .pidfd = -1, .fd = -1 };
	int r = endpoints_check_judged(grants, e);

	for (uint32_t i = 0; i < grants->count && r == 0; i++)
		if (grant_terms(grants, i)[0] != 0)
			r = start_judge(n, grants, i, renews, &role, e);
	secret_role_finish(&role);
	return r;
}

/* The supervisor knows what it had to tell, and it may be held up, by an agent that reads nothing, or stopped. */
static void kill_role(int pidfd)
{
	if (pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

void network_roles_finish(struct network_roles *n)
{
	fd_close(&n->relay_fd);
	fd_close(&n->dialer_fd);
	ambit_event_free(n->relay);
	n->relay = NULL;
	fd_close(&n->agent_fd);
	fd_close(&n->signer_fd);
	ambit_event_free(n->agent);
	n->agent = NULL;
	for (uint32_t i = 0; i < n->n_http; i++) {
		fd_close(&n->http[i].fd);
		fd_close(&n->http[i].vault_fd);
		ambit_event_free(n->http[i].cell);
	}
	n->n_http = 0;
	kill_role(n->dialer_pidfd);
	kill_role(n->signer_pidfd);
	helper_end(&n->dialer_pidfd);
	helper_end(&n->signer_pidfd);
}
