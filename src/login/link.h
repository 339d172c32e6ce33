/* link - what the command line has ambit-login do, and what that says of it.
 *
 * Owns:   struct login_ask and struct login_answer, and how they are written.
 * Holds:  what was decoded is in bounds; texts of an answer are printable ASCII: ambit-login has read what anybody may have written, and may have been taken over by it. No answer has a token: those go to ambit-secret
 *         (secret/login.h).
 * Called: the command line, ambit-login; pure. */
#ifndef LOGIN_LINK_H
#define LOGIN_LINK_H

#include <stdbool.h>

#include "base/buf.h"
#include "core/url.h"

#define LOGIN_PARAMS_MAX 12
#define LOGIN_PARAM_MAX 32
#define LOGIN_VALUE_MAX 4096
#define LOGIN_ASK_MAX 61440 /* what a pipe takes at once */
#define LOGIN_ANSWER_MAX 16384
#define LOGIN_FIELD_MAX 1024

/* Each is one request, or none. */
enum login_step {
	LOGIN_PROBE = 1, /* the server itself, which wants a token, and says who gives some */
	LOGIN_RESOURCE,  /* what it says of itself (RFC 9728) */
	LOGIN_SERVER,    /* what who gives tokens says of himself (RFC 8414, OpenID Connect Discovery) */
	LOGIN_REGISTER,  /* a client, as which Ambit asks (RFC 7591) */
	LOGIN_CALLBACK,  /* no request of ours: what the person's browser brings */
	LOGIN_TOKEN,     /* tokens, which are written and not answered */
	LOGIN_STEPS
};

struct login_ask {
	uint8_t step;           /* enum login_step */
	char url[URL_TEXT_MAX]; /* "": CALLBACK */
	uint32_t n;
	struct login_param {
		char name[LOGIN_PARAM_MAX], value[LOGIN_VALUE_MAX];
	} params[LOGIN_PARAMS_MAX]; /* of a form, or of what is registered; CALLBACK: one, `request` */
};

/* What came of it. */
#define LOGIN_OUTCOMES(X)                                                                                              \
	X(ANSWERED, "it answered")                                                                                     \
	X(UNREACHED, "it could not be reached")                                                                        \
	X(NO_TRUST, "the connection could not be secured")                                                             \
	X(CLOSED, "the connection was closed before there was an answer, or that is none of HTTP")                     \
	X(SLOW, "it did not answer in time")                                                                           \
	X(REFUSED, "it refused the request")                                                                           \
	X(AWAY, "it points to another address, which is not followed")                                                 \
	X(UNCLEAR, "what it answered is not understood")

enum login_outcome {
#define LOGIN_ENUM(name, text) LOGIN_##name,
	LOGIN_OUTCOMES(LOGIN_ENUM)
#undef LOGIN_ENUM
		LOGIN_OUTCOME_COUNT
};

enum login_field {
	LOGIN_METADATA, /* where a resource's are; an address */
	LOGIN_SCOPE,
	LOGIN_RESOURCE_ID,
	LOGIN_ISSUER, /* who gives tokens */
	LOGIN_AUTHORIZE,
	LOGIN_TOKEN_URL,
	LOGIN_REGISTRATION,
	LOGIN_CLIENT,
	LOGIN_CODE,
	LOGIN_STATE,
	LOGIN_ERROR,      /* of OAuth: a word, */
	LOGIN_ERROR_TEXT, /* and for people */
	LOGIN_FIELDS
};

#define LOGIN_S256 1u   /* codes can be bound to who asked for them (RFC 7636) */
#define LOGIN_ISS 2u    /* answers say by whom they are (RFC 9207) */
#define LOGIN_SECRET 4u /* what was registered is a client that has a secret */

struct login_answer {
	uint8_t outcome; /* enum login_outcome */
	uint8_t flags;
	uint16_t status; /* of HTTP; 0: none */
	char text[LOGIN_FIELDS][LOGIN_FIELD_MAX];
};

void login_ask_put(struct buf *out, const struct login_ask *a);
bool login_ask_take(const void *bytes, size_t n, struct login_ask *ret);
void login_answer_put(struct buf *out, const struct login_answer *a);
bool login_answer_take(const void *bytes, size_t n, struct login_answer *ret);
const char *login_outcome_text(unsigned outcome);

/* One parameter more; false: it is too long, or there are too many. */
bool login_param(struct login_ask *a, const char *name, const char *value);
const char *login_param_of(const struct login_ask *a, const char *name); /* "": it is not there */
/* A text of n bytes, if it can be one; else it stays "". */
void login_set(struct login_answer *a, enum login_field which, const char *text, size_t n);

#endif
