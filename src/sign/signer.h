/* signer - lets what is granted be signed, and nothing else.
 *
 * Owns:   the connection to the person's agent, its keys, and the keys by which the person knows each granted host.
 * Holds:  who asks (ambit-ssh) reads what programs send, and is not believed: it says which grant, host, key and session by fixed fields, and
 *         brings the host's signature of the session. That is checked here, and what is signed is made here (sign/request.h). The private keys are
 *         the agent's and come nowhere near. No signature is given for a grant that the supervisor has said is withdrawn.
 * Called: role ambit-sign, from its only thread. */
#ifndef SIGN_SIGNER_H
#define SIGN_SIGNER_H

#include "base/err.h"

/* Takes what is allowed, then serves until the supervisor is gone: 0. -PROTOCOL, -SYSTEM, -MEMORY. */
int signer_run(int supervisor, struct err *e);

#endif
