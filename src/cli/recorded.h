/* recorded - the record of an event, wherever it is, read by the role that reads records.
 *
 * Owns:   the way from a word to a record: of the ledger, by the entry that names it and the digest that it has there; or a file.
 * Holds:  no byte of a record is looked at here (reader.h).
 * Called: cli_explain, cli_trace. */
#ifndef CLI_RECORDED_H
#define CLI_RECORDED_H

#include "base/buf.h"
#include "base/err.h"
#include "explain/ask.h"

/* word: an event (place_is_event) of that ledger, NULL: the person's own; else a file, - for standard input. how: the first word of explain/ask.h. */
int recorded_read(const char *word, const char *ledger, const char *how, struct buf *text, struct err *e);

#endif
