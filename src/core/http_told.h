/* http_told - a request as an effect tells of it, and the rule that it lacked.
 *
 * Holds:  no rule is made of a path that was cut off, or that had a credential in it, since that is not told.
 * Called: whoever reads effects: lib, explain; pure. */
#ifndef CORE_HTTP_TOLD_H
#define CORE_HTTP_TOLD_H

#include <stdint.h>

#include "core/endpoint.h"
#include "core/terms.h"

#define HTTP_TOLD_PATH_MAX 200 /* with its NUL; one that is as long was cut off */
#define HTTP_TOLD_FIELD '#' /* behind a path: which field of GraphQL's, as in `#mutation:createIssue`; no path has it */
#define HTTP_RULE_TEXT_MAX (TERMS_METHOD_MAX + 3 * HTTP_PATTERN_MAX)

struct http_told {
	char endpoint[ENDPOINT_TEXT_MAX];
	char method[TERMS_METHOD_MAX];
	char path[HTTP_TOLD_PATH_MAX];       /* or a pattern */
	char operation[TERMS_NAME_MAX + 16]; /* "mutation createIssue"; "": none was told */
	uint32_t status;
};

/* "inet HOST:PORT METHOD PATH STATUS". False: it is none. */
bool http_told_take(const char *object, struct http_told *ret);
/* Of one that was sent, by the pattern that it has: false if that is none. */
bool http_told_pattern(const struct http_told *t, char ret[HTTP_PATTERN_MAX]);
/* Of one that was refused: the rule that would have let it pass beside those of its grant, for requests of its kind, or for nothing else
 * (exact). False: that is not what it lacked, or the rule cannot be said. */
bool http_told_missing(const struct terms *granted, const struct http_told *t, bool exact,
		       char ret[HTTP_RULE_TEXT_MAX]);
/* As a person writes it: "GET /repos/acme". */
bool http_rule_put(const struct terms_rule *r, char ret[HTTP_RULE_TEXT_MAX]);

#endif
