/* The role ambit-ssh: the ssh agent of a cell. It reads what programs send, in a cell of its own, without a network, a file, another process or a
 * key; what is to be signed it asks of ambit-sign, which does not believe it. Standard input is the connection of the supervisor. */
#include <signal.h>

#include "ssh/promise.h"
#include "ssh/serve.h"

int main(void)
{
	struct err e;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (promise_keep(&e) < 0)
		return 1;
	return serve_run(0, &e) < 0;
}
