/* make - what describes a session or a run, out of parameters that passed method_check.
 *
 * Owns:   nothing.
 * Holds:  what comes out has what link.h's decoders ask for. Policies are read here: this process has no authority, and who takes them over checks again.
 * Called: the role ambit-rpc. Links libyaml. */
#ifndef RPC_MAKE_H
#define RPC_MAKE_H

#include "base/buf.h"
#include "rpc/parse.h"

/* Appends a struct description, or a struct run, as it travels. A negative code: *m says what is wrong, and where. */
int make_description(const json_t *params, struct buf *out, struct mistake *m);
int make_run(const json_t *params, struct buf *out, struct mistake *m);

#endif
