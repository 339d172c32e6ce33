/* approve - asking the role ambit-approver: an approver's keys, and signatures of answers to requests for an approval.
 *
 * Owns:   where the keys of the person are: $XDG_STATE_HOME/ambit/approvers (lib/state.h).
 * Holds:  neither a private key nor a password ever comes here: the role reads passwords where the person types them, and asks the agent. A role is started
 *         for each question, and ends with it.
 * Called: lib, the command line. */
#ifndef LIB_APPROVE_H
#define LIB_APPROVE_H

#include "approve/link.h"

/* Each -NOT_FOUND, -DENIED, -MALFORMED, -LIMIT, ... with what the person can do. password_fd: what a password is read from, to its end, borrowed; -1: it
 * is typed at the terminal that this process is in the foreground of. */

/* A new key. agent: NULL for one that a password opens; else which key of the person's ssh agent, by its comment or fingerprint. */
int approve_enroll(const char *name, const char *agent, int password_fd, struct approve_key *ret, struct err *e);
/* Calls take for each, in the order of their names; a negative answer ends it and is given back. */
int approve_keys(int (*take)(void *arg, const struct approve_key *key), void *arg, struct err *e);
/* which: its name or its fingerprint. *ret: what it was; also of one whose file cannot be taken. */
int approve_forget(const char *which, struct approve_key *ret, struct err *e);

/* Signs the statement by the key of that name; asks for its password, or the agent, as the key has it. -DENIED: another password, or the agent does not. */
int approve_sign(const struct statement *s, const char *name, int password_fd, struct approve_signature *ret,
		 struct err *e);
/* Which of the n keys (at most APPROVE_KEYS_MAX; of those that were listed, without damaged ones) signed this. -DENIED: none of them; -MALFORMED: it
 * is no such signature. */
int approve_verify(const struct statement *s, const struct approve_signature *signature, const struct approve_key *keys,
		   uint32_t n, uint32_t *ret_which, struct err *e);

#endif
