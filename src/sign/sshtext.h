/* sshtext - how SSH writes what it signs and what its agents say (RFC 4251, section 5): big-endian numbers, and bytes behind their length.
 *
 * Owns:   nothing; a string that was taken lies in the bytes that it was taken from.
 * Holds:  as with every struct rbuf, what is not there fails the cursor and gives an empty string.
 * Called: the roles ambit-ssh and ambit-sign; pure. */
#ifndef SIGN_SSHTEXT_H
#define SIGN_SSHTEXT_H

#include "base/buf.h"
#include "base/span.h"

uint32_t ssh_u32(struct rbuf *in);
struct span ssh_string(struct rbuf *in);
void ssh_put_string(struct buf *out, struct span s);

/* A cursor over a span. */
struct rbuf ssh_within(struct span s);
/* A number that is not negative, of at most n bytes without its zeros, into ret with zeros before it. False: it is none. */
bool ssh_number(struct rbuf *in, uint8_t *ret, size_t n);

#endif
