/* terms - what a grant `connect` says of HTTP: which requests, with which secret, and whose credentials.
 *
 * Owns:   struct terms: pure data, with its text. Zeroed memory has none, and asks for no look at what passes.
 * Holds:  where there are terms, a request that none of them means is refused. A list that is empty was not given. Texts of the same terms are
 *         the same: each list is sorted, and has nothing twice. Texts are printable ASCII.
 * Called: from any process; pure, allocates nothing. */
#ifndef CORE_TERMS_H
#define CORE_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/http_path.h"

#define TERMS_TEXT_MAX 4096 /* of terms_format, with its NUL */
#define TERMS_RULES_MAX 32
#define TERMS_OPERATIONS_MAX 128 /* of GraphQL */
#define TERMS_LISTED_MAX 32      /* persisted queries */
#define TERMS_SECRETS_MAX 2      /* who asks, and for what: each is in locked memory, of which little is to be had */
#define TERMS_METHOD_MAX 24
#define TERMS_NAME_MAX 64 /* of a field, a header, a secret, a user; with its NUL */

/* In the order of the normal form, beside those of core/qualifiers.h. */
#define TERMS(X)                                                                                                       \
	X(HTTP, "http")                                                                                                \
	X(GRAPHQL, "graphql")                                                                                          \
	X(SECRET, "secret")                                                                                            \
	X(CREDENTIALS, "credentials")

enum term {
#define TERM_ENUM(name, word) TERM_##name,
	TERMS(TERM_ENUM)
#undef TERM_ENUM
		TERM_COUNT
};

/* A method and a pattern, as in `GET /repos`. GET means HEAD, too; `*` any method but CONNECT and TRACE, which no rule has; GRAPHQL an operation that `graphql` allows, by
 * POST, GET or HEAD, and then nothing else means the path. */
struct terms_rule {
	char method[TERMS_METHOD_MAX];
	char pattern[HTTP_PATTERN_MAX]; /* in its normal form */
};

enum terms_operation_type { TERMS_QUERY, TERMS_MUTATION, TERMS_SUBSCRIPTION };

struct terms_operation {
	uint8_t type;               /* enum terms_operation_type */
	char field[TERMS_NAME_MAX]; /* at the root; "*": any */
};

/* `NAME`, `NAME as bearer`, `NAME as basic:USER`, `NAME as header:HEADER`, `NAME as header:HEADER:WORD`, `NAME as query:PARAMETER`, `NAME as form:PARAMETER`. */
enum terms_place {
	TERMS_NO_SECRET,
	TERMS_HEADER, /* where: its name in small letters, before it a word and a blank, if there is one: bearer is authorization and Bearer */
	TERMS_BASIC,  /* authorization: Basic, of where:SECRET */
	TERMS_PARAMETER, /* of the query */
	TERMS_FORM, /* a parameter of the body, which is a form in each request that is not GET, HEAD or OPTIONS without one */
};

struct terms_secret {
	uint8_t place;             /* enum terms_place */
	char name[TERMS_NAME_MAX]; /* of the store: letters, digits, and . _ - within */
	char where[TERMS_NAME_MAX];
	char word[TERMS_NAME_MAX]; /* "": none */
};

enum terms_credentials {
	TERMS_REFUSE,  /* a request that brings its own is refused; the default */
	TERMS_REPLACE, /* they are left out, and the secret put in */
	TERMS_PASS,    /* they pass, but for those in the secret's place */
};

struct terms {
	uint8_t credentials; /* enum terms_credentials */
	uint32_t n_rules, n_operations, n_listed, n_secrets;
	struct terms_rule rules[TERMS_RULES_MAX];
	struct terms_operation operations[TERMS_OPERATIONS_MAX];
	char listed[TERMS_LISTED_MAX][65];              /* SHA-256 of persisted queries, in small hexadecimal digits */
	struct terms_secret secrets[TERMS_SECRETS_MAX]; /* no two in one place */
};

const char *term_word(enum term which);
bool term_is(const char *word, enum term *ret);
bool terms_has(const struct terms *t, enum term which);
bool terms_are_none(const struct terms *t);

/* A value as a person writes it on the command line: "GET /repos, POST /x" (a comma within a path is %2C); "mutation createIssue, query *,
 * persisted HEX"; "github as header:x-api-key, other as query:key"; "replace". It takes the place of what was there. -MALFORMED, -LIMIT; then *t is as it was. */
int terms_set(struct terms *t, enum term which, const char *value, struct err *e);
/* The value as terms_set reads it; "" if it is absent. */
void term_format(const struct terms *t, enum term which, char ret[TERMS_TEXT_MAX]);
/* The one way of writing them: http='GET /a, POST /b' secret='github as bearer'; "" if there are none. */
void terms_format(const struct terms *t, char ret[TERMS_TEXT_MAX]);
/* What terms_format gave, and nothing else; also what terms_check refuses is refused. -MALFORMED; then *ret is as it was. */
int terms_take(const char *text, struct terms *ret, struct err *e);
/* Whether inner allows no more than outer: no other request, and of its secrets some or none. */
bool terms_are_within(const struct terms *inner, const struct terms *outer);

/* Whether together they make sense. -MALFORMED: credentials alone or replaced by nothing, a rule GRAPHQL without operations, operations with a secret in a form. */
int terms_check(const struct terms *t, struct err *e);

/* Whether a secret goes into a form, and so each body has to be one. */
bool terms_want_form(const struct terms *t);
/* Whether two names are one to some server: letters of either size, and `-`, `_`, `.` and a blank for each other. */
bool terms_name_is_same(const char *a, const char *b);
/* The field of a request that a secret goes into, in small letters; NULL: it goes into none. */
const char *terms_field_of(const struct terms_secret *s);

/* The first rule that means a request, or -1; by method and path in its normal form. A path that one of GRAPHQL means is meant by no other, and what
 * servers take for it (http_pattern_is_like) by no star that stands before its end. */
int terms_rule_of(const struct terms *t, const char *method, const char *path);
bool terms_rule_is_graphql(const struct terms_rule *r);
/* Whether a rule does. */
bool terms_say_graphql(const struct terms *t);
/* "query", "mutation", "subscription": of enum terms_operation_type. */
const char *terms_operation_word(unsigned type);
/* Whether each request has to be one of GraphQL: there are operations or listed queries, and no rule says GRAPHQL. */
bool terms_are_graphql(const struct terms *t);

#endif
