/* ebpf - reaching the role that has the kernel watch cells, which is started when nobody is there.
 *
 * Owns:   where its socket lies, and the connections to it.
 * Holds:  as lib/service.h, but that it is in no cell: it has what it needs of the caller's authority, or of its executable's, and gives up the rest. Whoever may not observe so is told what is missing.
 * Called: lib/event.c, `ambit doctor`. */
#ifndef LIB_EBPF_H
#define LIB_EBPF_H

#include "base/err.h"

/* A connection for one cell; the caller owns it. -HOST: this host, this build or this user cannot, and why. */
int ebpf_connect(int *ret_fd, struct err *e);

#endif
