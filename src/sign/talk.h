/* talk - with the person's agent (draft-miller-ssh-agent).
 *
 * Owns:   struct talk: the connection, which the library made.
 * Holds:  an agent is asked for its list and for signatures (sign/request.h), and for nothing else. It may be a forwarded one, so what it
 *         answers is read as anybody's: lengths are bounded, and a mistake ends it. It may ask the person first, so it is given all the time
 *         that it wants, but not longer than there is a supervisor.
 * Called: the roles ambit-sign and ambit-approver. */
#ifndef SIGN_TALK_H
#define SIGN_TALK_H

#include "base/err.h"
#include "sign/request.h"

#define TALK_ANSWER_MAX (256u << 10) /* as OpenSSH has it */
#define TALK_LIST_MS 5000            /* for the list, which no agent asks the person about */

struct talk {
	int agent;      /* owned */
	int supervisor; /* borrowed: who asked; of ambit-approver, the library */
	struct buf answer;
};

/* The keys of known kinds, at most SIGN_KEYS_MAX; comments are left out. -NOT_FOUND: it has none, or does not answer. */
int talk_list(struct talk *t, struct sign_key *ret, uint32_t *ret_n, struct err *e);
/* Each key, of whatever kind, with its comment; which lie in the answer. -NOT_FOUND: it does not answer. */
typedef void talk_take(void *arg, struct span blob, struct span comment);
int talk_each(struct talk *t, talk_take *take, void *arg, struct err *e);
/* 1: signed; 0: refused; -GONE: the agent or the supervisor is. */
int talk_sign(struct talk *t, const struct request *q, struct sign_done *ret);
/* The same of what request_put_ask wrote. */
int talk_sign_message(struct talk *t, const struct buf *message, struct sign_done *ret);

/* The body of a list. False: it is none. */
bool talk_take_list(struct span body, struct sign_key *ret, uint32_t *ret_n);

#endif
