/* promise - what the role ambit-http gives up before it reads what programs and hosts send.
 *
 * Holds:  afterwards it passes bytes between sockets that it was given, and nothing else: FILTER_RELAY, and the bounds of promise.c.
 * Called: http/main.c, once. */
#ifndef HTTP_PROMISE_H
#define HTTP_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
