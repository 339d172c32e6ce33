/* learned_host - what was used of grants `connect` that have words behind their object.
 *
 * Owns:   struct learned_hosts, on the heap: for each host what its grant says, and which requests were sent.
 * Holds:  what is learned is within what was granted: the rules and the fields of GraphQL that were used, or, where not all of that was told or there is
 *         no room, those that were granted, which is then said. A request whose method no rule can name is not granted. All other words stay as they were; a secret is a name. The order in
 *         which it is told changes nothing.
 * Called: by learned.c; pure but for the heap. */
#ifndef EXPLAIN_LEARNED_HOST_H
#define EXPLAIN_LEARNED_HOST_H

#include "core/grant.h"
#include "core/http_told.h"
#include "explain/group.h"

struct learned_host {
	char *object; /* owned: an endpoint */
	struct qualifiers qualifiers;
	struct flow flow;
	struct terms terms;                 /* that were granted, and once it is settled those that were used */
	struct path_list rules, operations; /* that were used: "GET /repos/x", "query me" */
	bool all_rules, all_operations;     /* not all of them are told */
	bool unnamed;                       /* a method was used that no rule can name */
	bool as_granted;                    /* settled: more stands in terms than what is known to have been used */
};

struct learned_hosts {
	struct learned_host **at; /* owned, sorted by object */
	size_t n;
	bool failed; /* memory is gone */
};

/* The one of this object, by what its grant says; NULL: no memory. */
struct learned_host *learned_hosts_of(struct learned_hosts *l, const struct grant_set *set, uint32_t grant,
				      const char *object);
/* A request that was sent. */
void learned_host_use(struct learned_host *h, const struct http_told *t);
/* Whether it is a host of whose requests none is known. */
bool learned_host_is_unused(const struct learned_host *h);
/* When all was told. */
void learned_hosts_settle(struct learned_hosts *l);
void learned_hosts_finish(struct learned_hosts *l);

#endif
