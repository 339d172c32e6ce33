#include "core/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "core/grant.h"

#define SHOWN_MAX 200 /* of a text in a message */
#define UNIX_PREFIX "unix:"
#define SSH_PREFIX "ssh://"
#define SSH_HOST_MAX (HOST_NAME_MAX_LEN + 6) /* with a port; addresses are shorter */
#define ADDRESS_HINT                                                                                                   \
	"write [2001:db8::1]:443, or [2001:db8::/32]:443 for a range; without a zone, and all bits beyond the prefix zero"

/* What is wrong with a text, and how to write it. */
struct fault {
	const char *why, *hint;
};

static const struct fault
	no_host = { "it names no host", "write HOST:PORT, such as example.com:443; for any public host *:443" },
	no_port = { "it has no port", "write the port behind the host, such as example.com:443" },
	bad_port = { "its port is not one number from 1 to 65535, without leading zeros",
		     "write one port, such as example.com:443; for several, one grant for each" },
	url = { "it is a URL", "write the host and the port alone, such as example.com:443" },
	bad_user = { "it names no user",
		     "write ssh://git@example.com: a user of letters, digits, ., _ and -, 32 at most" },
	ssh_host = { "it does not name one host",
		     "write ssh://git@example.com, or with a port ssh://git@example.com:2222, and no path" },
	colons = { "it has more than one colon",
		   "write HOST:PORT, such as example.com:443, and an IPv6 address in brackets: [2001:db8::1]:443" },
	open_bracket = { "its bracket is not closed", ADDRESS_HINT },
	not_ipv6 = { "what stands in brackets is not an IPv6 address, nor a range of them", ADDRESS_HINT },
	holds_ipv4 = { "an IPv4 address in it is written as an IPv6 one", NULL }, /* the hint is the one way */
	not_ipv4 = { "its host ends in a number, and is not an IPv4 address",
		     "write four numbers from 0 to 255 without leading zeros, such as 192.0.2.1:443" },
	not_range = { "its range is not one",
		      "write 192.0.2.0/24:443: a prefix from 0 to 32, and all bits beyond it zero" },
	bad_star = { "a star stands for one label, the first, of a name that has two more",
		     "write *.example.com:443; for any public host *:443" },
	not_name = { "its host is not a name",
		     "a name is of letters, digits, - and _ between dots, 63 at most and none with - at an end, 253 together; other scripts "
		     "are written in their ASCII form, xn--" },
	called_unix = { "a host cannot be called unix", "write unix:/run/x for a socket" },
	bad_path = { "its path is not absolute and normalised",
		     "write unix:/run/x, without // and . and .. and a final slash" },
	long_path = { "its path is longer than a socket's can be", "a socket's path has 107 bytes at most" };

/* ---- reading; NULL: it was taken ---- */

static const struct fault *take_unix(const char *path, struct endpoint *ret)
{
	ret->kind = ENDPOINT_UNIX;
	if (!text_copy(ret->path, sizeof ret->path, path))
		return &long_path;
	return path_is_normal(path) ? NULL : &bad_path;
}

static const struct fault *take_port(const char *s, struct endpoint *ret)
{
	uint32_t v;

	if (s[0] == '0' || !parse_u32(s, 1, UINT16_MAX, &v))
		return &bad_port;
	ret->port = (uint16_t)v;
	return NULL;
}

/* With holds_ipv4, *ret is what to write in its place. */
static const struct fault *take_ipv6(const char *s, size_t n, struct endpoint *ret)
{
	ret->kind = ENDPOINT_RANGE;
	if (address_range_take(s, n, &ret->range))
		return ret->range.base.family == ADDRESS_IPV6 ? NULL : &holds_ipv4;
	return address_range_meant(s, n, &ret->range) ? &holds_ipv4 : &not_ipv6;
}

static const struct fault *take_name(const char *s, size_t n, struct endpoint *ret)
{
	ret->kind = ENDPOINT_NAME;
	if (host_take(s, n, &ret->name))
		return strcmp(ret->name.text, "unix") == 0 ? &called_unix : NULL;
	return host_is_number(s, n) ? &not_ipv4 : &not_name;
}

static const struct fault *take_host(const char *s, size_t n, struct endpoint *ret)
{
	if (n == 0)
		return &no_host;
	if (n == 1 && s[0] == '*') {
		ret->kind = ENDPOINT_ANY;
		return NULL;
	}
	if (address_range_take(s, n, &ret->range)) {
		ret->kind = ENDPOINT_RANGE;
		return NULL;
	}
	if (memchr(s, '/', n) != NULL)
		return &not_range;
	if (memchr(s, '*', n) == NULL)
		return take_name(s, n, ret);
	ret->kind = ENDPOINT_PATTERN;
	return host_pattern_take(s, n, &ret->name) ? NULL : &bad_star;
}

static const struct fault *take_bracketed(const char *text, struct endpoint *ret)
{
	const char *end = strchr(text, ']');
	const struct fault *fault;

	if (end == NULL)
		return &open_bracket;
	if (end[1] != ':')
		return &no_port;
	fault = take_port(end + 2, ret);
	return fault != NULL ? fault : take_ipv6(text + 1, (size_t)(end - text - 1), ret);
}

static const struct fault *take_plain(const char *text, struct endpoint *ret)
{
	const char *colon = strchr(text, ':');
	const struct fault *fault;

	if (strstr(text, "://") != NULL)
		return &url;
	if (colon == NULL)
		return text[0] == 0 ? &no_host : &no_port;
	if (strchr(colon + 1, ':') != NULL)
		return &colons;
	fault = take_port(colon + 1, ret);
	return fault != NULL ? fault : take_host(text, (size_t)(colon - text), ret);
}

static bool is_user(const char *s, size_t n)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	return n > 0 && n < ENDPOINT_USER_MAX && s[0] != '-' && strspn(s, good) == n;
}

/* With a port, as it is written elsewhere. */
static const struct fault *take_ssh_host(const char *s, struct endpoint *ret)
{
	const char *end = s[0] == '[' ? strchr(s, ']') : NULL, *colon = strchr(end != NULL ? end : s, ':');
	char whole[ENDPOINT_TEXT_MAX];
	const int n = snprintf(whole, sizeof whole, colon != NULL ? "%s" : "%s:%d", s, ENDPOINT_SSH_PORT);

	if (n < 0 || (size_t)n >= sizeof whole || strpbrk(s, "/*") != NULL)
		return &ssh_host;
	return whole[0] == '[' ? take_bracketed(whole, ret) : take_plain(whole, ret);
}

static const struct fault *take_ssh(const char *text, struct endpoint *ret)
{
	const size_t n = strcspn(text, "@");
	const struct fault *fault;

	if (text[n] != '@' || !is_user(text, n))
		return &bad_user;
	memcpy(ret->user, text, n); /* is_user: it fits, and zeros follow */
	fault = take_ssh_host(text + n + 1, ret);
	if (fault == NULL && ret->kind != ENDPOINT_NAME &&
	    (ret->kind != ENDPOINT_RANGE || !address_range_is_one(&ret->range)))
		fault = &ssh_host;
	if (fault == NULL)
		ret->kind = ENDPOINT_SSH;
	return fault;
}

static const struct fault *take(const char *text, struct endpoint *ret)
{
	if (strncmp(text, SSH_PREFIX, strlen(SSH_PREFIX)) == 0)
		return take_ssh(text + strlen(SSH_PREFIX), ret);
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return take_unix(text + strlen(UNIX_PREFIX), ret);
	return text[0] == '[' ? take_bracketed(text, ret) : take_plain(text, ret);
}

int endpoint_take(const char *text, struct endpoint *ret, struct err *e)
{
	struct endpoint p = { .kind = 0 };
	const struct fault *fault = take(text, &p);
	char shown[SHOWN_MAX], meant[ENDPOINT_TEXT_MAX], hint[ENDPOINT_TEXT_MAX + 8];

	if (fault == NULL) {
		*ret = p;
		return 0;
	}
	text_escape(shown, sizeof shown, text, strlen(text));
	if (fault->hint == NULL) {
		p.kind = p.user[0] != 0 ? ENDPOINT_SSH : p.kind;
		endpoint_put(&p, meant);
		(void)snprintf(hint, sizeof hint, "write %s", meant); /* it fits */
	}
	return err_why(
		e,
		err_set(e, AMBIT_MALFORMED, fault->hint != NULL ? fault->hint : hint, "'%s' is not an endpoint", shown),
		"%s", fault->why);
}

bool endpoint_kind_is_wide(uint8_t kind, const struct address_range *range)
{
	return kind == ENDPOINT_PATTERN || kind == ENDPOINT_ANY ||
	       (kind == ENDPOINT_RANGE && !address_range_is_one(range));
}

bool endpoint_is_wide(const struct endpoint *p)
{
	return endpoint_kind_is_wide(p->kind, &p->range);
}

/* ---- as another process has it ---- */

static bool is_name(const char *text, bool (*take_one)(const char *text, size_t n, struct host_name *ret))
{
	struct host_name name;

	return take_one(text, strlen(text), &name) && strcmp(name.text, text) == 0;
}

bool endpoint_means(const struct endpoint *p, const struct address *at)
{
	const enum address_kind kind = address_kind(at);

	return address_is_in(at, &p->range) && kind != ADDRESS_UNSPECIFIED && kind != ADDRESS_MULTICAST &&
	       (kind != ADDRESS_LOOPBACK || address_kind(&p->range.base) == ADDRESS_LOOPBACK);
}

bool endpoint_is_well_formed(const struct endpoint *p)
{
	const bool is_unnamed = p->name.text[0] == 0, has_port = p->port != 0;

	switch ((enum endpoint_kind)p->kind) {
	case ENDPOINT_NAME: return has_port && is_name(p->name.text, host_take);
	case ENDPOINT_PATTERN: return has_port && is_name(p->name.text, host_pattern_take) && p->range.base.family == 0;
	case ENDPOINT_RANGE: return has_port && is_unnamed && address_range_is_well_formed(&p->range);
	case ENDPOINT_ANY: return has_port && is_unnamed && p->range.base.family == 0;
	case ENDPOINT_UNIX:
		return !has_port && is_unnamed && p->range.base.family == 0 && p->path[0] == '/' &&
		       path_is_normal(p->path);
	case ENDPOINT_SSH: break; /* its connection is told, and the key apart */
	}
	return false;
}

/* ---- writing ---- */

static void put_range(const struct endpoint *p, char ret[ENDPOINT_TEXT_MAX])
{
	const bool brackets = p->range.base.family == ADDRESS_IPV6;
	char range[ADDRESS_RANGE_TEXT_MAX];

	address_range_put(&p->range, range);
	(void)snprintf(ret, ENDPOINT_TEXT_MAX, "%s%s%s:%u", brackets ? "[" : "", range, brackets ? "]" : "", p->port);
}

static void put_ssh(const struct endpoint *p, char ret[ENDPOINT_TEXT_MAX])
{
	const struct endpoint connection = endpoint_connection(p);
	char at[ENDPOINT_TEXT_MAX];

	endpoint_put(&connection, at);
	if (p->port == ENDPOINT_SSH_PORT)
		*strrchr(at, ':') = 0; /* there is one, before the port */
	(void)snprintf(ret, ENDPOINT_TEXT_MAX, SSH_PREFIX "%s@%.*s", p->user, SSH_HOST_MAX, at);
}

struct endpoint endpoint_connection(const struct endpoint *p)
{
	struct endpoint connection = *p;

	if (p->kind == ENDPOINT_SSH) {
		connection.kind = p->name.text[0] != 0 ? ENDPOINT_NAME : ENDPOINT_RANGE;
		connection.user[0] = 0;
	}
	return connection;
}

void endpoint_put(const struct endpoint *p, char ret[ENDPOINT_TEXT_MAX])
{
	ret[0] = 0;
	switch ((enum endpoint_kind)p->kind) { /* each fits */
	case ENDPOINT_NAME:
	case ENDPOINT_PATTERN: (void)snprintf(ret, ENDPOINT_TEXT_MAX, "%s:%u", p->name.text, p->port); break;
	case ENDPOINT_RANGE: put_range(p, ret); break;
	case ENDPOINT_ANY: (void)snprintf(ret, ENDPOINT_TEXT_MAX, "*:%u", p->port); break;
	case ENDPOINT_UNIX: (void)snprintf(ret, ENDPOINT_TEXT_MAX, UNIX_PREFIX "%s", p->path); break;
	case ENDPOINT_SSH: put_ssh(p, ret); break;
	}
}

/* ---- comparing ---- */

/* Of several addresses nobody looks at each. */
static bool leads_to_public_alone(const struct endpoint *p)
{
	switch ((enum endpoint_kind)p->kind) {
	case ENDPOINT_NAME:
	case ENDPOINT_PATTERN:
	case ENDPOINT_ANY: return true;
	case ENDPOINT_RANGE: return address_range_is_one(&p->range) && address_kind(&p->range.base) == ADDRESS_PUBLIC;
	case ENDPOINT_UNIX:
	case ENDPOINT_SSH: break;
	}
	return false;
}

static bool same_name(const struct endpoint *a, const struct endpoint *b)
{
	return a->kind == b->kind && strcmp(a->name.text, b->name.text) == 0;
}

static bool is_within_ssh(const struct endpoint *inner, const struct endpoint *outer)
{
	const struct endpoint connection = endpoint_connection(outer);

	if (inner->kind != ENDPOINT_SSH)
		return endpoint_is_within(inner, &connection);
	return strcmp(inner->user, outer->user) == 0 && strcmp(inner->name.text, outer->name.text) == 0 &&
	       (inner->name.text[0] != 0 || address_range_is_in(&inner->range, &outer->range));
}

bool endpoint_is_within(const struct endpoint *inner, const struct endpoint *outer)
{
	if (inner->port != outer->port)
		return false;
	switch ((enum endpoint_kind)outer->kind) {
	case ENDPOINT_NAME: return same_name(inner, outer);
	case ENDPOINT_PATTERN:
		return same_name(inner, outer) ||
		       (inner->kind == ENDPOINT_NAME && host_matches(&outer->name, inner->name.text));
	case ENDPOINT_RANGE: return inner->kind == ENDPOINT_RANGE && address_range_is_in(&inner->range, &outer->range);
	case ENDPOINT_ANY: return leads_to_public_alone(inner);
	case ENDPOINT_UNIX: return inner->kind == ENDPOINT_UNIX && strcmp(inner->path, outer->path) == 0;
	case ENDPOINT_SSH: return is_within_ssh(inner, outer);
	}
	return false;
}
