/* The role ambit-rpc: speaks for one client, who sends JSON, with the daemon and with sessions, who read messages of our own. It runs in a cell of its own, without a network,
 * a file or another process; whoever takes it over can ask for what that client may ask for, and has what that client is told.
 * Standard input is the connection of the daemon, which sends one message: the client's connection, and one on which it takes us for that client. */
#include <jansson.h>
#include <signal.h>

#include "rpc/promise.h"
#include "rpc/rpc.h"

static struct rpc *begin(void)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[64];

	if (wire_receive(0, WIRE_DAEMON, WIRE_NEW, room, sizeof room, &m) <= 0 || m.number != WIRE_RPC_CLIENT)
		return NULL;
	return rpc_new(steal_fd(&m.fds[0]), steal_fd(&m.fds[1]));
}

int main(void)
{
	struct rpc *r;
	struct err e;

	json_object_seed(0);            /* from the kernel, before files can no longer be opened */
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (promise_keep(&e) < 0)
		return 1;
	r = begin();
	while (r != NULL && rpc_turn(r, -1))
		;
	rpc_free(r);
	return 0;
}
