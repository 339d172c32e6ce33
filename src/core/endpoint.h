/* endpoint - the object of a grant `connect`: where to.
 *
 * Owns:   struct endpoint and the one way of writing it.
 * Holds:  `HOST:PORT`, where HOST is a name, `*.` and a name, an address, [an IPv6 address or range in brackets], a range of addresses, or `*`
 *         for any host; PORT is one number from 1 to 65535. Or `unix:` and an absolute, normal path; no host is called `unix`. Or
 *         `ssh://USER@HOST[:PORT]`, where USER is letters, digits, `.`, `_` and `-` and does not begin with `-`, HOST a name or one address,
 *         and PORT is written if it is not 22.
 * Called: core/grant.c, the supervisor, the dialer, the role ambit-net; pure. */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include "base/err.h"
#include "core/address.h"
#include "core/host.h"

#define ENDPOINT_UNIX_MAX 108 /* sun_path of unix(7), with its NUL */
#define ENDPOINT_USER_MAX 33  /* a name of a user, with its NUL */
#define ENDPOINT_SSH_PORT 22
#define ENDPOINT_TEXT_MAX (HOST_NAME_MAX_LEN + ENDPOINT_USER_MAX + 16)

enum endpoint_kind {
	ENDPOINT_NAME = 1, /* one host by its name */
	ENDPOINT_PATTERN,  /* the hosts of one label below a name */
	ENDPOINT_RANGE,    /* addresses, or one */
	ENDPOINT_ANY,      /* any host of which the address is public */
	ENDPOINT_UNIX,
	ENDPOINT_SSH, /* a port of one host, and a key of the person's to be that user there */
};

struct endpoint {
	uint8_t kind;  /* enum endpoint_kind */
	uint16_t port; /* 0: unix */
	struct address_range range;
	struct host_name name; /* of NAME and PATTERN; of SSH, if it is not "", else the range is one address */
	char path[ENDPOINT_UNIX_MAX];
	char user[ENDPOINT_USER_MAX]; /* of SSH */
};

/* A whole text, as a person wrote it. -MALFORMED says what is wrong and how to write it. */
int endpoint_take(const char *text, struct endpoint *ret, struct err *e);
/* Whether it leads to more than one host: of a connection to it, somebody has to say which was meant. */
bool endpoint_is_wide(const struct endpoint *p);
/* The same of its parts; range is looked at for RANGE alone. */
bool endpoint_kind_is_wide(uint8_t kind, const struct address_range *range);
/* Of RANGE: whether it means this address. A wide one means no loopback, unless it is of nothing else, and nobody's address. */
bool endpoint_means(const struct endpoint *p, const struct address *at);
/* What came in a message: whether it could have been taken from a text. Of NAME, what `range` says is not looked at. */
bool endpoint_is_well_formed(const struct endpoint *p);
/* The one way: lower case, no leading zeros, IPv6 as RFC 5952 in brackets. */
void endpoint_put(const struct endpoint *p, char ret[ENDPOINT_TEXT_MAX]);
/* Whether all that inner allows is allowed by outer. A name is within ANY, since it leads to public addresses only, and within no range: it
 * may lead to any of them. A single public address is within ANY, a range of several is not: nobody looks at each. The port alone is within
 * SSH, and SSH is within nothing but itself: a key is more than a connection. */
bool endpoint_is_within(const struct endpoint *inner, const struct endpoint *outer);
/* The connection of SSH, without the key: the NAME or RANGE of one address; whatever else is as it was. */
struct endpoint endpoint_connection(const struct endpoint *p);

#endif
