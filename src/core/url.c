#include "core/url.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define HINT "write it as https://HOST/PATH, such as https://mcp.example.com/mcp"
#define QUERY_CHARACTERS                                                                                               \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&()*+,;=:@/?%" /* RFC 3986, but for a quote */

static int bad(struct err *e, const char *text, const char *why)
{
	char shown[256];

	return err_set(e, AMBIT_USAGE, HINT, "'%s' is no address of a server: %s",
		       text_escape(shown, sizeof shown, text, strlen(text)), why);
}

/* Of a scheme that is written in any case. */
static const char *behind(const char *text, const char *scheme)
{
	for (; *scheme != 0; text++, scheme++)
		if ((*text | 0x20) != (*scheme | 0x20))
			return NULL;
	return text;
}

static bool is_loopback(const struct endpoint *at)
{
	const struct address *a = &at->range.base;
	static const uint8_t six[16] = { [15] = 1 };

	return at->kind == ENDPOINT_RANGE &&
	       (a->family == ADDRESS_IPV4 ? a->bytes[0] == 127 : memcmp(a->bytes, six, sizeof six) == 0);
}

static int take_host(const char *authority, size_t n, struct url *ret, const char *text, struct err *e)
{
	const char *const own = ret->tls ? "443" : "80";
	char place[ENDPOINT_TEXT_MAX], host[ENDPOINT_TEXT_MAX - 4];
	bool has_port, is_local;
	const char *colon;

	if (n == 0 || n >= sizeof host)
		return bad(e, text, "it names no host");
	if (memchr(authority, '@', n) != NULL)
		return bad(e, text, "it has a user in it; a token is kept by `ambit secret set`");
	(void)snprintf(host, sizeof host, "%.*s", (int)n, authority);
	colon = strrchr(host, ':');
	has_port = colon != NULL && strchr(colon, ']') == NULL;
	is_local = strcmp(host, "localhost") == 0 || strncmp(host, "localhost:", 10) == 0;
	(void)snprintf(place, sizeof place, "%s%s%s", is_local ? "127.0.0.1" : host, has_port ? "" : ":",
		       has_port ? "" : own);
	if (is_local && has_port)
		(void)snprintf(place, sizeof place, "127.0.0.1%s", colon);
	if (endpoint_take(place, &ret->at, NULL) < 0 ||
	    (ret->at.kind != ENDPOINT_NAME && (ret->at.kind != ENDPOINT_RANGE || endpoint_is_wide(&ret->at))))
		return bad(e, text, "that is no one host");
	endpoint_put(&ret->at, place);
	*strrchr(place, ':') = 0; /* it has a port */
	(void)snprintf(ret->host, sizeof ret->host, "%.*s", (int)strcspn(place + (place[0] == '['), "]"),
		       place + (place[0] == '['));
	if (!ret->tls && !is_loopback(&ret->at))
		return bad(e, text, "without TLS only a server on this machine is spoken with");
	return 0;
}

static int take_target(const char *target, struct url *ret, const char *text, struct err *e)
{
	const size_t n = strcspn(target, "?");
	const char *wrong = http_path_take(target, n, ret->path, sizeof ret->path);

	if (wrong != NULL) {
		char why[128];

		(void)snprintf(why, sizeof why, "its path %s", wrong);
		return bad(e, text, why);
	}
	if (strspn(target + n, QUERY_CHARACTERS) != strlen(target + n))
		return bad(e, text, "its query has what has to be encoded, or a fragment behind it");
	return text_copy(ret->target, sizeof ret->target, target) ? 0 : bad(e, text, "it is too long");
}

int url_take(const char *text, struct url *ret, struct err *e)
{
	const char *rest = behind(text, "https://");
	struct url u = { .tls = rest != NULL };
	size_t n;
	int r;

	rest = rest != NULL ? rest : behind(text, "http://");
	if (rest == NULL)
		return bad(e, text, "it does not begin with https://");
	n = strcspn(rest, "/?#");
	r = take_host(rest, n, &u, text, e);
	if (r == 0 && rest[n] == '?')
		r = bad(e, text, "its path is missing before the query");
	r = r < 0 ? r : take_target(rest[n] == 0 ? "/" : rest + n, &u, text, e);
	if (r == 0)
		*ret = u;
	return r;
}

void url_host(const struct url *u, char ret[ENDPOINT_TEXT_MAX])
{
	endpoint_put(&u->at, ret);
	if (u->at.port == (u->tls ? 443 : 80))
		*strrchr(ret, ':') = 0;
}

bool url_is_same_origin(const struct url *a, const struct url *b)
{
	return a->tls == b->tls && a->at.port == b->at.port && strcmp(a->host, b->host) == 0;
}

void url_put(const struct url *u, char ret[URL_TEXT_MAX])
{
	char host[ENDPOINT_TEXT_MAX];

	url_host(u, host);
	(void)snprintf(ret, URL_TEXT_MAX, "http%s://%s%s", u->tls ? "s" : "", host, u->target); /* fits */
}
