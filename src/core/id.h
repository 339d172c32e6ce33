/* id - names for events, sessions, grants and approvals.
 *
 * Owns:   the form: a prefix letter, "_", and 26 Crockford base-32 characters: 48 bits of milliseconds, then 80 random ones.
 * Holds:  ids sort by time; the alphabet has no I, L, O, U. The first character is at most 7: it holds three bits.
 * Called: from everywhere; pure. */
#ifndef CORE_ID_H
#define CORE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_LEN 28      /* prefix, "_", 26 characters */
#define ID_TEXT_MAX 32 /* with the NUL */
#define ID_TIME 6
#define ID_RANDOM 10

void id_write(char prefix, uint64_t unix_ms, const uint8_t random[ID_RANDOM], char ret[ID_TEXT_MAX]);
/* When it was made: of what id_is says is one. */
uint64_t id_ms(const char *id);
/* The same: its 128 bits, the milliseconds first. */
void id_read(const char *id, uint8_t ret[ID_TIME + ID_RANDOM]);
/* The first bytes of those: the lowest 48 bits of the milliseconds, the highest byte first. */
void id_put_time(uint8_t ret[ID_TIME], uint64_t unix_ms);
/* Whether the n bytes are one with that prefix. Capitals only: of an id there is one form. */
bool id_is(char prefix, const void *bytes, size_t n);

#endif
