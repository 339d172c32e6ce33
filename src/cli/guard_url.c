#include "cli/guard_url.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/login_step.h"
#include "lib/event.h"
#include "lib/helper.h"
#include "lib/public.h"

#define HELP "ambit guard --help"
#define AGAIN_MS 30000  /* after a renewal that failed */
#define SOONEST_MS 2000 /* after one that did not: whoever gives tokens says how long they last */
#define LOOK_MS 60000   /* the clock may be set, or the machine have slept */
#ifdef AMBIT_SANITIZED /* shadow memory is reserved by the terabyte, which RLIMIT_DATA counts where no cgroup holds the limit */
#define LIMITS "tasks=4,memory=none"
#else
#define LIMITS "tasks=4,memory=512M"
#endif

/* Its process is ours, and can have nothing but that one address. */
static int refuse_grants(const struct run_options *o, struct ambit_error *e)
{
	const struct policy *p = &o->policy->policy;

	for (uint32_t i = 0; i < p->n_lines; i++)
		if (p->lines[i].verb != VERB_TOOL && policy_means(p, &p->lines[i]))
			return cli_misused(
				e, HELP,
				"a server that is reached by --url has no process here that could be granted something: %s",
				verb_word(p->lines[i].verb));
	if (o->event.base != NULL || o->event.observe != NULL || o->event.without != NULL || o->event.changes != 0)
		return cli_misused(
			e, HELP,
			"--base, --observe, --without, --stage and --discard are for a command, and not for --url");
	return 0;
}

/* The one path, however it is asked for. What looks like somebody's credential passes, but in the secret's place: servers have their own sessions, cursors and states brought back, which are signed as tokens are; the
 * bridge has nothing, and what arguments of calls may be is the gate's to judge. */
static int grant(const struct guard_url *u, const char *secret, struct ambit_error *e)
{
	char at[ENDPOINT_TEXT_MAX], path[3 * HTTP_PATTERN_MAX], text[TERMS_TEXT_MAX];
	int n;

	endpoint_put(&u->url.at, at);
	if (!http_pattern_put(u->url.path, path, sizeof path))
		return cli_misused(e, HELP, "--url: its path cannot be granted");
	n = snprintf(text, sizeof text, "%s http='POST %s, GET %s, DELETE %s' credentials=pass%s%s%s", at, path, path,
		     path, secret != NULL ? " secret='" : "", secret != NULL ? secret : "", secret != NULL ? "'" : "");
	if (n < 0 || (size_t)n >= sizeof text)
		return cli_misused(e, HELP, "--url: its path is too long");
	return ambit_policy_grant(u->policy, "connect", text, e);
}

static int make_policy(struct guard_url *u, const struct run_options *o, struct ambit_error *e)
{
	const char *agent = o->policy->policy.agent;
	struct err why;
	int r = ambit_policy_new(&u->policy, e);

	r = r < 0 ? r : grant(u, o->secret, e);
	r = r < 0 ? r : ambit_policy_limit(u->policy, LIMITS, e);
	r = r < 0 || o->limits[0] == 0 ? r : ambit_policy_limit(u->policy, o->limits, e);
	if (r == 0 && agent[0] != 0 && policy_set_agent(&u->policy->policy, agent, &why) < 0)
		return public_error(e, -(int)why.code, &why);
	return r;
}

/* ---- a login ---- */

static int look_up(struct guard_url *u, struct err *e)
{
	const int r = login_find(u->secret, u->login, e);

	u->due_ms = r > 0 ? login_renew_due(u->login)
			  : UINT64_MAX; /* one that is not there is told when it is wanted */
	return r < 0 ? r : 0;
}

/* One that is due is renewed before anything is asked with it. */
static int begin_login(struct guard_url *u, struct err *e)
{
	const uint64_t now = clock_unix_ms();
	int r;

	u->login = calloc(1, sizeof *u->login);
	if (u->login == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look at a secret");
	r = look_up(u, e);
	if (r < 0 || u->due_ms > now)
		return r;
	if (login_renew(u->login, e) == 0)
		return look_up(u, e);
	u->due_ms = now + AGAIN_MS;
	if (u->login->expires_ms != 0 && u->login->expires_ms <= now)
		return -(int)e->code;
	(void)found_refuse(false, e); /* it holds for a while */
	return 0;
}

/* In a process of its own, which keeps nothing of this one's open: its client sees the end of it by that. Who is told to end all of a terminal's, or a group, does not mean it: what renews a login is good once, and what
 * came in its place would be lost. */
static void renew_apart(const struct guard_url *u)
{
	sigset_t none;
	struct err e;
	int null;

	(void)setsid();
	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	_exit(login_renew(u->login, &e) == 0 ? 0 : found_refuse(false, &e));
}

static void begin_renewal(struct guard_url *u)
{

	u->due_ms = clock_unix_ms() + AGAIN_MS;
	u->pid = fork();
	if (u->pid == 0)
		renew_apart(u);
	u->pidfd = u->pid > 0 ? (int)syscall(SYS_pidfd_open, u->pid, 0) : -1;
	if (u->pid < 0)
		u->pid = 0;
}

static void end_renewal(struct guard_url *u, struct ambit_event *ev)
{
	struct err e;
	uint64_t soonest;
	int status = -1, r;

	while (waitpid(u->pid, &status, 0) < 0 && errno == EINTR)
		;
	u->pid = 0;
	fd_close(&u->pidfd);
	if (status != 0)
		return; /* it was told; later once more */
	r = network_renew(&ev->network, 0, u->secret, u->url.host, &e);
	r = r < 0 ? r : look_up(u, &e);
	if (r < 0)
		(void)found_refuse(false, &e);
	soonest = clock_unix_ms() + SOONEST_MS;
	u->due_ms = u->due_ms < soonest ? soonest : u->due_ms;
}

int guard_url_fd(const struct guard_url *u)
{
	return u->pidfd;
}

int guard_url_patience(const struct guard_url *u)
{
	const uint64_t now = clock_unix_ms();

	if (u->login == NULL || u->pid != 0 || u->due_ms == UINT64_MAX)
		return -1;
	return u->due_ms <= now ? 0 : u->due_ms - now < LOOK_MS ? (int)(u->due_ms - now) : LOOK_MS;
}

void guard_url_step(struct guard_url *u, struct ambit_event *ev)
{
	struct pollfd p = { .fd = u->pidfd, .events = POLLIN };

	if (u->pid != 0 && (u->pidfd < 0 || poll(&p, 1, 0) > 0))
		end_renewal(u, ev);
	else if (guard_url_patience(u) == 0)
		begin_renewal(u);
}

/* ---- all of it ---- */

int guard_url_open(struct guard_url *u, const struct run_options *o, struct ambit_error *e)
{
	struct err why;
	int r = url_take(o->url, &u->url, &why);

	if (r < 0)
		return public_error(e, r, &why);
	if (o->secret != NULL && !u->url.tls)
		return cli_misused(e, HELP, "--secret is sent under TLS only, and %s is without", o->url);
	u->secret = o->secret;
	u->pidfd = -1;
	if (u->secret != NULL && begin_login(u, &why) < 0)
		return public_error(e, -(int)why.code, &why);
	r = refuse_grants(o, e);
	r = r < 0 ? r : make_policy(u, o, e);
	if (r < 0)
		return r;
	r = helper_path("ambit-bridge", u->program, &why);
	if (r < 0)
		return public_error(e, r, &why);
	url_put(&u->url, u->text);
	u->argv[0] = u->program;
	u->argv[1] = u->text;
	return 0;
}

void guard_url_close(struct guard_url *u)
{
	ambit_policy_free(u->policy);
	u->policy = NULL;
	free(u->login);
	u->login = NULL;
	fd_close(&u->pidfd); /* whoever renews it does so for the next start */
}

void guard_url_fill(struct guard_url *u, struct ambit_event_options *o)
{
	o->argv = u->argv;
	o->workspace = "/";
	o->observe = "off";
	o->changes = 0;
#ifndef AMBIT_SANITIZED /* a sanitized role is not static */
	o->base = "minimal";
#endif
}

bool guard_url_name(const char *text, char *ret, size_t size)
{
	static const char *const common[] = { "mcp", "www", "api" };
	const char *at;
	struct url u;
	struct err e;
	size_t n;

	if (url_take(text, &u, &e) < 0 || u.at.kind != ENDPOINT_NAME)
		return false;
	at = u.host;
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		if (strncmp(at, common[i], strlen(common[i])) == 0 && at[strlen(common[i])] == '.' &&
		    strchr(at + strlen(common[i]) + 1, '.') != NULL)
			at += strlen(common[i]) + 1;
	n = strcspn(at, ".");
	return (size_t)snprintf(ret, size, "%.*s", (int)n, at) < size;
}
