/* reader_usual - how an event compares with what is usual, out of its record.
 *
 * Called: explain/reader.c. */
#ifndef EXPLAIN_READER_USUAL_H
#define EXPLAIN_READER_USUAL_H

#include "explain/json_take.h"
#include "lib/result.h"

/* Records of before have none. */
void usual_take(struct take *t, const json_t *record, struct result_usual *ret);

#endif
