/* The role ambit-dial: makes the connections that one event was granted. It has the host's network, and therefore reads nothing but our own
 * messages of fixed size: what comes over a connection is the relay's, and what a name server answers is read by a process beside it.
 * Descriptor 3 is the connection of the supervisor. */
#include "base/fd.h"
#include "dial/dial.h"

#define SUPERVISOR_FD 3

int main(void)
{
	struct err e;

	if (fd_reserve_standard() < 0 || fd_set_cloexec(SUPERVISOR_FD, true) < 0)
		return 2;
	return dial_run(SUPERVISOR_FD, &e) < 0;
}
