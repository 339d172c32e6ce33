/* answer - what an issuer's answer says of a credential.
 *
 * Owns:   the reading of each issuer's fields and body.
 * Holds:  what is not understood is unclear, and never valid. A redirect is not followed.
 * Called: ambit-ask, on what an issuer sent, who may be anybody; pure. */
#ifndef ASK_ANSWER_H
#define ASK_ANSWER_H

#include "ask/issuer.h"
#include "ask/link.h"
#include "http/head.h"

/* Of a body of n bytes, which may have been cut: then it is no JSON. Fills all of ret but its outcome. */
void answer_judge(enum issuer which, const struct http_head *head, const void *body, size_t n, struct ask_answer *ret);

#endif
