/* agent - the person's ssh agent, which has an approver's key.
 *
 * Owns:   which key is meant, by its fingerprint or its comment; and having it sign in SSH's form (sshsig.h).
 * Holds:  what the agent answers is read as anybody's (sign/talk.h): a signature counts when it was checked here against the key that was asked for.
 * Called: serve.c, after it was confined. */
#ifndef APPROVE_AGENT_H
#define APPROVE_AGENT_H

#include "approve/sshsig.h"
#include "sign/talk.h"

struct agent {
	struct talk talk;
};

/* fd: the connection; sock: who asked, with whom it ends. Both borrowed. */
void agent_init(struct agent *a, int fd, int sock);
void agent_finish(struct agent *a);

/* The one key of Ed25519 that is called so. -NOT_FOUND, also of one of another kind; -CONFLICT: more than one. */
int agent_find(struct agent *a, const char *which, uint8_t ret_key[SSHSIG_KEY_BYTES], struct err *e);
/* -DENIED: it does not sign, or not this; -GONE. */
int agent_sign(struct agent *a, const uint8_t key[SSHSIG_KEY_BYTES], const char *name_space, struct span message,
	       struct sshsig *ret, struct err *e);

#endif
