/* num - numbers that came from somewhere else.
 *
 * Owns:   nothing.
 * Holds:  a result is written only on success; overflow, signs, blanks and trailing bytes are refused.
 * Called: from everywhere; pure. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits only, min <= value <= max. */
bool parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
bool parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret);

/* "512M", "2G", "1048576": digits and one of K M G T (powers of 1024), in bytes. */
bool parse_bytes(const char *s, uint64_t *ret_bytes);
/* "250ms", "30s", "5m", "2h", "7d": digits and a unit that must be there, in milliseconds. */
bool parse_duration(const char *s, uint64_t *ret_ms);

/* What a hexadecimal digit is worth, in letters of either size; -1: it is none. */
int hex_digit(char c);
/* Two digits for each, in small letters, and a NUL: ret has room for 2 * n + 1. */
void hex_write(const uint8_t *bytes, size_t n, char *ret);

bool size_add(size_t a, size_t b, size_t *ret);
bool size_mul(size_t a, size_t b, size_t *ret);

#endif
