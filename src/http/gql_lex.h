/* gql_lex - the tokens of a document of GraphQL.
 *
 * Owns:   the lexical grammar (GraphQL specification, October 2021, section 2.1 and appendix B). The text is the caller's.
 * Holds:  a token is one that each reader sees: a number does not end where a name begins, surrogates of an escape come in pairs, and no comment has a character
 *         that some readers take for the end of its line.
 * Called: by gql_document; pure. */
#ifndef HTTP_GQL_LEX_H
#define HTTP_GQL_LEX_H

#include <stdbool.h>
#include <stddef.h>

/* What is one character is that character. */
enum gql_kind { GQL_END, GQL_BAD, GQL_DOTS = 256, GQL_NAME, GQL_NUMBER, GQL_STRING };

struct gql_token {
	int kind; /* enum gql_kind, or a character */
	const char *text;
	size_t n;
};

struct gql_lexer {
	const char *text; /* well-formed UTF-8 */
	size_t n, at;
	const char *why; /* GQL_BAD: the end of a sentence */
};

/* After GQL_BAD there is nothing to read. */
void gql_next(struct gql_lexer *l, struct gql_token *ret);
bool gql_is(const struct gql_token *t, const char *name);

#endif
