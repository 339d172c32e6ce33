/* refusal - the answer to a request that is refused, for programs and for whoever reads what they print.
 *
 * Holds:  {"error": {code, message, hint}}, and the same message where clients of common services look for one: "message", and "errors" of GraphQL.
 *         For git, which shows nothing else: the message and the hint as lines; where it reads no answer but one of its own protocol, as an error in that. For gRPC: the same in the fields of its status.
 * Called: http/one.c, two.c; pure. */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

#include "http/judge.h"

#define REFUSAL_MAX 8192

/* Who shows the answer to a request that is refused, and so what it has to be. */
enum refusal_reader {
	REFUSAL_TO_PROGRAM,
	REFUSAL_TO_GIT,       /* which shows its person an answer that is text/plain, and no other, */
	REFUSAL_TO_GIT_FETCH, /* and of these two none that is not 200 and what it asked for */
	REFUSAL_TO_GIT_PUSH,
};
enum refusal_reader refusal_reader(const struct http_request *q);

/* Appends the body. */
void refusal_put_body(struct buf *out, const struct verdict *v, enum refusal_reader to);
/* Its type, and the status that it is sent with: whoever is told and whatever is kept has the verdict's. */
const char *refusal_type(enum refusal_reader to);
unsigned refusal_status(const struct verdict *v, enum refusal_reader to);
/* Of gRPC: the status, and what is said of it as its field has that. */
const char *refusal_grpc_status(const struct verdict *v);
void refusal_put_grpc_message(struct buf *out, const struct verdict *v);
/* Whether a field Content-Type is gRPC's own. */
bool refusal_is_grpc(const struct http_text *type);
const char *refusal_reason(unsigned status);
/* Appends a whole answer of HTTP/1.1. */
void refusal_put(struct buf *out, const struct verdict *v, enum refusal_reader to, bool is_head, bool closes);

#endif
