#include "lib/quiet.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

ssize_t quiet_write(int fd, const void *bytes, size_t n)
{
	const struct timespec at_once = { .tv_sec = 0 };
	sigset_t ours, before, pending;
	ssize_t done;
	int saved;

	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGPIPE);
	(void)sigaddset(&ours, SIGXFSZ);
	(void)sigpending(&pending);
	(void)pthread_sigmask(SIG_BLOCK, &ours, &before);
	done = write(fd, bytes, n);
	saved = errno;
	if (done < 0 && ((saved == EPIPE && !sigismember(&pending, SIGPIPE)) ||
			 (saved == EFBIG && !sigismember(&pending, SIGXFSZ))))
		(void)sigtimedwait(&ours, NULL, &at_once);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return done;
}
