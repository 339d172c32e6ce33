/* login - a secret that a server of OAuth gives, and renews.
 *
 * Owns:   struct login_terms: where it is renewed, and as whom; struct login_tokens; and how both are written: words of printable ASCII with a blank between.
 * Holds:  what was taken is in bounds. Terms hold no secret. A token that is sent to a server is one word: no field, and no form, becomes two of it.
 * Called: the command line (terms), ambit-login (tokens, which it was told), ambit-secret (both); pure. */
#ifndef SECRET_LOGIN_H
#define SECRET_LOGIN_H

#include "secret/link.h"

#define LOGIN_URL_MAX 512 /* these with their NUL */
#define LOGIN_CLIENT_MAX 256
#define LOGIN_ACCESS_MAX 4096
#define LOGIN_REFRESH_MAX 2048
#define LOGIN_TEXT_MAX (2 * LOGIN_URL_MAX + LOGIN_CLIENT_MAX + SECRET_NAME_MAX + 8)
#define LOGIN_TOKENS_MAX (LOGIN_ACCESS_MAX + LOGIN_REFRESH_MAX + 32)
#define LOGIN_REFRESH ".refresh" /* behind the name: what renews it, for the host that does */

struct login_terms {
	char token_url[LOGIN_URL_MAX], resource[LOGIN_URL_MAX];
	char client[LOGIN_CLIENT_MAX];
	char client_secret[SECRET_NAME_MAX]; /* the name of the person's; "": the client has none */
};

struct login_tokens {
	uint64_t expires; /* in seconds, or when (ms since 1970); 0: that was not said */
	char access[LOGIN_ACCESS_MAX];
	char refresh[LOGIN_REFRESH_MAX]; /* "": none */
};

/* One word: printable, no blank, one byte at least. */
bool login_is_word(const char *text);
void login_terms_put(struct buf *out, const struct login_terms *t);
bool login_terms_take(const char *text, size_t n, struct login_terms *ret);
void login_tokens_put(struct buf *out, const struct login_tokens *t);
bool login_tokens_take(const char *text, size_t n, struct login_tokens *ret);

/* Both, as the value of a secret: tokens with when they expire. False: it is none. */
void login_value_put(struct buf *out, const struct login_terms *terms, const struct login_tokens *tokens);
bool login_value_take(const char *text, size_t n, struct login_terms *ret_terms, struct login_tokens *ret_tokens);

/* Whether a name is that of what renews another, and of which. */
bool login_is_refresh(const char *name, char ret[SECRET_NAME_MAX]);

#endif
