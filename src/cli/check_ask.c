#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/check.h"
#include "cli/session.h"
#include "lib/event.h"
#include "lib/helper.h"
#include "lib/public.h"

#ifdef AMBIT_SANITIZED /* shadow memory is reserved by the terabyte, which RLIMIT_DATA counts where no cgroup holds the limit */
#define LIMITS "wall=60s,tasks=4,output=64K,memory=none"
#else
#define LIMITS "wall=60s,tasks=4,output=64K"
#endif

/* Where it goes, and with which. Of an introspection the token stands in the form, and who asks in a field. */
static void put_secrets(const struct check *c, struct buf *out)
{
	buf_printf(out, "%s", c->name);
	if (c->issuer == ISSUER_OAUTH)
		buf_printf(out, " as form:token");
	if (c->asking_secret[0] != 0)
		buf_printf(out, ", %s as %s%s", c->asking_secret, c->client[0] != 0 ? "basic:" : "bearer", c->client);
}

/* One request, once. */
static int grant(const struct check *c, struct ambit_policy *p, struct ambit_error *e)
{
	char normal[HTTP_PATTERN_MAX], pattern[3 * HTTP_PATTERN_MAX], at[ENDPOINT_TEXT_MAX];
	auto_buf text = { .max = 0 };
	int r = http_path_take(c->path, strlen(c->path), normal, sizeof normal) == NULL &&
				http_pattern_put(normal, pattern, sizeof pattern)
			? 0
			: -AMBIT_INTERNAL; /* it is one */

	buf_init(&text, TERMS_TEXT_MAX);
	endpoint_put(&c->at, at);
	buf_printf(&text, "%s uses=1 http='%s %s' secret='", at, issuer_row(c->issuer)->method, pattern);
	put_secrets(c, &text);
	buf_printf(&text, "'");
	r = r < 0 || buf_cstr(&text) == NULL ? r : ambit_policy_grant(p, "connect", (const char *)text.data, e);
	return r < 0 ? r : ambit_policy_limit(p, LIMITS, e);
}

static int take_answer(struct check *c, const struct event_result *result, struct err *e)
{
	if (result->cause == CAUSE_REFUSED) {
		*e = result->error;
		return -(int)e->code;
	}
	if (result->cause != CAUSE_EXITED || result->exit_status != 0 ||
	    !ask_answer_take(result->out.data, result->out.len, &c->answer))
		return err_set(e, AMBIT_PROTOCOL, "`ambit explain last` tells more, where events are recorded",
			       "ambit-ask did not survive what %s sent", c->url);
	return 0;
}

static int run(struct check *c, const struct ambit_policy *p, char *program, struct ambit_error *e)
{
	char port[8];
	const bool says_client = c->client[0] != 0 && c->asking_secret[0] == 0; /* else it stands in a field */
	char *argv[] = { program, (char *)(uintptr_t)issuer_row(c->issuer)->word /* only copied */,
			 c->host, port,
			 c->path, says_client ? c->client : NULL,
			 NULL };
	const struct ambit_event_options o = { .size = sizeof o,
					       .argv = argv,
					       .workspace = "/",
#ifndef AMBIT_SANITIZED /* a sanitized role is not static */
					       .base = "minimal",
#endif
					       .observe = "off",
					       .stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_CAPTURE,
							   AMBIT_STREAM_NULL } };
	struct ambit_event *ev = NULL;
	struct err why = { .code = AMBIT_OK };
	int r;

	(void)snprintf(port, sizeof port, "%u", c->at.port);
	r = ambit_event_start(p, &o, &ev, e);
	r = r < 0 ? r : ambit_event_wait(ev, e);
	if (r >= 0) {
		session_tell_key(ev);
		r = take_answer(c, event_result(ev), &why);
		r = r < 0 ? public_error(e, r, &why) : 0;
	}
	ambit_event_free(ev);
	return r;
}

int check_ask(struct check *c, struct ambit_error *e)
{
	char program[PATH_MAX];
	struct ambit_policy *p = NULL;
	struct err why;
	int r = helper_path("ambit-ask", program, &why);

	r = r < 0 ? public_error(e, r, &why) : ambit_policy_new(&p, e);
	r = r < 0 ? r : grant(c, p, e);
	r = r < 0 ? r : run(c, p, program, e);
	ambit_policy_free(p);
	return r;
}

/* That there was no answer, or one that says nothing. */
int check_has_answer(const struct check *c, struct err *e)
{
	const struct ask_answer *a = &c->answer;

	if (a->outcome != ASK_ANSWERED)
		return err_why(e,
			       err_set(e, a->outcome == ASK_NO_HTTP ? AMBIT_PROTOCOL : AMBIT_GONE,
				       "is there a network? `ambit explain last` tells more, where events are recorded",
				       "%s could not be asked: %s", c->url, ask_outcome_text(a)),
			       "what %s may do is not known", c->name);
	if (a->state == ASK_ASKER)
		return err_set(e, AMBIT_DENIED,
			       c->client[0] != 0 || c->asking_secret[0] != 0
				       ? "does it know this client, and may he ask? see where he was registered"
				       : "name who asks: --client ID:SECRET, or --bearer SECRET",
			       "%s does not let who asks: HTTP %u", c->url, a->status);
	if (a->state == ASK_UNCLEAR)
		return err_set(
			e, AMBIT_PROTOCOL,
			a->status == 502 ? "Ambit says so, too, where the host did not prove to be itself"
			: c->issuer == ISSUER_OAUTH
				? "is this an endpoint for introspection (RFC 7662)? its issuer's metadata name it"
				: "is this the issuer? name it: --issuer KIND:HOST",
			"%s answered with HTTP %u, and nothing that tells what %s may do", c->url, a->status, c->name);
	return 0;
}
