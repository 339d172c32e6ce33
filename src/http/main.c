/* The role ambit-http: judges the requests of one grant, and attaches its secrets. It reads what programs and hosts send, in a cell of its own, without a network, a file or
 * another process; whoever takes it over has that grant's secrets and what is on its way to that host, and no way anywhere else.
 * Standard input is the connection of the library, and then of the supervisor. */
#include <jansson.h>
#include <signal.h>

#include "http/promise.h"
#include "http/serve.h"

int main(void)
{
	struct vault vaults[TERMS_SECRETS_MAX];
	struct err e;

	json_object_seed(0);            /* from the kernel, before files can no longer be opened */
	vaults_init(vaults);            /* before mlock(2) is given up */
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (promise_keep(&e) < 0)
		return 1;
	return serve_run(0, vaults, &e) < 0;
}
