/* timestamp - times as text: RFC 3339 in UTC with milliseconds, "2026-01-31T09:15:02.123Z".
 *
 * Owns:   the one form that times have in whatever Ambit writes.
 * Holds:  a time has one text and a text one time, from 1970 to the end of 9999. No day that the calendar lacks, no
 *         hour 24, and no second 60: a clock of POSIX never shows one.
 * Called: from everywhere; pure. (gmtime_r is not: glibc's reads the host's time zone first.) */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMESTAMP_LEN 24
#define TIMESTAMP_END_MS UINT64_C(253402300800000) /* the year 10000, which four digits do not hold */

/* Of a time in seconds; what is too late for a timestamp is TIMESTAMP_END_MS, of which there is none. */
static inline uint64_t timestamp_ms_of(uint64_t s_since_1970)
{
	return s_since_1970 < TIMESTAMP_END_MS / 1000 ? s_since_1970 * 1000 : TIMESTAMP_END_MS;
}

/* Terminated. False, and an empty text, from TIMESTAMP_END_MS on. */
bool timestamp_write(uint64_t ms_since_1970, char ret[TIMESTAMP_LEN + 1]);
/* The n bytes are that text, and nothing else. */
bool timestamp_read(const void *text, size_t n, uint64_t *ret_ms_since_1970);

#endif
