#include "base/clock.h"

#include <sys/timerfd.h>
#include <time.h>

static uint64_t ms_of(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t clock_ms(void)
{
	return ms_of(CLOCK_MONOTONIC);
}

uint64_t clock_boot_ms(void)
{
	return ms_of(CLOCK_BOOTTIME);
}

uint64_t clock_unix_ms(void)
{
	return ms_of(CLOCK_REALTIME);
}

int clock_alarm_open(void)
{
	return timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
}

/* What is set anew has not expired. Zero would be never. */
int clock_alarm(int fd, int timeout_ms)
{
	const struct itimerspec at = { .it_value = { .tv_sec = timeout_ms / 1000,
						     .tv_nsec = timeout_ms % 1000 * 1000000L } };
	const struct itimerspec never = { .it_interval = { .tv_sec = 0 } };

	if (fd < 0 || timeout_ms == 0 || timerfd_settime(fd, 0, timeout_ms < 0 ? &never : &at, NULL) < 0)
		return timeout_ms;
	return -1;
}
