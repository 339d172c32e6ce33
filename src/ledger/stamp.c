#include "ledger/stamp.h"

#include <string.h>
#include <time.h>

static uint64_t clock_us(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t stamp_wall_ms(void)
{
	return clock_us(CLOCK_REALTIME) / 1000;
}

uint64_t stamp_boot_us(void)
{
	return clock_us(CLOCK_BOOTTIME);
}

void stamp(struct entry *entry, const char *boot)
{
	entry->wall_ms = stamp_wall_ms();
	entry->mono_us = stamp_boot_us();
	(void)strncpy(entry->boot, boot, sizeof entry->boot - 1); /* the rest is zero; entry_put looks at it */
}
