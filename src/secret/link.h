/* link - what the library and the role ambit-secret tell each other, and what a secret is called and bound to.
 *
 * Owns:   the bodies of the messages SECRET_* (wire/messages.def); struct secret_hosts. SECRET_REMOVE's body is a name.
 * Holds:  what was decoded is checked: a name is one, and so is each host, in its normal form. No body but HTTP_SECRET's ever has a value.
 * Called: lib, ambit-secret; pure. */
#ifndef SECRET_LINK_H
#define SECRET_LINK_H

#include "base/buf.h"
#include "base/err.h"
#include "core/address.h"
#include "core/host.h"

#define SECRET_NAME_MAX 64 /* with its NUL */
#define SECRET_HOSTS_MAX 16
#define SECRET_HOST_MAX (HOST_NAME_MAX_LEN + 1) /* with its NUL */
#define SECRET_VALUE_MAX 8192
#define SECRET_WHY_MAX 256
#define SECRET_LOGIN_MAX 1400 /* of a login's terms, with a NUL */

/* Letters, digits, and . _ - within, 63 at most: also the name of a file. */
bool secret_name_is_good(const char *name);
/* The same, with why not. -MALFORMED. */
int secret_name_check(const char *name, struct err *e);

/* To which hosts a secret may be sent; none: to each that a grant names it for. */
struct secret_hosts {
	uint32_t n;
	char list[SECRET_HOSTS_MAX][SECRET_HOST_MAX]; /* names, `*.` patterns, addresses, in their normal forms */
};

/* One more, as a person wrote it; one that is there already is left out. -MALFORMED, -LIMIT. */
int secret_hosts_add(struct secret_hosts *h, const char *text, struct err *e);
/* host: of an endpoint, a name, a pattern (which only that pattern means) or an address. */
bool secret_hosts_mean(const struct secret_hosts *h, const char *host);
void secret_hosts_put(struct buf *out, const struct secret_hosts *h);
bool secret_hosts_take(struct rbuf *in, struct secret_hosts *ret);

enum secret_kind {
	SECRET_IS_VALUE = 1,
	SECRET_IS_COMMAND, /* that writes the value, when it is needed */
	SECRET_IS_LOGIN,   /* tokens of OAuth, and where they are renewed (login.h) */
};

enum secret_source {
	SECRET_FROM_COMMAND = 1, /* the text of it is in the message */
	SECRET_FROM_FILE,        /* the third descriptor is read to its end */
	SECRET_FROM_TERMINAL,    /* the third descriptor is the person's terminal, which is asked twice */
	SECRET_FROM_LOGIN,       /* the third descriptor has tokens (login.h), the message their terms */
	SECRET_FROM_RENEWAL,     /* the same, of a login that is there, whose terms stay */
};

struct secret_set {
	uint8_t source; /* enum secret_source */
	char name[SECRET_NAME_MAX];
	struct secret_hosts hosts;          /* none: as they were */
	char command[SECRET_VALUE_MAX + 1]; /* LOGIN: the terms */
};
void secret_put_set(struct buf *out, const struct secret_set *s);
bool secret_take_set(struct rbuf *in, struct secret_set *ret);

struct secret_give {
	char name[SECRET_NAME_MAX];
	char host[SECRET_HOST_MAX];
};
void secret_put_give(struct buf *out, const struct secret_give *g);
bool secret_take_give(struct rbuf *in, struct secret_give *ret);

/* What is told of one. */
struct secret_row {
	uint8_t kind; /* enum secret_kind; 0: the file cannot be opened, and why */
	uint64_t set_ms;
	char name[SECRET_NAME_MAX];
	char why[SECRET_WHY_MAX];
	struct secret_hosts hosts;
	uint64_t expires_ms;          /* LOGIN: 0: that was not said */
	char login[SECRET_LOGIN_MAX]; /* LOGIN: the terms; else "" */
};
void secret_put_row(struct buf *out, const struct secret_row *r);
bool secret_take_row(struct rbuf *in, struct secret_row *ret);

#endif
