/* link - what ambit-ask tells of an issuer's answer.
 *
 * Owns:   struct ask_answer, and its encoding.
 * Holds:  what was decoded is in range, and texts of it are words of letters, digits and signs of ASCII, without a control character: ambit-ask has read what anybody may have written, and may
 *         have been taken over by it. Nothing here is longer than ASK_ANSWER_MAX.
 * Called: the command line, ambit-ask; pure. */
#ifndef ASK_LINK_H
#define ASK_LINK_H

#include <stdbool.h>

#include "base/buf.h"

#define ASK_SCOPES_MAX 64
#define ASK_SCOPE_MAX 128  /* with its NUL; some are addresses */
#define ASK_EXPIRES_MAX 40 /* likewise */
#define ASK_CLAIM_MAX 160  /* likewise */
#define ASK_AUDIENCES_MAX 8
#define ASK_ANSWER_MAX 16384

/* What came of asking. */
#define ASK_OUTCOMES(X)                                                                                                \
	X(ANSWERED, "it answered")                                                                                     \
	X(NO_NAME, "the cell has no address for it")                                                                   \
	X(UNREACHED, "it could not be reached")                                                                        \
	X(NO_TRUST, "the connection could not be secured")                                                             \
	X(CLOSED, "the connection was closed before there was an answer")                                              \
	X(SLOW, "it did not answer in time")                                                                           \
	X(NO_HTTP, "its answer is none of HTTP, or too long")

enum ask_outcome {
#define ASK_ENUM(name, text) ASK_##name,
	ASK_OUTCOMES(ASK_ENUM)
#undef ASK_ENUM
		ASK_OUTCOME_COUNT
};

/* With ANSWERED: what it says of the credential. */
enum ask_state {
	ASK_UNCLEAR, /* nothing that is understood: see the status */
	ASK_VALID,
	ASK_REFUSED, /* it is revoked, expired, or none */
	ASK_ASKER,   /* nothing: who asks is not known there, or may not ask */
	ASK_STATE_COUNT
};

/* What an introspection tells beside scopes and time: its name there, and in JSON of ours; and for people. */
#define ASK_CLAIMS(X)                                                                                                  \
	X(CLIENT, "client_id", "client")                                                                               \
	X(USER, "username", "user")                                                                                    \
	X(SUBJECT, "sub", "subject")                                                                                   \
	X(ISSUER, "iss", "issued by")                                                                                  \
	X(TYPE, "token_type", "type")

enum ask_claim {
#define ASK_CLAIM_ENUM(name, word, text) ASK_CLAIM_##name,
	ASK_CLAIMS(ASK_CLAIM_ENUM)
#undef ASK_CLAIM_ENUM
		ASK_CLAIM_COUNT
};

struct ask_answer {
	uint8_t outcome;     /* enum ask_outcome */
	uint8_t state;       /* enum ask_state */
	uint16_t status;     /* of HTTP; 0: none */
	uint8_t told_scopes; /* 1: it said which, and maybe that there are none */
	uint32_t left_out;   /* what it gave as scopes and cannot be some, or is too much */
	uint32_t n_scopes;
	char scopes[ASK_SCOPES_MAX][ASK_SCOPE_MAX];
	char expires[ASK_EXPIRES_MAX];               /* as it was said; "": it was not */
	char claims[ASK_CLAIM_COUNT][ASK_CLAIM_MAX]; /* likewise */
	uint32_t n_audiences;
	char audiences[ASK_AUDIENCES_MAX][ASK_CLAIM_MAX];
};

/* Letters, digits and some signs, one at least; no blank, quote, comma, backslash or angle. */
bool ask_scope_is_good(const char *scope);
/* What can be seen of ASCII, and blanks within. */
bool ask_claim_is_good(const char *text);
/* Adds one of n bytes, or counts it. */
void ask_add_scope(struct ask_answer *a, const char *scope, size_t n);
/* A date as it was said, if it can be one. */
void ask_set_expires(struct ask_answer *a, const char *text, size_t n);
/* A text of n bytes, if it can be one. */
void ask_set_claim(struct ask_answer *a, enum ask_claim which, const char *text, size_t n);
void ask_add_audience(struct ask_answer *a, const char *text, size_t n);
/* As an introspection calls it; is_text: for people. */
const char *ask_claim_word(enum ask_claim which, bool is_text);

void ask_answer_put(struct buf *out, const struct ask_answer *a);
/* All n bytes; false: it is none. */
bool ask_answer_take(const void *bytes, size_t n, struct ask_answer *ret);
const char *ask_outcome_text(const struct ask_answer *a);

#endif
