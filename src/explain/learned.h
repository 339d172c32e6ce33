/* learned - what an event needed, as the fewest and narrowest grants.
 *
 * Owns:   struct learned: grants to give, and decisions that a person has to make; all on the heap.
 * Holds:  of a grant that says which requests may pass, those are granted that were sent, and what was refused is a decision. Each access that a grant or the whole host allowed, and each denied one that a grant can allow, is covered by a
 *         grant here or stands among the decisions. No grant covers what sensitive.def lists, but `work: .`, which covers
 *         all of the workspace: then it stands among the notes. What a cell hides is always a decision. No grant is covered by
 *         another. The order of effects in the record changes nothing.
 * Called: by learn.c; pure but for the heap. */
#ifndef EXPLAIN_LEARNED_H
#define EXPLAIN_LEARNED_H

#include "base/err.h"
#include "explain/group.h"
#include "explain/learned_host.h"
#include "lib/result.h"

struct decision {
	enum grant_verb verb;
	char *object;       /* owned; a path, or an address with CONNECT */
	const char *reason; /* in a table */
	bool never;         /* no grant gives it */
	bool is_part;       /* the object says what is to be added to which grant, and is no line of a policy */
};

struct decisions {              /* sorted by object and verb, each once */
	struct decision *items; /* owned */
	size_t n, cap;
	bool failed;
};

struct learned {
	bool work; /* `work: .` */
	struct path_list read, write, run;
	struct path_list runtimes;  /* names for `run: [node]` */
	struct path_list env;       /* names */
	struct path_list connect;   /* endpoints */
	struct learned_hosts hosts; /* the same, of grants that have words behind their object */
	struct decisions decide;
	struct decisions notes; /* sensitive, not hidden, and covered by `work: .` */
	bool jit_unexplained;   /* jit was granted, and no runtime was seen that needs it */
};

/* -MEMORY. The caller finishes *ret in any case. */
int learned_from(const struct event_result *r, struct learned *ret, struct err *e);
void learned_finish(struct learned *l);

#endif
