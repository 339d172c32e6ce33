#include "dial/end.h"

#include <sys/socket.h>

#include "base/fd.h"

/* An end by shutdown(2) would let what is queued arrive, and look like one that the other side made. connect(2): AF_UNSPEC dissolves. */
void end_dissolve(int fd)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (connect(fd, &nowhere, sizeof nowhere) == 0)
		return;
	(void)shutdown(fd, SHUT_RDWR); /* the kernel refuses it while somebody waits in a call: this wakes them */
	(void)connect(fd, &nowhere, sizeof nowhere);
}

void end_close(int *fd, bool broken)
{
	const struct linger how = { .l_onoff = broken };

	if (broken)
		end_dissolve(*fd);
	else
		(void)shutdown(*fd, SHUT_RDWR); /* over already, mostly */
	(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &how, sizeof how);
	fd_close(fd);
}
