/* denial - what was missing when something was denied, and what would allow it.
 *
 * Owns:   the table of reasons for a denial.
 * Holds:  a grant is suggested only if it exists in this build, would be accepted, and would allow the effect; the whole
 *         tree (`/`) and what a cell has of its own (/proc, /dev, /sys) are never suggested.
 * Called: lib (the record, the summary), explain; pure. */
#ifndef CORE_DENIAL_H
#define CORE_DENIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/effect.h"
#include "core/grant.h"
#include "core/http_told.h"

/* DENIAL(name, word in the record, why, what to do where no grant would allow it) */
/* clang-format off */
#define DENIALS(X)                                                                                              \
	X(UNGRANTED, "ungranted", "no grant covers it",                                                         \
	  "no grant that fits can be written for it")                                                           \
	X(READ_ONLY, "read-only", "it may be read, but no grant lets it be changed",                            \
	  "no grant that fits can be written for it")                                                           \
	X(NOT_RUN,   "not-run",   "it may be read, but no grant lets it be executed",                           \
	  "no grant that fits can be written for it")                                                           \
	X(WRITTEN,   "written",   "what was written in a place of the cell's own is never executed",            \
	  "write it beneath a work grant")                                                                      \
	X(PROTECTED, "protected", "other programs run or obey what stands there",                               \
	  "grant it by its own name, if it is to be changed")                                                   \
	X(HELD,      "held",      "other programs run or obey it, so it stays as it is",                        \
	  "grant it by its own name, if it is to be changed")                                                   \
	X(HIDDEN,    "hidden",    "it is likely a secret: a grant of all around it does not show it",            \
	  "grant it by its own name, if the program may have it")                                               \
	X(STORE,     "store",     "changes of events wait there, and no cell sees them",                        \
	  "`ambit diff` and `ambit stage list` show them outside; no grant does")                               \
	X(BEYOND,    "beyond",    "you may not do it yourself, and a grant gives no more than you have",        \
	  "do that part as who may, outside")                                                                   \
	X(NETWORK,   "network",   "a cell reaches nothing but what is granted",                                 \
	  "no grant that fits can be written for it")                                                           \
	X(LOOKUP,    "lookup",    "a name was looked up, and a cell knows none but those that are granted",     \
	  "grant the host that the program wants, by its name: --connect HOST:PORT")                            \
	X(WITHDRAWN, "withdrawn", "its grant was withdrawn while it ran",                                       \
	  "run it again: the grant is withdrawn from that event alone")                                         \
	X(SOCKET,    "socket",    "it is a socket of the host, whose listener would act with its own authority", \
	  "a grant names it by an absolute path of 107 bytes at most: do that part outside")                    \
	X(OTHER_NAME, "other-name", "a TLS client asked there for another host than the granted one",           \
	  "grant that host by its own name, and connect to it")                                                 \
	X(BAD_HELLO, "bad-hello", "a TLS client said first what not all servers would read alike",              \
	  "no grant lets it pass: use another client there")                                                    \
	X(HIDDEN_NAME, "hidden-name", "a TLS client hid there for which host it asked (encrypted client hello)", \
	  "turn that off in the client, or give up the check for this host: --connect 'HOST:PORT ech=true'")   \
	X(REQUEST,   "request",   "no rule of the grant means this request, or it brought a credential of its own, or would have carried a secret without TLS", \
	  "the answer that the program got says which, and the grant that would allow it")                     \
	X(SPENT,     "spent",     "the requests that its grant allows were spent",                                     \
	  "give it more uses, or a higher rate")                                                                \
	X(UNSOUND,   "unsound",   "servers could read this request in two ways, or it is larger than what is judged", \
	  "the answer that the program got says what it has to leave out")                                      \
	X(HOST,      "host",      "the host did not prove to be the one that is granted, or was gone before it was asked", \
	  "the answer that the program got says why; SSL_CERT_FILE can name a file of other authorities")         \
	X(OWN,       "own",       "a cell has its own /proc, /dev and /sys, and never those of the host",       \
	  "most programs go on without; no grant gives it")                                                     \
	X(TOP,       "top",       "its directory is /, which is never granted whole",                           \
	  "keep it in a directory of its own, which can be granted")                                           \
	X(UNCLEAR,   "unclear",   "what was asked for could not be read",                                       \
	  "run it again: another thread may have changed it meanwhile")

enum denial_reason {
#define DENIAL_ENUM(name, word, why, otherwise) DENIAL_##name,
	DENIALS(DENIAL_ENUM)
#undef DENIAL_ENUM
	DENIAL_COUNT
};
/* clang-format on */

struct denial {
	enum denial_reason reason;
	bool grantable;       /* the request below would have been allowed by a grant that can be given */
	bool writes_too;      /* beside what is granted, it could then be written as well */
	enum grant_verb verb; /* READ, WRITE, RUN, CONNECT; WORK for what may be written and is executed */
	char object[GRANT_OBJECT_MAX];
	char rule
		[HTTP_RULE_TEXT_MAX]; /* of a request: the rule that would have let it pass beside those of its grant; "": none would */
};

const char *denial_word(enum denial_reason r);
const char *denial_why(enum denial_reason r);
/* What to do about one that is not grantable. */
const char *denial_otherwise(enum denial_reason r);

/* For an effect that was denied: kind of effect.h, verdict one of EFFECT_DENIED*. */
void denial_of(const struct grant_set *set, const struct effect *f, struct denial *ret);

/* Whether whoever grants it lets the workload decide what other programs do. */
static inline bool denial_is_of_obeyed(enum denial_reason r)
{
	return r == DENIAL_PROTECTED || r == DENIAL_HELD;
}

/* The request of a grantable denial. */
static inline struct grant_request denial_request(const struct denial *d)
{
	return (struct grant_request){ .verb = d->verb, .object = d->object };
}

#endif
