#include "authority/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "core/authority.h"

#define MINUTE_MS 60000
#define TABLE_MAGIC "TZif"

bool zone_is(const struct zones *z, const char *name)
{
	const bool is_the_machines = strcmp(name, "localtime") == 0; /* leads to whatever that is just now */
	auto_fd int fd = z->dir_fd < 0 || is_the_machines ? -1
							  : openat(z->dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char magic[sizeof TABLE_MAGIC - 1];

	return fd >= 0 && fd_read_all(fd, magic, sizeof magic) == (ssize_t)sizeof magic &&
	       memcmp(magic, TABLE_MAGIC, sizeof magic) == 0;
}

/* What the C library does with a name that has no table is UTC, without a word: so there must be one. */
static uint16_t look_up(struct zones *z, const char *name, uint64_t now_ms)
{
	const time_t now = (time_t)(now_ms / 1000); /* 64 bits */
	struct tm there;

	if (!zone_is(z, name))
		return AUTHORITY_MINUTE_NONE;
	(void)snprintf(z->variable, sizeof z->variable, "TZ=:%s", name); /* fits */
	if (putenv(z->variable) != 0)
		return AUTHORITY_MINUTE_NONE;
	tzset();
	return localtime_r(&now, &there) != NULL ? (uint16_t)(there.tm_hour * 60 + there.tm_min)
						 : AUTHORITY_MINUTE_NONE;
}

/* Nothing changes the hour within a minute. */
uint16_t zone_minute(struct zones *z, const char *name, uint64_t now_ms)
{
	const uint64_t minute = now_ms / MINUTE_MS + 1; /* 0: nothing was seen */
	const unsigned i = z->next;

	for (unsigned s = 0; s < ZONES_REMEMBERED; s++)
		if (z->seen[s].minute == minute && strcmp(z->seen[s].name, name) == 0)
			return z->seen[s].is;
	z->next = (i + 1) % ZONES_REMEMBERED;
	z->seen[i].minute = minute;
	z->seen[i].is = look_up(z, name, now_ms);
	(void)text_copy(z->seen[i].name, sizeof z->seen[i].name, name); /* of a window: it fits */
	return z->seen[i].is;
}
