/* login_browser - where the person's browser comes back to.
 *
 * Owns:   the socket at the loopback; the page that is shown.
 * Holds:  the first line of what a process of our own user's sends there, or the person types, is moved on, as bytes, to a step of ambit-login, if it has the state in it, 64 times; what comes back is compared with what
 *         was asked. Who sends anything else gets an error.
 * Called: login.c. */
#ifndef CLI_LOGIN_BROWSER_H
#define CLI_LOGIN_BROWSER_H

#include "login/link.h"

#define BROWSER_PATIENCE_MS 600000u

struct browser {
	int fd; /* owned; -1 */
	unsigned tries;
	char uri[64]; /* where it comes back to */
};

/* port: 0: any. -CONFLICT, -SYSTEM. */
int browser_open(struct browser *b, unsigned port, struct err *e);
void browser_close(struct browser *b);
/* Shows the address with the person's own program for it. Failing is not told: the address was printed. */
void browser_show(const char *url);
/* Waits for an answer with that state; or for a line of the person's with the address that their browser was sent to, where that is on another machine. typed: a terminal to read it from, borrowed; -1: none. -LIMIT: none came. */
int browser_wait(struct browser *b, const char *state, int typed, struct login_answer *ret, struct err *e);

#endif
