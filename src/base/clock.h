/* clock - how long something takes.
 *
 * Owns:   nothing.
 * Holds:  it never goes back, whatever the time of day is set to; only clock_unix_ms does. clock_ms stands still while the machine sleeps (CLOCK_MONOTONIC), as poll(2)'s timeouts do; clock_boot_ms goes on.
 * Called: from everywhere. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void);
uint64_t clock_boot_ms(void);
uint64_t clock_unix_ms(void); /* of the wall, since 1970 */

/* For a timeout of poll(2) that goes on while the machine sleeps: the descriptor is polled for POLLIN, and what clock_alarm gives is poll's own timeout. A new one, or -1, and then it is as ever. */
int clock_alarm_open(void);
int clock_alarm(int fd, int timeout_ms);

#endif
