/* octets - bytes of a protocol, written so that their structure can be seen.
 *
 * Owns:   nothing.
 * Holds:  a text is of hexadecimal digits in pairs, 'characters', 3*00 (a byte three times), and [2 ... ]: what is between, with its length
 *         in front, here of two bytes, big-endian. Spaces separate. A text that is none, or too long for its room, ends the program.
 * Called: from tests and replays alone. */
#ifndef UNIT_OCTETS_H
#define UNIT_OCTETS_H

#include <stddef.h>
#include <stdint.h>

size_t octets(const char *text, uint8_t *ret, size_t room);

#endif
