/* gql_document - a document of GraphQL: its operations, and which fields each of them has at the root.
 *
 * Owns:   the grammar of executable documents (GraphQL specification, October 2021, sections 2.2 to 2.12). The text is the caller's, and stays.
 * Holds:  a document that was read is well-formed to its end; no name of an operation or fragment is there twice, an operation without a name is alone, and each
 *         fragment that is spread exists and does not spread itself. Work and memory grow as the text does: a fragment is visited once for each type of operation.
 * Called: by graphql; allocates by malloc. */
#ifndef HTTP_GQL_DOCUMENT_H
#define HTTP_GQL_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GQL_DEPTH_MAX 64 /* of selections, values and types */
#define GQL_WHY_MAX 200
#define GQL_FRAGMENT 3 /* beside enum terms_operation_type */

struct gql_mark {
	const char *name; /* in the text */
	uint32_t n;
	bool is_spread, is_root; /* a field is marked at the root only */
	uint32_t target;         /* of a spread: its fragment */
};

struct gql_definition {
	const char *name; /* in the text */
	uint32_t n;       /* 0: none */
	uint8_t type;     /* enum terms_operation_type, or GQL_FRAGMENT */
	uint8_t seen;     /* by which types, as bits */
	uint32_t first_mark, end_mark;
	uint32_t n_spread; /* how often others spread it */
};

struct gql_document {
	const char *text;
	size_t n;
	struct gql_definition *definitions; /* owned */
	struct gql_mark *marks;             /* owned */
	size_t n_definitions, n_marks, room_definitions, room_marks;
	uint32_t n_operations;
	char why[GQL_WHY_MAX]; /* it was not read: as the end of a sentence */
};

/* False: ret->why. Either way gql_document_finish. */
bool gql_document_read(struct gql_document *ret, const char *text, size_t n);
void gql_document_finish(struct gql_document *d);

/* Calls for each root field that operations of a type have; a field may come more than once. Ends early, and is false, when it gives false, or memory is gone. */
typedef bool gql_root(void *arg, uint8_t type, const char *field, size_t n);
bool gql_document_roots(struct gql_document *d, gql_root *root, void *arg);

#endif
