/* graphql - which fields a request of GraphQL asks for at the root, and whether all of them are allowed.
 *
 * Owns:   the grammar of executable documents (GraphQL specification, October 2021, section 2 and appendix B), and the JSON around them.
 * Holds:  every operation of a document counts, not only the one that operationName picks; so does each request of a batch, a field behind an alias, and what fragments spread at the root bring.
 *         A document that is not one to the letter, one that is larger, deeper or has more tokens than its bounds, one that defines a type, a name twice, a fragment that is missing or
 *         spreads itself, a key of the JSON that is twice or unknown: refused. Without a document there is nothing to judge: a persisted query is refused unless it
 *         is listed. `__typename`, `__schema` and `__type` are fields as any other.
 *         A hash beside a document has to be the SHA-256 of that document. Servers that read parameters of the target before the body of a POST exist: who judges
 *         a body refuses a target that has parameters of graphql_is_parameter.
 * Called: role ambit-http, on what programs in the cell send, once json_object_seed was called; allocates by malloc alone, some 40 times the bytes
 *         of a document and 16 MB for JSON at most. */
#ifndef HTTP_GRAPHQL_H
#define HTTP_GRAPHQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/terms.h"

#define GRAPHQL_BODY_MAX (1u << 20)
#define GRAPHQL_DEPTH_MAX 64     /* of the JSON; of documents: GQL_DEPTH_MAX */
#define GRAPHQL_VALUES_MAX 32768 /* of the JSON, its keys counted too: each may need some hundred bytes of memory */
#define GRAPHQL_BATCH_MAX 64
#define GRAPHQL_NOTED_MAX 8 /* fields of what was sent together */

enum graphql_form {
	GRAPHQL_JSON, /* application/json: {"query", "operationName", "variables", "extensions"}, or a batch of them */
	GRAPHQL_DOCUMENT,   /* application/graphql: the document itself */
	GRAPHQL_PARAMETERS, /* the query of a target, as it was sent: query=...&variables=...; percent-encoded */
};

struct graphql_verdict {
	bool allowed;
	uint8_t type;               /* enum terms_operation_type: of what is missing, */
	char field[TERMS_NAME_MAX]; /* or "": it is not that a field is missing */
	char why[200]; /* as the end of a sentence: "mutation volumeDelete is not granted", "the document ends within a selection (line 1, column 9)" */
	uint32_t
		n_fields; /* that were asked for at the root, and allowed, each once; GRAPHQL_NOTED_MAX + 1: more than are noted */
	struct terms_operation fields[GRAPHQL_NOTED_MAX];
	uint32_t n_operations; /* of all documents, and of them */
	bool has_mutation;
};

/* Parameters never carry a mutation, as servers refuse that, too: it is refused. */
void graphql_judge(const struct terms *t, enum graphql_form form, const char *bytes, size_t n,
		   struct graphql_verdict *ret);

/* Whether servers of GraphQL read a parameter of this name, decoded, as part of a request: some, in letters of either size. */
bool graphql_is_parameter(const char *name);

#endif
