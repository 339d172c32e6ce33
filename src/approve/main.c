/* The role ambit-approver: alone has an approver's private key and its password, or the connection to the agent that has it. It enrolls keys, lists and
 * forgets them, and signs answers to requests for an approval; neither the library nor who asked ever has more than signatures.
 * Descriptor 3 is the library's connection. */
#include <signal.h>
#include <sys/prctl.h>

#include "approve/serve.h"
#include "base/fd.h"

#define LIBRARY_FD 3

int main(void)
{
	struct err e;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || fd_reserve_standard() < 0 || fd_set_cloexec(LIBRARY_FD, true) < 0)
		return 2;
	return serve_run(LIBRARY_FD, &e) < 0;
}
