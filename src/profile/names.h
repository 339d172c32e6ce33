/* names - texts that come again, each kept once, by a number.
 *
 * Owns:   the texts.
 * Holds:  0 is the empty one. At most `max`; found by a keyed hash, so nobody makes it slow.
 * Called: profile/events.c; pure, but for its memory. */
#ifndef PROFILE_NAMES_H
#define PROFILE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names;

struct names *names_create(const uint8_t *key, uint32_t max); /* NULL: no memory. key: borrowed, CALL_KEY_SIZE bytes */
void names_destroy(struct names *n);
/* false: no memory, or too many. */
bool names_take(struct names *n, const char *text, size_t len, uint32_t *ret);
const char *names_text(const struct names *n, uint32_t name);
uint32_t names_count(const struct names *n);

#endif
