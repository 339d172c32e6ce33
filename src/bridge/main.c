/* ambit-bridge URL: a server of the Model Context Protocol that is reached by streamable HTTP, as one of standard input and output. It runs in the cell of a guarded server (cli/guard.c), which can reach that
 * one address, and has no credential: ambit-http attaches it outside. Whoever takes it over can say to the gate what the server could, and to the server what it was told.
 * Exit status: 0 its client has gone; 1 it could not begin, or what it was told makes no sense; 2 wrong usage. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "bridge/bridge.h"
#include "bridge/promise.h"
#include "witness/channel.h"

static int complain(const char *what)
{
	(void)fprintf(stderr, "ambit: the server cannot be spoken with: %s\n", what);
	return 1;
}

/* All that has to be looked up while files can be opened. */
static const char *prepare(const struct url *url, struct talk_net *ret)
{
	auto_buf pem = { .max = REACH_AUTHORITIES_MAX };

	*ret = (struct talk_net){ .host = url->host };
	ret->to_n = reach_find(&ret->to, url->host, url->at.port);
	if (ret->to_n == 0)
		return "its cell has no address for it";
	if (!url->tls)
		return NULL;
	channel_prepare();
	if (!reach_authorities(&pem))
		return "its cell trusts nobody";
	ret->context = channel_trust(span_bytes(pem.data, pem.len));
	return ret->context != NULL ? NULL : "its cell trusts nobody";
}

int main(int argc, char **argv)
{
	struct talk_net net;
	struct url url;
	struct bridge *b;
	const char *wrong;
	struct err e;

	if (argc != 2 || url_take(argv[1], &url, &e) < 0)
		return 2;
	json_object_seed(0);            /* from the kernel, before files can no longer be opened */
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	wrong = prepare(&url, &net);
	if (wrong != NULL)
		return complain(wrong);
	if (promise_keep(&e) < 0)
		return complain(e.msg);
	b = bridge_new(&url, &net, STDIN_FILENO, STDOUT_FILENO);
	while (b != NULL && bridge_turn(b, -1))
		;
	bridge_free(b);
	SSL_CTX_free(net.context);
	return 0;
}
