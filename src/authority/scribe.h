/* scribe - has the ledger write an entry, over a connection that a client gave.
 *
 * Owns:   how long is waited for the ledger.
 * Holds:  nobody holds up the keeper: neither a ledger that was stopped nor a socket that is none. No call blocks for longer than SCRIBE_MS, whatever whoever else
 *         has that socket does with it.
 * Called: serve.c. */
#ifndef AUTHORITY_SCRIBE_H
#define AUTHORITY_SCRIBE_H

#include "base/buf.h"
#include "base/err.h"

#define SCRIBE_MS 5000
#define SCRIBE_IDLE_MS                                                                                                 \
	1000 /* after this time the keeper lets a connection go: the ledger can end, or go on in another log */

/* Somebody is there, and has said nothing that he was not asked. */
bool scribe_is_there(int sock);
/* message: the body of LEDGER_APPEND that wants to be accepted. 0: it was. The ledger's own error; -GONE: it is not known whether it was. */
int scribe_write(int sock, const struct buf *message, struct err *e);

#endif
