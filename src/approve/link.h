/* link - what the library and the role ambit-approver tell each other, and what an approver's key is called.
 *
 * Owns:   the bodies of the messages APPROVE_* (wire/messages.def); APPROVE_FORGET's is a name or a fingerprint.
 * Holds:  what was decoded is checked: a name is one, a number is below its maximum. No body ever has a private key or a password.
 * Called: lib, ambit-approver; pure. */
#ifndef APPROVE_LINK_H
#define APPROVE_LINK_H

#include "approve/statement.h"

#define APPROVE_NAME_MAX 64 /* with its NUL */
#define APPROVE_AGENT_MAX 256
#define APPROVE_WHY_MAX 256
#define APPROVE_KEYS_MAX 32
#define APPROVE_KEY_BYTES 32
#define APPROVE_SIGNATURE_MAX 256
#define APPROVE_FINGERPRINT_MAX 52 /* with its NUL */

/* Letters, digits, and . _ - within, 63 at most: also the name of a file. -MALFORMED. */
bool approve_name_is_good(const char *name);
int approve_name_check(const char *name, struct err *e);

enum approve_kind {
	APPROVE_BY_PASSWORD = 1, /* the private key lies in the file, sealed */
	APPROVE_BY_AGENT,        /* the person's ssh agent has it */
};

/* What there is to ask, in the order of the descriptors: bits. */
enum approve_source {
	APPROVE_TERMINAL = 1, /* the person's, where a password is typed */
	APPROVE_PIPE = 2,     /* a password is read to its end */
	APPROVE_AGENT = 4,    /* a connection to the person's agent */
};
#define APPROVE_SOURCES_MAX 2
/* How many descriptors that is; 0: of no such set. */
size_t approve_sources_count(uint8_t sources);

struct approve_enroll {
	uint8_t sources; /* one of them */
	char name[APPROVE_NAME_MAX];
	char agent[APPROVE_AGENT_MAX]; /* which key of the agent: its comment or fingerprint; else empty */
};
void approve_put_enroll(struct buf *out, const struct approve_enroll *q);
bool approve_take_enroll(struct rbuf *in, struct approve_enroll *ret);

struct approve_ask {
	uint8_t sources; /* a password and the agent may both be there */
	char name[APPROVE_NAME_MAX];
	struct statement statement;
};
void approve_put_ask(struct buf *out, const struct approve_ask *q);
bool approve_take_ask(struct rbuf *in, struct approve_ask *ret);

struct approve_signature {
	uint32_t n;
	uint8_t bytes
		[APPROVE_SIGNATURE_MAX]; /* the binary form (sshsig.h), which is whoever's: nothing of it was looked at */
};

struct approve_check {
	uint32_t n_keys;
	uint8_t keys[APPROVE_KEYS_MAX][APPROVE_KEY_BYTES];
	struct statement statement;
	struct approve_signature signature;
};
void approve_put_check(struct buf *out, const struct approve_check *q);
bool approve_take_check(struct rbuf *in, struct approve_check *ret);

/* What is told of a key. */
struct approve_key {
	uint8_t kind; /* enum approve_kind; 0: the file cannot be taken, and why */
	uint64_t made_ms;
	char name[APPROVE_NAME_MAX];
	char fingerprint[APPROVE_FINGERPRINT_MAX]; /* as ssh-keygen says it */
	uint8_t key[APPROVE_KEY_BYTES];
	char why[APPROVE_WHY_MAX];
};
void approve_put_key(struct buf *out, const struct approve_key *k);
bool approve_take_key(struct rbuf *in, struct approve_key *ret);

#endif
