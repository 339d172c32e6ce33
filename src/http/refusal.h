/* refusal - the answer to a request that is refused, for programs and for whoever reads what they print.
 *
 * Holds:  {"error": {code, message, hint}}, and the same message where clients of common services look for one: "message", and "errors" of GraphQL.
 *         For git, which shows nothing else: the message and the hint as lines.
 * Called: http/one.c, two.c; pure. */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

#include "http/judge.h"

#define REFUSAL_MAX 8192

/* Appends the body. */
void refusal_put_body(struct buf *out, const struct verdict *v);
/* Its type. */
const char *refusal_type(const struct verdict *v);
const char *refusal_reason(unsigned status);
/* Appends a whole answer of HTTP/1.1. */
void refusal_put(struct buf *out, const struct verdict *v, bool is_head, bool closes);

#endif
