/* brings - what the body of a request brings that it may not: tokens by their form, and of a form (application/x-www-form-urlencoded) parameters by their names.
 *
 * Owns:   struct brings: the end of what came, and the name at hand.
 * Holds:  whatever the pieces, the same is found.
 * Called: http/one.c, two*.c; pure. */
#ifndef HTTP_BRINGS_H
#define HTTP_BRINGS_H

#include "http/credential.h"
#include "http/judge.h"

struct brings {
	struct credential_scan tokens;
	bool is_form, in_value;
	uint8_t escape; /* characters of %XX that came, */
	uint8_t high;   /* and the first digit */
	uint8_t n;      /* of the name; TERMS_NAME_MAX: it is too long for all that are looked for */
	char name[TERMS_NAME_MAX];
};

/* is_written: a form is judged and written anew as a whole (form.h), and looked at here for tokens alone. */
void brings_begin(struct brings *b, const struct http_request *q, bool is_written);
/* NULL, or why the request is refused, as a sentence. The caller then asks no more. */
const char *brings_run(struct brings *b, const struct judge *j, const uint8_t *bytes, size_t n);

#endif
