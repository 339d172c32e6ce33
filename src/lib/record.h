#ifndef LIB_RECORD_H
#define LIB_RECORD_H
#include "base/buf.h"
#include "base/err.h"
#include "lib/result.h"
int record_write(const struct event_result *r, struct buf *out, struct err *e);
#endif
