/* request - the one thing that is ever signed for an event: the request to be a user (RFC 4252, section 7).
 *
 * Owns:   its text, and what an agent is asked.
 * Holds:  of what a cell says there is nothing in it but the hash of a session, which a host of the grant has signed. Service and method are
 *         constants, the user is the grant's, the key and the algorithm are the agent's.
 * Called: role ambit-sign; of what an agent is asked, ambit-approver, which has texts of its own signed; pure. */
#ifndef SIGN_REQUEST_H
#define SIGN_REQUEST_H

#include "sign/link.h"
#include "sign/sshtext.h"

struct request {
	struct span session;
	const char *user;
	enum sign_method method;
	enum algorithm algorithm;
	struct span key, host_key; /* blobs; the host's is used by HOSTBOUND */
};

void request_put(struct buf *out, const struct request *q);
/* What asks an agent to sign it, with the length before it. */
void request_put_message(struct buf *out, const struct request *q);
/* Likewise of any data, by the key of this blob. */
void request_put_ask(struct buf *out, struct span key, struct span data, uint32_t flags);

#define AGENT_ASKS_LIST 11
#define AGENT_LIST 12
#define AGENT_ASKS_SIGN 13
#define AGENT_SIGNATURE 14
#define AGENT_ASKS_EXTENSION 27
#define AGENT_FAILURE 5
#define AGENT_SUCCESS 6

#define REQUEST_MESSAGE_MAX (4 * SIGN_BLOB_MAX)

#endif
