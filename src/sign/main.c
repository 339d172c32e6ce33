/* The role ambit-sign: has the connection to the person's ssh agent, and lets it sign what one event was granted. It reads messages of fixed
 * fields from who reads what programs send, and checks the proof that comes with each; it holds no key.
 * Descriptor 3 is the connection of the library, and then of the supervisor. */
#include <signal.h>

#include "base/fd.h"
#include "sign/signer.h"

#define SUPERVISOR_FD 3

int main(void)
{
	struct err e;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (fd_reserve_standard() < 0 || fd_set_cloexec(SUPERVISOR_FD, true) < 0)
		return 2;
	return signer_run(SUPERVISOR_FD, &e) < 0;
}
