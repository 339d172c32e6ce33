/* attach - what both versions of HTTP write in the same way: the secrets where they go, a target, what is left out, what is masked.
 *
 * Owns:   nothing.
 * Holds:  a secret is in what is written here and in a form (http/form.h), and nowhere else.
 * Called: http/one.c, two*.c; pure. */
#ifndef HTTP_ATTACH_H
#define HTTP_ATTACH_H

#include "http/graphql.h"
#include "http/judge.h"
#include "http/mask.h"

/* The value of the field that secret i goes into: terms_field_of. */
void attach_put_value(struct buf *out, const struct judge *j, uint32_t i);
/* Whether one goes into the target. */
bool attach_is_in_target(const struct judge *j);
/* Path and query, with the secrets that go there. */
void attach_put_target(struct buf *out, const struct judge *j, const struct http_request *q, const struct verdict *v);
/* Whether a field is one of those of one hop, or said by us in our own way. */
bool attach_is_ours(const struct http_text *name);
/* Whether a field asks for an answer in which a secret would not stand literally: nothing of it could be masked. */
bool attach_compresses(const struct http_text *name);
/* Whether a field says of the program's form what is no longer so. */
bool attach_describes_form(const struct verdict *v, const struct http_text *name);
/* What a whole text is without a secret. */
void attach_put_masked(struct buf *out, const struct mask_set *masks, const struct http_text *t);
/* Before a request is sent of which the answer is covered. False: there is no memory for that, and *v refuses. */
bool attach_begin_mask(struct mask *m, const struct mask_set *masks, struct verdict *v);
/* Whether a request whose body is gathered brings what can be judged, by its fields: one says its type, and none that it is encoded. A document is
 * JSON or GraphQL in UTF-8, as *ret says. Else *v refuses. */
bool attach_takes_body(const struct http_request *q, struct verdict *v, enum graphql_form *ret);
/* The most bytes of one. */
unsigned attach_body_max(bool is_form);

#endif
