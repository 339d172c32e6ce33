/* serve - the agent that programs of a cell see.
 *
 * Owns:   what listens in the cell, each connection to it, and the connection to the signer.
 * Holds:  a connection that waits, for the signer or for its own program, holds up no other. Who sits here sees public keys and what is signed, and
 *         can ask the signer for what a program of the cell can ask for.
 * Called: role ambit-ssh, from its only thread. */
#ifndef SSH_SERVE_H
#define SSH_SERVE_H

#include "base/err.h"

/* Serves until the supervisor or the signer is gone: 0. -PROTOCOL: one of them said what it may not. -SYSTEM, -MEMORY. Borrowed. */
int serve_run(int supervisor, struct err *e);

#endif
