/* clock - how long something takes.
 *
 * Owns:   nothing.
 * Holds:  it never goes back, whatever the time of day is set to (CLOCK_MONOTONIC).
 * Called: from everywhere. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void);

#endif
