/* zone - the time of day in a time zone.
 *
 * Owns:   struct zones: the directory of the tables, and what was found in them last.
 * Holds:  the C library's own reading of the tables, over their changes of the hour. A minute of a zone is looked up once: whoever asks again within it is told without a system
 *         call. The process's TZ is this module's.
 * Called: the role ambit-authority, which has no threads. */
#ifndef AUTHORITY_ZONE_H
#define AUTHORITY_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/window.h"

#define ZONES_REMEMBERED 16

struct zones {
	int dir_fd; /* borrowed; -1: this machine has no tables */
	char variable
		[4 +
		 WINDOW_ZONE_MAX]; /* "TZ=:name": of the environment from the first look-up on, so this must live as long as the process */
	unsigned next;
	struct {
		char name[WINDOW_ZONE_MAX];
		uint64_t minute; /* since 1970, from 1 on */
		uint16_t is;
	} seen[ZONES_REMEMBERED];
};

/* Whether there is a table of that name. */
bool zone_is(const struct zones *z, const char *name);
/* Minutes since midnight there; AUTHORITY_MINUTE_NONE: there is no such zone. */
uint16_t zone_minute(struct zones *z, const char *name, uint64_t now_ms);

#endif
