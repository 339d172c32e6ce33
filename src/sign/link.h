/* link - what the supervisor, the role ambit-ssh and the role ambit-sign tell each other about keys.
 *
 * Owns:   the bodies of the messages SIGN_* (wire/messages.def); SIGN_WITHDRAW's is the index of a grant.
 * Holds:  what was decoded is checked: an index is below its maximum, a length fits, a name is one. Whoever sits in the place of ambit-ssh can
 *         ask for nothing but the signature of a request to be a granted user, and only with a proof (sign/prove.h).
 * Called: supervisor, ambit-ssh, ambit-sign; pure. */
#ifndef SIGN_LINK_H
#define SIGN_LINK_H

#include "base/buf.h"
#include "core/endpoint.h"
#include "sign/algorithm.h"

#define SIGN_GRANTS_MAX 16
#define SIGN_HOSTS_MAX 64       /* keys of all hosts together */
#define SIGN_KEYS_MAX 64        /* of the person's agent; those beyond are not shown */
#define SIGN_BLOB_MAX 2048      /* RSA of 8192 bits has 1,100 */
#define SIGN_SESSION_MAX 64     /* the longest hash of a key exchange */
#define SIGN_PROOF_MAX 1024     /* RSA of 8192 bits */
#define SIGN_SIGNATURE_MAX 2048 /* with the name of its algorithm */

/* Who may be authenticated, and where. */
struct sign_grant {
	uint32_t index;
	char user[ENDPOINT_USER_MAX];
	char host[ENDPOINT_TEXT_MAX]; /* as known_hosts has it: NAME, or [NAME]:PORT */
};
void sign_put_grant(struct buf *out, const struct sign_grant *g);
bool sign_take_grant(struct rbuf *in, struct sign_grant *ret);

/* A public key: of the host of a grant, or of the person. */
struct sign_key {
	uint32_t grant; /* 0, if it is the person's */
	uint32_t n;
	uint8_t blob[SIGN_BLOB_MAX];
};
void sign_put_key(struct buf *out, const struct sign_key *k);
bool sign_take_key(struct rbuf *in, struct sign_key *ret);

enum sign_method {
	SIGN_PUBLICKEY, /* RFC 4252, section 7 */
	SIGN_HOSTBOUND, /* with the host's key in it: publickey-hostbound-v00@openssh.com */
	SIGN_METHODS
};
const char *sign_method_name(enum sign_method m);

/* Of a fixed size. */
struct sign_ask {
	uint32_t client;           /* comes back with the answer */
	uint32_t grant, host, key; /* of each the index, in the order in which the signer told them */
	uint32_t algorithm;        /* enum algorithm, of the key */
	uint32_t method;
	uint32_t proof_algorithm; /* of the host's key */
	uint32_t session_n, proof_n;
	uint8_t session[SIGN_SESSION_MAX];
	uint8_t proof
		[SIGN_PROOF_MAX]; /* the host's signature of the session; a pair of numbers as two halves of one length */
};
#define SIGN_ASK_BYTES (9 * 4 + SIGN_SESSION_MAX + SIGN_PROOF_MAX)
void sign_put_ask(struct buf *out, const struct sign_ask *a);
bool sign_take_ask(struct rbuf *in, struct sign_ask *ret);
/* What the hash of a key exchange has: SHA-1 to SHA-512. */
bool sign_is_session(size_t n);

struct sign_done {
	uint32_t client;
	uint32_t n; /* 0: refused */
	uint8_t signature[SIGN_SIGNATURE_MAX];
};
void sign_put_done(struct buf *out, const struct sign_done *d);
bool sign_take_done(struct rbuf *in, struct sign_done *ret);

#endif
