/* ambit-login: one step of a login with OAuth. It reads what it is asked from standard input (link.h), makes the one request of it in a cell that is granted no other, and says what it was answered on standard
 * error; tokens, if they were asked for, go to standard output, which is ambit-secret's.
 * Exit status: 0 there is an answer, whatever it says; 1 none could be written; 2 it was asked what it is not. */
#include <signal.h>
#include <unistd.h>

#include <jansson.h>

#include "base/fd.h"
#include "login/once.h"
#include "login/promise.h"

#define CALLBACK_PATH "/callback"

static bool read_ask(struct login_ask *ret)
{
	static uint8_t room[LOGIN_ASK_MAX];
	const ssize_t n = fd_read_all(STDIN_FILENO, room, sizeof room);

	return n > 0 && login_ask_take(room, (size_t)n, ret);
}

static bool say(const struct login_answer *a, const struct login_tokens *t, bool has_tokens)
{
	auto_buf tokens = { .max = LOGIN_TOKENS_MAX }, out = { .max = LOGIN_ANSWER_MAX };

	login_answer_put(&out, a);
	if (has_tokens)
		login_tokens_put(&tokens, t);
	return !out.failed && !tokens.failed && fd_write_all(STDOUT_FILENO, tokens.data, tokens.len) == 0 &&
	       fd_write_all(STDERR_FILENO, out.data, out.len) == 0;
}

static void run(struct once *o, const struct login_ask *ask, struct login_answer *a, struct login_tokens *t)
{
	if (once_run(o, ask) && ask->step != LOGIN_PROBE)
		read_body(a, (enum login_step)ask->step, (const char *)o->body.data, o->body.len, t);
}

int main(void)
{
	static struct login_ask ask;
	static struct login_answer a;
	static struct login_tokens t;
	struct once o = { .answer = NULL };
	bool open, said;
	struct err e;

	json_object_seed(0);            /* from the kernel, before files can no longer be opened */
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (!read_ask(&ask))
		return 2;
	open = ask.step != LOGIN_CALLBACK && once_open(&o, &ask, &a);
	if (promise_keep(&e) < 0)
		return 1;
	if (ask.step == LOGIN_CALLBACK)
		read_callback(&a, login_param_of(&ask, "request"), CALLBACK_PATH);
	else if (open)
		run(&o, &ask, &a, &t);
	said = say(&a, &t, ask.step == LOGIN_TOKEN && a.outcome == LOGIN_ANSWERED);
	once_close(&o);
	return said ? 0 : 1;
}
