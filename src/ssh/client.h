/* client - one connection to the agent in the cell, from its first byte to its last.
 *
 * Owns:   struct client: what came and is not whole yet, the session that it was bound to, what goes back.
 * Holds:  a connection is bound once, to a session with a host of a grant, and nothing is signed before; one that is to be forwarded is
 *         bound to nothing and ends. That the host has signed the session is the signer's to see. One message is answered before the next is read.
 * Called: role ambit-ssh; pure. */
#ifndef SSH_CLIENT_H
#define SSH_CLIENT_H

#include "ssh/agent.h"

#define CLIENT_MESSAGE_MAX (4 * SIGN_BLOB_MAX + 1024) /* to sign, with three keys in it */
#define CLIENT_ANSWER_MAX (SIGN_KEYS_MAX * (SIGN_BLOB_MAX + 8) + 16)

/* What the signer told. */
struct knowledge {
	uint32_t n_grants, n_hosts, n_keys;
	struct sign_grant grants[SIGN_GRANTS_MAX];
	struct sign_key hosts[SIGN_HOSTS_MAX], keys[SIGN_KEYS_MAX];
};

struct client {
	size_t n; /* bytes of the message that came */
	uint8_t room[CLIENT_MESSAGE_MAX];
	bool bound, ends;     /* when all was written */
	struct span host_key; /* in `held` */
	uint8_t held[SIGN_BLOB_MAX];
	struct sign_ask binding; /* session and proof of it */
	struct buf answer;       /* owned; what was not written yet */
};

enum client_next {
	CLIENT_READS,  /* on; there may be an answer to be written */
	CLIENT_ASKS,   /* *ret is to be signed; client_signed comes next */
	CLIENT_BROKEN, /* it said what no client says */
};

void client_init(struct client *c);
void client_finish(struct client *c);
/* How many bytes are wanted for what comes next: no more than to the end of a message. 0: a whole one is here. */
size_t client_wants(const struct client *c);
/* Acts on the message that is whole. ret->client is the caller's. */
enum client_next client_serve(struct client *c, const struct knowledge *known, struct sign_ask *ret);
/* n 0: refused. */
void client_signed(struct client *c, const uint8_t *signature, size_t n);

#endif
