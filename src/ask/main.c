/* ambit-ask ISSUER HOST PORT PATH [CLIENT]: asks an issuer what a credential may do, and writes to descriptor 1 what it said (link.h). It runs in a cell that is granted this
 * one request, and has no credential: ambit-http attaches it outside.
 * Exit status: 0 there is an answer, whatever it says; 1 none could be written; 2 wrong usage. */
#include <signal.h>
#include <unistd.h>

#include "ask/exchange.h"
#include "ask/promise.h"
#include "base/fd.h"
#include "base/text.h"

static int answer(const struct ask_answer *a)
{
	auto_buf out = { .max = 0 };

	buf_init(&out, ASK_ANSWER_MAX);
	ask_answer_put(&out, a);
	return out.failed || fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}

int main(int argc, char **argv)
{
	static struct ask_answer a;
	struct ask_question q = { .client = NULL };
	struct exchange x;
	enum ask_outcome o;
	struct err e;
	int status;

	if (argc < 5 || argc > 6 || !issuer_find(argv[1], &q.which))
		return 2;
	q.path = argv[4];
	q.client = argv[5];             /* or NULL */
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	channel_prepare();
	o = exchange_open(&x, argv[2], argv[3]);
	a.outcome = (uint8_t)o;                                  /* in range */
	(void)text_copy(x.url.port, sizeof x.url.port, argv[3]); /* "" does no harm: it was refused above */
	if (promise_keep(&e) < 0)
		return 1;
	if (o == ASK_ANSWERED)
		exchange_run(&x, &q, &a);
	status = answer(&a);
	exchange_close(&x);
	return status;
}
