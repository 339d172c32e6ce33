#include "relay/fence.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

bool fence_seen(struct fence *f, const void *bytes, size_t n)
{
	static const char answer[] = "\033[0n";
	const char *s = bytes;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == answer[f->matched])
			f->matched++;
		else
			f->matched = s[i] == answer[0] ? 1 : 0; /* ESC is nowhere else in the answer */
		if (f->matched == sizeof answer - 1)
			return true;
	}
	return false;
}

static int64_t now_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		return INT64_MAX; /* no clock, no patience */
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

void fence_wait(int terminal_in)
{
	const int64_t end = now_ms() > INT64_MAX - FENCE_WAIT_MS ? 0 : now_ms() + FENCE_WAIT_MS;
	struct fence f = { 0 };

	for (int64_t left = end - now_ms(); left > 0; left = end - now_ms()) {
		struct pollfd p = { .fd = terminal_in, .events = POLLIN };
		char bytes[256];
		ssize_t got;

		if (poll(&p, 1, (int)left) <= 0)
			continue;
		got = read(terminal_in, bytes, sizeof bytes);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return;
		if (got > 0 && fence_seen(&f, bytes, (size_t)got))
			return;
	}
}
