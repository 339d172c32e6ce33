/* guard_url - a guarded server that is reached by HTTP: what its bridge may do.
 *
 * Owns:   the grants and the command of one ambit-bridge: requests to that one address, with that one secret, and nothing else.
 * Holds:  the address was checked (core/url.h), and what is granted is made of that. No token is here: ambit-secret gives it to who attaches it.
 * Called: guard.c. */
#ifndef CLI_GUARD_URL_H
#define CLI_GUARD_URL_H

#include <limits.h>

#include "cli/options.h"
#include "core/url.h"
#include "lib/policy_handle.h"
#include "lib/secret.h"

struct guard_url {
	struct url url;
	struct ambit_policy *policy; /* owned */
	char program[PATH_MAX], text[URL_TEXT_MAX];
	char *argv[3];
	const char *secret;       /* borrowed; NULL: none */
	struct secret_row *login; /* owned: of that, if it is a login; else NULL */
	uint64_t due_ms;          /* since 1970: then it is renewed; UINT64_MAX: never */
	pid_t pid;                /* who renews it; 0: nobody */
	int pidfd;                /* owned: of him; -1 */
};

/* Of the options of `ambit guard` that name one. -USAGE: it is none, or something is granted that it cannot have. */
int guard_url_open(struct guard_url *u, const struct run_options *o, struct ambit_error *e);
void guard_url_close(struct guard_url *u);
/* Of the options of an event what such a server needs in place of those of a command. */
void guard_url_fill(struct guard_url *u, struct ambit_event_options *o);
/* A login is renewed in time, by a process of its own, which waits for servers; then the event's requests have the new token. What it waits for: a descriptor, or -1, and so many milliseconds, or -1. */
int guard_url_fd(const struct guard_url *u);
int guard_url_patience(const struct guard_url *u);
struct ambit_event;
void guard_url_step(struct guard_url *u, struct ambit_event *ev);
/* What it is called without --name: the first word of its host that says something. False: none does. */
bool guard_url_name(const char *text, char *ret, size_t size);

#endif
