#include "serve/speaker.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "lib/role.h"

#define RPC_FILES 512
#define RPC_MEMORY (UINT64_C(96) << 20)

void speaker_init(struct speaker *s)
{
	*s = (struct speaker){ .sock = -1, .pidfd = -1 };
}

bool speaker_is_there(const struct speaker *s)
{
	return s->ev != NULL || s->pidfd >= 0;
}

int speaker_start(struct speaker *s, int *ret_fd)
{
	static const struct role_bounds bounds = { .files = RPC_FILES, .memory_bytes = RPC_MEMORY };
	const int r = role_start_in_cell("ambit-rpc", &bounds, &s->ev, ret_fd, NULL);

	if (r < 0)
		fd_close(ret_fd);
	return r;
}

static bool has_ended(const struct speaker *s)
{
	struct pollfd p = { .fd = s->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

bool speaker_step(struct speaker *s)
{
	return s->ev != NULL ? ambit_event_step(s->ev, NULL) != 0 : has_ended(s);
}

int speaker_fd(const struct speaker *s)
{
	return s->ev != NULL ? event_wait_fd(s->ev) : s->pidfd;
}

void speaker_end(struct speaker *s)
{
	if (s->ev != NULL)
		(void)ambit_event_kill(s->ev, NULL); /* it has ended: as well */
	fd_close(&s->sock);
	s->told_ms = clock_ms();
}

void speaker_abandon(struct speaker *s)
{
	if (s->ev != NULL)
		event_abandon(s->ev);
	else
		(void)syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, NULL, 0); /* it has ended: as well */
}

bool speaker_is_gone(struct speaker *s)
{
	return s->ev != NULL ? ambit_event_step(s->ev, NULL) != 0 && event_is_gone(s->ev) : has_ended(s);
}

void speaker_finish(struct speaker *s)
{
	ambit_event_free(s->ev);
	fd_close(&s->sock);
	fd_close(&s->pidfd);
	speaker_init(s);
}

void speaker_finish_by(struct speaker *s, uint64_t until_ms)
{
	if (!speaker_is_there(s))
		return;
	speaker_end(s);
	for (uint64_t now; !speaker_is_gone(s) && (now = clock_ms()) < until_ms;) {
		struct pollfd p = { .fd = speaker_fd(s), .events = POLLIN };

		(void)poll(&p, 1, (int)(until_ms - now)); /* interrupted: it is looked at again */
	}
	if (!speaker_is_gone(s))
		speaker_abandon(s);
	speaker_finish(s);
}

void speaker_hand_on(struct speaker *s)
{
	if (s->ev != NULL)
		event_hand_on(s->ev, &s->sock, &s->pidfd);
	s->ev = NULL;
}
