/* The role ambit-net: between what listens in a cell and what the dialer connected. It runs in a cell of its own, without a network, a file or
 * another process, and holds nothing but descriptors; whoever takes it over has what is on its way, and no way anywhere else.
 * Standard input is the connection of the supervisor. */
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

#include "net/promise.h"
#include "net/relay.h"

int main(void)
{
	struct rlimit files = { .rlim_cur = 0 };
	struct err e;

	(void)getrlimit(RLIMIT_NOFILE, &files); /* cannot fail, and may not be asked later */
	(void)signal(SIGPIPE, SIG_IGN);         /* who went away is an error number */
	if (promise_keep(&e) < 0)
		return 1;
	return relay_run(0, files.rlim_cur < UINT32_MAX ? (uint32_t)files.rlim_cur : UINT32_MAX, &e) < 0;
}
