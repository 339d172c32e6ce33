/* reader - the role that reads records, as `explain`, `trace` and `learn` use it.
 *
 * Owns:   nothing; it runs ambit-explain in a parser's cell.
 * Holds:  its text is shown only after what could move a terminal was taken out: the role has read foreign bytes.
 * Called: recorded, learning. */
#ifndef CLI_READER_H
#define CLI_READER_H

#include "base/buf.h"
#include "base/err.h"
#include "explain/ask.h"

#define READER_TEXT_MAX (16u << 20)

/* mode: as in explain/ask.h. -CONFLICT: a payload that has another digest than it was to have. */
int reader_run_raw(int record_fd, const char *mode, struct buf *ret,
		   struct err *e); /* which is harmless_write's to show */
int reader_run(int record_fd, const char *mode, struct buf *ret_text, struct err *e);

#endif
