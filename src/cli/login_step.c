#include "cli/login_step.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/event.h"
#include "lib/helper.h"
#include "lib/launch.h"
#include "lib/public.h"
#include "lib/state.h"

#ifdef AMBIT_SANITIZED /* shadow memory is reserved by the terabyte, which RLIMIT_DATA counts where no cgroup holds the limit */
#define LIMITS "wall=60s,tasks=4,output=64K,memory=none"
#else
#define LIMITS "wall=60s,tasks=4,output=64K"
#endif
#define LOCK_MS 60000u
#define EARLY_MS 120000u    /* before it expires */
#define UNKNOWN_MS 3600000u /* after which it is renewed where nobody said when it expires */

/* ---- the cell ---- */

static const char *method_of(uint8_t step)
{
	return step == LOGIN_RESOURCE || step == LOGIN_SERVER ? "GET" : "POST";
}

/* One request, once. What it brings to who gives tokens may look like a credential, and is one: a code. */
static int grant(struct ambit_policy *p, const struct login_ask *ask, const char *secrets, struct err *e)
{
	char at[ENDPOINT_TEXT_MAX], path[3 * HTTP_PATTERN_MAX], text[TERMS_TEXT_MAX];
	struct ambit_error told = { .size = sizeof told };
	struct url u;
	int n, r = url_take(ask->url, &u, e);

	if (r < 0)
		return r;
	endpoint_put(&u.at, at);
	if (!http_pattern_put(u.path, path, sizeof path))
		return err_set(e, AMBIT_USAGE, NULL, "%s has a path that cannot be granted", ask->url);
	n = snprintf(text, sizeof text, "%s uses=1 http='%s %s'%s%s%s", at, method_of(ask->step), path,
		     secrets != NULL ? " secret='" : "", secrets != NULL ? secrets : "", secrets != NULL ? "'" : "");
	if (n > 0 && (size_t)n < sizeof text && login_param_of(ask, "code")[0] != 0)
		n += snprintf(text + n, sizeof text - (size_t)n, " credentials=pass");
	if (n < 0 || (size_t)n >= sizeof text)
		return err_set(e, AMBIT_LIMIT, NULL, "%s is too long", ask->url);
	r = ambit_policy_grant(p, "connect", text, &told);
	return r < 0 ? err_set(e, (enum ambit_code) - r, told.hint, "%s", told.message) : 0;
}

static int write_ask(const struct login_ask *ask, int ret_in[2], struct err *e)
{
	auto_buf out = { .max = LOGIN_ASK_MAX };

	login_ask_put(&out, ask);
	if (out.failed)
		return err_set(e, AMBIT_LIMIT, NULL, "the request is too long");
	if (pipe2(ret_in, O_CLOEXEC) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipe for a login");
	if (fd_write_all(ret_in[1], out.data, out.len) < 0)
		return err_sys(e, AMBIT_SYSTEM, EPIPE, NULL, "cannot say what a login is to do");
	fd_close(&ret_in[1]);
	return 0;
}

static int take_answer(const struct event_result *result, struct login_answer *ret, struct err *e)
{
	if (result->cause == CAUSE_REFUSED) {
		*e = result->error;
		return -(int)e->code;
	}
	if (result->cause != CAUSE_EXITED || result->exit_status != 0 ||
	    !login_answer_take(result->err.data, result->err.len, ret))
		return err_set(e, AMBIT_PROTOCOL, "`ambit explain last` tells more, where events are recorded",
			       "ambit-login did not survive what it read");
	return 0;
}

static int run(const struct ambit_policy *p, int in, int out, struct login_answer *ret, struct err *e)
{
	char program[PATH_MAX];
	char *argv[] = { program, NULL };
	const struct ambit_event_options o = { .size = sizeof o,
					       .argv = argv,
					       .workspace = "/",
#ifndef AMBIT_SANITIZED /* a sanitized role is not static */
					       .base = "minimal",
#endif
					       .observe = "off",
					       .stream = { AMBIT_STREAM_PASS, AMBIT_STREAM_PASS, AMBIT_STREAM_CAPTURE },
					       .stream_fd = { in, out, -1 } };
	struct ambit_error told = { .size = sizeof told };
	struct ambit_event *ev = NULL;
	int r = helper_path("ambit-login", program, e);

	if (r < 0)
		return r;
	r = launch_server(p, &o, NULL, &ev, &told);
	r = r < 0 ? r : ambit_event_wait(ev, &told);
	r = r < 0 ? err_set(e, (enum ambit_code) - r, told.hint, "%s", told.message)
		  : take_answer(event_result(ev), ret, e);
	ambit_event_free(ev);
	return r;
}

int login_step(const struct login_ask *ask, const char *secrets, struct login_answer *ret, int *ret_tokens,
	       struct err *e)
{
	struct ambit_error told = { .size = sizeof told };
	struct ambit_policy *p = NULL;
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, r;

	if (ambit_policy_new(&p, &told) < 0 || ambit_policy_limit(p, LIMITS, &told) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "%s", told.message);
	r = ask->step == LOGIN_CALLBACK ? 0 : grant(p, ask, secrets, e);
	r = r < 0 ? r : write_ask(ask, in, e);
	if (r == 0 && pipe2(out, O_CLOEXEC) < 0)
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipe for a login");
	r = r < 0 ? r : run(p, in[0], out[1], ret, e);
	fd_close(&in[0]);
	fd_close(&in[1]);
	fd_close(&out[1]);
	if (r == 0 && ret_tokens != NULL)
		*ret_tokens = steal_fd(&out[0]);
	fd_close(&out[0]);
	ambit_policy_free(p);
	return r;
}

int login_step_failed(const struct login_ask *ask, const struct login_answer *a, struct err *e)
{
	const int r = err_set(
		e,
		a->outcome == LOGIN_REFUSED || a->outcome == LOGIN_AWAY || a->outcome == LOGIN_NO_TRUST ? AMBIT_DENIED
		: a->outcome == LOGIN_UNCLEAR                                                           ? AMBIT_PROTOCOL
													: AMBIT_GONE,
		a->status == 502
			? "Ambit says so, too, where a host could not be reached, or did not prove to be itself"
			: NULL,
		"%s: %s", ask->url, login_outcome_text(a->outcome));
	const char *text = a->text[LOGIN_ERROR_TEXT][0] != 0 ? a->text[LOGIN_ERROR_TEXT] : a->text[LOGIN_ERROR];

	if (a->status == 0)
		return r;
	return text[0] != 0 ? err_why(e, r, "HTTP %u: %.200s", a->status, text) : err_why(e, r, "HTTP %u", a->status);
}

/* ---- renewals ---- */

struct found {
	const char *name;
	struct secret_row *row;
	bool is_there;
};

static int look(void *arg, const struct secret_row *row)
{
	struct found *f = arg;

	if (strcmp(row->name, f->name) == 0) {
		*f->row = *row;
		f->is_there = true;
	}
	return 0;
}

int login_find(const char *name, struct secret_row *ret, struct err *e)
{
	struct found f = { .name = name, .row = ret };
	const int r = secret_list(look, &f, e);

	return r < 0 ? r : f.is_there;
}

uint64_t login_renew_due(const struct secret_row *row)
{
	if (row->kind != SECRET_IS_LOGIN)
		return UINT64_MAX;
	if (row->expires_ms == 0)
		return row->set_ms + UNKNOWN_MS;
	/* what lasts for less than twice that is renewed in the middle of its time */
	return row->expires_ms - row->set_ms < 2 * EARLY_MS ? row->set_ms + (row->expires_ms - row->set_ms) / 2
							    : row->expires_ms - EARLY_MS;
}

static int renew(const struct secret_row *row, struct err *e)
{
	static struct login_ask ask;
	static struct login_answer a;
	static struct secret_set set;
	static struct secret_row now;
	struct login_terms t;
	char secrets[4 * SECRET_NAME_MAX + LOGIN_CLIENT_MAX];
	auto_fd int tokens = -1;
	bool replaced;
	int r;

	if (!login_terms_take(row->login, strlen(row->login), &t))
		return err_set(e, AMBIT_MALFORMED, "ambit secret login NAME URL", "login '%s' has no terms", row->name);
	ask = (struct login_ask){ .step = LOGIN_TOKEN };
	(void)text_copy(ask.url, sizeof ask.url, t.token_url); /* it is shorter */
	if (!login_param(&ask, "grant_type", "refresh_token") || !login_param(&ask, "client_id", t.client) ||
	    !login_param(&ask, "resource", t.resource))
		return err_set(e, AMBIT_LIMIT, NULL, "login '%s' is too long", row->name);
	(void)snprintf(secrets, sizeof secrets, "%s" LOGIN_REFRESH " as form:refresh_token%s%s%s%s", row->name,
		       t.client_secret[0] != 0 ? ", " : "", t.client_secret,
		       t.client_secret[0] != 0 ? " as basic:" : "", t.client_secret[0] != 0 ? t.client : ""); /* fits */
	r = login_step(&ask, secrets, &a, &tokens, e);
	if (r == 0 && a.outcome != LOGIN_ANSWERED)
		r = login_step_failed(&ask, &a, e);
	if (r < 0)
		return err_context(e, r, "login '%s' could not be renewed", row->name);
	set = (struct secret_set){ .source = SECRET_FROM_RENEWAL };
	(void)text_copy(set.name, sizeof set.name, row->name); /* of the same size */
	return secret_set(&set, tokens, &now, &replaced, e);
}

/* One at a time for each login: who gives tokens may take it for theft if what renews one is used twice; and what is renewed goes where its own terms are, and not those of another login of its name. */
int login_lock(const char *name, int *ret_fd, struct err *e)
{
	char path[GRANT_OBJECT_MAX];
	auto_fd int dir = -1;
	int r = state_path("renewals", path, sizeof path) < 0
			? err_set(e, AMBIT_HOST, "set HOME, or XDG_STATE_HOME, to an absolute path",
				  "there is no place for a lock")
			: state_open(path, &dir, e);

	if (r < 0)
		return r;
	*ret_fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_fd < 0 || fd_lock(*ret_fd, LOCK_MS) < 0)
		return err_sys(e, AMBIT_CONFLICT, errno, "try again", "login '%s' is renewed by somebody else", name);
	return 0;
}

int login_renew(const struct secret_row *was, struct err *e)
{
	static struct secret_row row;
	auto_fd int held = -1;
	int r = login_lock(was->name, &held, e);

	r = r < 0 ? r : login_find(was->name, &row, e);
	if (r < 0)
		return r;
	if (r > 0 && row.set_ms != was->set_ms)
		return 0; /* somebody else did */
	return renew(was, e);
}
