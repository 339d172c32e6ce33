/* guard_use - what a client may do with a guarded server, as the person's authority has it.
 *
 * Owns:   struct guard_use: the badge of this guard, which lies below the agent's in its workspace, so that labels are theirs together and numbers are this guard's; and the grants `tool` of the policy there.
 * Holds:  each use is asked of the keeper (doc/AUTHORITY.md), which charges it and has it in the ledger with its arguments, before it is answered. Where none of the grants covers it nothing is asked, and the
 *         answer says which line would.
 * Called: guard.c. Waits for the keeper. */
#ifndef CLI_GUARD_USE_H
#define CLI_GUARD_USE_H

#include "core/flow.h"
#include "guard/link.h"
#include "lib/standing.h"
#include "policy/policy.h"

#define GUARD_COUNTED_MAX 512 /* twice as many as a gate has at a time */

struct guard_use {
	struct keeper *k; /* owned */
	struct standing above, who;
	const char *server, *agent, *workspace; /* borrowed */
	uint64_t keep_ms;                       /* how long a question waits */
	uint64_t labels;                        /* there were, when it was asked last */
	bool untrusted;        /* before the last use that was allowed something was read that is labelled so */
	struct guard_counted { /* of which the answer is to be counted */
		uint32_t number;
		struct guard_grant *by; /* NULL: a free place */
	} counted[GUARD_COUNTED_MAX];
	bool many; /* servers behind one gate: what one of them lacks another may have */
	uint32_t n;
	struct guard_grant {
		authority_ref ref, asking; /* asking: derived from it, and each use asks; 0: none was wanted yet */
		struct standing_grant as;  /* how it was made */
		uint64_t until_ms;         /* since 1970; 0: for ever */
		bool asks;                 /* each use */
		bool may_ask;              /* or where labels would close it */
		bool counts;               /* bytes */
		bool spent;                /* an answer had more of them than were left */
		bool lacks;                /* nothing has an argument that a condition is on */
		bool is_here;              /* of this server */
		char object[256];
		char terms[TERMS_TEXT_MAX];
		char conditions[TERMS_TEXT_MAX + FLOW_TEXT_MAX +
				512]; /* the same and all else that stands behind it, for who is asked */
		struct where where;
	} grants[GUARD_GRANTS_MAX];
};

/* place: a number that no other guard of the server has now: what was left there by one that was killed goes. event: of the server's. -LIMIT: too many grants; -DENIED: one was revoked. */
int guard_use_open(struct guard_use *u, const struct policy *p, const char *server, const char *agent,
		   const char *workspace, unsigned place, const char *event, struct err *e);
/* How many grants are of servers that are none of this name: they mean nothing here. *ret_object: the first. */
uint32_t guard_use_others(const struct guard_use *u, const char **ret_object);
/* What is granted of this server, as GUARD_BEGIN has it: how many. */
uint32_t guard_use_names(struct guard_use *u, struct buf *out);
/* A condition narrows nothing: its grant is used no more. *ret_by, ret_path: which, as it is shown. False: there is none. */
bool guard_use_lacks(struct guard_use *u, const struct guard_lacks *l, const struct guard_grant **ret_by,
		     char ret_path[TERMS_TEXT_MAX]);
/* Whether one of them is of tools that are not risky. */
bool guard_use_minds_risk(const struct guard_use *u);
/* Its grants, and what was used of them, go. */
void guard_use_close(struct guard_use *u);
/* Fills in *ret, but for its number. unusual: why a person is to be asked, whatever the grant says, as text that is shown; "": not for that. *ret_by, borrowed: the grant that decided; NULL: none covers it. -GONE and others: nobody can be asked. */
int guard_use_ask(struct guard_use *u, const struct guard_ask *ask, const char *unusual, struct guard_word *ret,
		  const struct guard_grant **ret_by, struct err *e);
/* It is not asked for: *ret says why. */
void guard_use_refuse(const struct err *why, struct guard_word *ret);

/* What was allowed is over: the bytes of its answer count. One that had more than were left is the last by its grant. */
void guard_use_over(struct guard_use *u, const struct guard_over *over);

#endif
