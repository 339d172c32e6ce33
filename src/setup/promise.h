/* promise - what the role ambit-setup gives up before it reads. */
#ifndef SETUP_PROMISE_H
#define SETUP_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
