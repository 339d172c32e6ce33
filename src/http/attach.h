/* attach - what both versions of HTTP write in the same way: the secret where it goes, a target, what is left out, what is masked.
 *
 * Owns:   nothing.
 * Holds:  the secret is in what is written here, and nowhere else.
 * Called: http/one.c, two*.c; pure. */
#ifndef HTTP_ATTACH_H
#define HTTP_ATTACH_H

#include "http/graphql.h"
#include "http/judge.h"
#include "http/mask.h"

/* The field that the secret goes into, in small letters; NULL: it goes into none. */
const char *attach_field(const struct judge *j);
void attach_put_value(struct buf *out, const struct judge *j);
/* Path and query, with the secret if it goes there. */
void attach_put_target(struct buf *out, const struct judge *j, const struct http_request *q, const struct verdict *v);
/* Whether a field is one of those of one hop, or said by us in our own way. */
bool attach_is_ours(const struct http_text *name);
/* Whether a field asks for an answer in which a secret would not stand literally: nothing of it could be masked. */
bool attach_compresses(const struct http_text *name);
/* What a whole text is without a secret. */
void attach_put_masked(struct buf *out, const struct mask_set *masks, const struct http_text *t);
/* Whether a request brings a document that can be judged: one field says its type, JSON or GraphQL in UTF-8, and none that it is encoded. Else
 * *ret_why refuses. */
bool attach_takes_document(const struct http_field *fields, uint32_t n, enum graphql_form *ret,
			   struct verdict *ret_why);

#endif
