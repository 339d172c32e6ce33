/* promise - what the role ambit-ebpf keeps of its authority.
 *
 * Owns:   its two capabilities, and its list of system calls.
 * Holds:  before anything is loaded it has CAP_BPF and CAP_PERFMON and no other, now and for whatever it executes (which is nothing). When all is loaded no file can be opened, no program loaded, and nothing pinned: what is left makes
 *         rings, says which cells are watched, and attaches what was loaded.
 * Called: once each, in this order. */
#ifndef EBPF_PROMISE_H
#define EBPF_PROMISE_H

#include "base/err.h"

int promise_narrow(struct err *e); /* -HOST: it has not got them */
int promise_keep(struct err *e);   /* -SYSTEM */

#endif
