/* The role ambit-web: reads what clients of the Model Context Protocol send by HTTP, and carries it to the processes that answer. It runs in a cell of its own, without a network, a file or another process:
 * connections come to it by message, and so do the streams to servers. Whoever takes it over has what its clients may have done, and the tokens that they show, and nothing of anybody else.
 * Standard input is the connection of the command line, which sends one message first. */
#include <jansson.h>
#include <openssl/crypto.h>
#include <signal.h>

#include "base/fd.h"
#include "web/promise.h"
#include "web/web.h"

static struct web *begin(void)
{
	auto_message msg = { .n_fds = 0 };
	auto_buf said = { .max = 2048 };
	static uint8_t room[WEB_BEGIN_BYTES + WIRE_HEAD];
	struct web_begin rules;
	struct web *w;
	struct err e;

	if (wire_receive(0, WIRE_OWNER, WIRE_NEW, room, sizeof room, &msg) <= 0 || msg.number != WIRE_WEB_BEGIN ||
	    !web_begin_take(&msg.body, &rules) || (msg.n_fds == 1) != (rules.auth == WEB_AUTH_OAUTH))
		return NULL;
	w = web_new(0, &rules);
	if (w == NULL || (msg.n_fds == 1 && keys_read(&w->keys, msg.fds[0], WEB_KEYS_MAX, &e) < 0)) {
		wire_put_error(&said, &e);
		if (w != NULL)
			(void)wire_write(0, WIRE_WEB_FAILED, &said); /* who is gone need not know */
		web_free(w);
		return NULL;
	}
	(void)wire_write(0, WIRE_WEB_READY, NULL); /* likewise */
	return w;
}

int main(void)
{
	struct web *w;
	struct err e;

	json_object_seed(
		0); /* from the kernel, before files can no longer be opened; and no file of settings is read */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (promise_keep(&e) < 0)
		return 1;
	w = begin();
	while (w != NULL && web_turn(w, -1))
		;
	web_free(w);
	return 0;
}
