/* The role ambit-mcp: speaks the Model Context Protocol with one client, and asks one session for what that client wants. It runs in a cell of its own, without a network, a
 * file or another process; whoever takes it over can ask for what that client may ask for, and has what that client is told.
 * Standard input is the connection of the command line, which sends one message. */
#include <jansson.h>
#include <signal.h>

#include "base/fd.h"
#include "mcp/mcp.h"
#include "mcp/promise.h"

static struct mcp *begin(void)
{
	auto_message msg = { .n_fds = 0 };
	uint8_t room[512];
	struct mcp_begin b;

	if (wire_receive(0, WIRE_OWNER, WIRE_NEW, room, sizeof room, &msg) <= 0 || msg.number != WIRE_MCP_BEGIN ||
	    !mcp_begin_take(&msg.body, &b))
		return NULL;
	return mcp_new(steal_fd(&msg.fds[0]), steal_fd(&msg.fds[1]), 0, &b);
}

int main(void)
{
	struct mcp *m;
	struct err e;

	json_object_seed(0);            /* from the kernel, before files can no longer be opened */
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (promise_keep(&e) < 0)
		return 1;
	m = begin();
	while (m != NULL && mcp_turn(m, -1))
		;
	mcp_free(m);
	return 0;
}
