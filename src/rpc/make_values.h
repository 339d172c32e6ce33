/* make_values - lists and words out of parameters, as descriptions have them.
 *
 * Called: make.c, make_policy.c. */
#ifndef RPC_MAKE_VALUES_H
#define RPC_MAKE_VALUES_H

#include "policy/policy.h"
#include "rpc/parse.h"

/* ---- make_values.c ---- */

/* What is the same comes out the same, in whatever order an object had it: a key is compared by bytes. */
/* Lists end with NULL and are the caller's to free, each text and then the list; NULL: no memory. A missing one is empty. */
char **make_list(const json_t *names);
/* What code is: its language, and its source. */
char **make_code(const char *language, const json_t *source);
char **make_environment(const json_t *map);
void make_list_free(char **list);
/* A copy of the text of a parameter; false: it does not fit. Missing: "". */
bool make_text(const json_t *params, const char *key, char *room, size_t size);
/* "wall=30s,memory=2G", checked; "" if there are none. */
int make_limits(const json_t *map, char *room, size_t size, struct mistake *m);
uint32_t make_changes(const json_t *params);

/* ---- make_policy.c ---- */

/* What policy, presets, grants, limits and agent say together. */
int make_policy(const json_t *params, struct policy *ret, struct policy_text texts[POLICY_SOURCES_MAX],
		struct mistake *m);

#endif
