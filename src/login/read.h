/* read - what servers and browsers say of a login, honestly and not.
 *
 * Holds:  each fills in what it understands, and nothing else is told on. Of JSON the strictest reading there is (rpc/parse.h).
 * Called: ambit-login, tests, fuzz; pure but for memory. */
#ifndef LOGIN_READ_H
#define LOGIN_READ_H

#include "http/head.h"
#include "login/link.h"
#include "secret/login.h"

/* A field WWW-Authenticate: where the metadata are, and which scope is wanted. */
void read_challenge(struct login_answer *a, const struct http_text *value);
/* The n bytes of a body, for the step. TOKEN: into *ret_tokens. Sets outcome. */
void read_body(struct login_answer *a, enum login_step step, const char *text, size_t n,
	       struct login_tokens *ret_tokens);
/* The first line of a request, without its end: what came back, if it was for `path`. Sets outcome. */
void read_callback(struct login_answer *a, const char *line, const char *path);

#endif
