/* pem - certificates as text (RFC 7468), among which there may be other text.
 *
 * Owns:   nothing.
 * Holds:  a certificate is what stands between its two lines in base64, in lines of whole groups, and is one value of DER from its first byte to
 *         its last; more of it is not looked at. What is none to the letter is not one.
 * Called: supervisor (writes an event's authorities), cell (reads them again, and the host's); pure. */
#ifndef CELL_PEM_H
#define CELL_PEM_H

#include "base/buf.h"
#include "base/span.h"

#define PEM_CERTIFICATE_MAX (16u << 10) /* bytes of one among others' text; those that hosts trust have 2 KiB at most */

/* Appends it in lines as others write them. */
void pem_put(struct buf *out, const void *der, size_t n);
/* Takes text up to the end of its next certificate, past what is none. *ret_text: its lines. *der, which is emptied before: its bytes; at least
 * PEM_CERTIFICATE_MAX. False: there is no more. */
bool pem_next(struct span *text, struct span *ret_text, struct buf *der);

#define AUTHORITIES_MAX 16       /* of one event */
#define AUTHORITY_BYTES_MAX 1024 /* of each */
#define AUTHORITIES_TEXT_MAX (AUTHORITIES_MAX * 1536u)
/* Whether text is 1 to AUTHORITIES_MAX certificates as pem_put writes them, and nothing else. */
bool pem_is_of_event(const char *text);

#endif
