/* agent - what clients of an ssh agent say (draft-miller-ssh-agent; OpenSSH's PROTOCOL.agent for session-bind).
 *
 * Owns:   struct agent_message: what one message asks, in the bytes that it came in.
 * Holds:  a message is taken only if all of it is what it says to be, to its last byte. To sign is taken only if what is to be signed is a request
 *         to be a user, by the key that it names; everything else is OTHER, whatever it is.
 * Called: role ambit-ssh; pure. */
#ifndef SSH_AGENT_H
#define SSH_AGENT_H

#include "sign/link.h"

enum agent_kind { AGENT_OTHER, AGENT_LISTS, AGENT_SIGNS, AGENT_BINDS };

struct agent_message {
	enum agent_kind kind;
	/* SIGNS */
	struct span key, user;
	enum sign_method method;
	enum algorithm algorithm;
	/* SIGNS and BINDS */
	struct span session;
	struct span host_key; /* of SIGNS: with HOSTBOUND */
	/* BINDS */
	bool forwards;
	enum algorithm proof_algorithm;
	uint32_t proof_n;
	uint8_t proof[SIGN_PROOF_MAX];
};

/* A message without its length. */
void agent_take(struct span body, struct agent_message *ret);

#endif
