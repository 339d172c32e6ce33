/* login_step - one request of a login with OAuth, in a cell that is granted that one.
 *
 * Owns:   the event of one ambit-login.
 * Holds:  what it was answered is read there and nowhere else; tokens go from it to ambit-secret through a pipe that nobody here reads.
 * Called: login.c, guard.c (renewals). Waits for the end of the event. */
#ifndef CLI_LOGIN_STEP_H
#define CLI_LOGIN_STEP_H

#include "lib/secret.h"
#include "login/link.h"
#include "secret/login.h"

/* secrets: of the grant, as its term `secret` has them; NULL: none. ret_tokens: TOKEN: a pipe with what it was given, which the caller owns; else NULL. -GONE, -PROTOCOL, -DENIED: there is no answer that is understood. */
int login_step(const struct login_ask *ask, const char *secrets, struct login_answer *ret, int *ret_tokens,
	       struct err *e);
/* Of an answer: why it is none. */
int login_step_failed(const struct login_ask *ask, const struct login_answer *a, struct err *e);

/* The person's secret of that name. 1: it is there; 0: it is not. */
int login_find(const char *name, struct secret_row *ret, struct err *e);
/* Who renews a login, or makes one of that name, holds this. -CONFLICT: another does, and did for a minute. */
int login_lock(const char *name, int *ret_fd, struct err *e);
/* Has a login renewed. -NOT_FOUND, -DENIED, and as login_step. */
int login_renew(const struct secret_row *row, struct err *e);
/* When that is due (ms since 1970); UINT64_MAX: it is no login, or nobody knows. */
uint64_t login_renew_due(const struct secret_row *row);

#endif
