/* The role ambit-secret: alone opens the store of the person's secrets. It sets, lists and removes them, and gives each to the role that attaches
 * it to requests, by a socket that the library introduces; neither the library nor who asked ever has a value.
 * Descriptor 3 is the library's connection. The environment is the person's, for the commands that give secrets. */
#include <signal.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "secret/serve.h"

#define LIBRARY_FD 3

int main(void)
{
	struct err e;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || fd_reserve_standard() < 0 || fd_set_cloexec(LIBRARY_FD, true) < 0)
		return 2;
	return serve_run(LIBRARY_FD, &e) < 0;
}
