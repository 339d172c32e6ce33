#include "http/target.h"

#include <string.h>

#include "base/num.h"

/* ---- targets ---- */

static void split_query(struct http_text t, struct http_target *ret)
{
	const char *mark = memchr(t.at, '?', t.n);

	ret->has_query = mark != NULL;
	ret->path = (struct http_text){ .at = t.at, .n = mark == NULL ? t.n : (size_t)(mark - t.at) };
	if (mark != NULL)
		ret->query = (struct http_text){ .at = mark + 1, .n = t.n - ret->path.n - 1 };
}

static bool is_plain(const struct http_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if ((uint8_t)t->at[i] <= 0x20 || (uint8_t)t->at[i] >= 0x7f || t->at[i] == '#')
			return false;
	return true;
}

static bool begins(const struct http_text *t, const char *scheme)
{
	const size_t n = strlen(scheme);

	return t->n > n && http_text_is(&(struct http_text){ .at = t->at, .n = n }, scheme);
}

static bool take_absolute(const struct http_text *target, size_t skip, struct http_target *ret)
{
	struct http_text left = { .at = target->at + skip, .n = target->n - skip };
	size_t n = 0;

	while (n < left.n && left.at[n] != '/' && left.at[n] != '?')
		n++;
	ret->form = HTTP_TARGET_ABSOLUTE;
	ret->authority = (struct http_text){ .at = left.at, .n = n };
	left.at += n;
	left.n -= n;
	split_query(left, ret);
	return n > 0 && ret->path.n > 0 && memchr(ret->authority.at, '@', n) == NULL;
}

bool http_target_take(const struct http_text *target, struct http_target *ret, const char **ret_why)
{
	*ret = (struct http_target){ .form = HTTP_TARGET_AUTHORITY };
	*ret_why = "its target has characters that none can have";
	if (target->n == 0 || !is_plain(target))
		return false;
	if (target->at[0] == '/') {
		ret->form = HTTP_TARGET_ORIGIN;
		split_query(*target, ret);
		return true;
	}
	if (target->n == 1 && target->at[0] == '*') {
		ret->form = HTTP_TARGET_ASTERISK;
		return true;
	}
	*ret_why = "its target is an address without a path, or with a user";
	ret->is_tls = begins(target, "https://");
	if (ret->is_tls || begins(target, "http://"))
		return take_absolute(target, ret->is_tls ? 8 : 7, ret);
	ret->authority = *target;
	return true;
}

/* ---- authorities ---- */

/* Cuts off a port. False: there is one that is none. */
static bool take_port(struct http_text *t, uint16_t *ret)
{
	size_t colon = t->n;
	char text[6];
	uint32_t port;

	while (colon > 0 && t->at[colon - 1] != ':' && t->at[colon - 1] != ']')
		colon--;
	if (colon == 0 || t->at[colon - 1] == ']')
		return true;
	if (t->n - colon == 0 || t->n - colon >= sizeof text || t->at[colon] == '0' ||
	    memchr(t->at + colon, 0, t->n - colon) != NULL)
		return false;
	memcpy(text, t->at + colon, t->n - colon);
	text[t->n - colon] = 0;
	if (!parse_u32(text, 1, UINT16_MAX, &port))
		return false;
	*ret = (uint16_t)port;
	t->n = colon - 1;
	return true;
}

static bool is_address(struct http_text t, const struct address *address)
{
	struct address at;
	const bool bracketed = t.n > 2 && t.at[0] == '[' && t.at[t.n - 1] == ']';

	if (bracketed) {
		t.at++;
		t.n -= 2;
	}
	return address_take(t.at, t.n, &at) && (at.family == ADDRESS_IPV6) == bracketed &&
	       address_is_same(&at, address);
}

bool http_authority_means(const struct http_text *authority, const struct host_name *name,
			  const struct address *address, uint16_t port, bool is_tls)
{
	struct http_text t = *authority;
	uint16_t said = is_tls ? 443 : 80;
	struct host_name host;

	if (!take_port(&t, &said) || said != port || t.n == 0)
		return false;
	if (name->text[0] == 0)
		return is_address(t, address);
	return t.at[t.n - 1] != '.' && host_take(t.at, t.n, &host) && strcmp(host.text, name->text) == 0;
}

/* ---- parameters ---- */

void http_parameters_begin(struct http_parameters *p, const struct http_text *query)
{
	p->left = *query;
}

/* Into room, which holds as much; gives how many bytes, and whether a percent sign stood before no two digits. */
static size_t decode(const struct http_text *t, char *room, bool *ret_malformed)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const int high = t->at[i] == '%' && i + 2 < t->n ? hex_digit(t->at[i + 1]) : -1;
		const int low = high >= 0 ? hex_digit(t->at[i + 2]) : -1;

		*ret_malformed |= t->at[i] == '%' && low < 0;
		room[n++] = low >= 0 ? (char)(high * 16 + low) : t->at[i] == '+' ? ' ' : t->at[i];
		i += low >= 0 ? 2 : 0;
	}
	return n;
}

bool http_parameters_next(struct http_parameters *p, struct http_parameter *ret)
{
	const char *end, *equal;
	struct http_text name;

	if (p->left.at == NULL)
		return false;
	end = memchr(p->left.at, '&', p->left.n);
	ret->raw = (struct http_text){ .at = p->left.at, .n = end == NULL ? p->left.n : (size_t)(end - p->left.at) };
	p->left.n -= ret->raw.n + (end != NULL);
	p->left.at = end == NULL ? NULL : end + 1;
	equal = memchr(ret->raw.at, '=', ret->raw.n);
	name = (struct http_text){ .at = ret->raw.at, .n = equal == NULL ? ret->raw.n : (size_t)(equal - ret->raw.at) };
	ret->malformed = ret->raw.n > sizeof p->room;
	ret->name = ret->value = (struct http_text){ .at = p->room, .n = 0 };
	if (ret->malformed)
		return true;
	ret->name.n = decode(&name, p->room, &ret->malformed);
	if (equal == NULL)
		return true;
	name = (struct http_text){ .at = equal + 1, .n = ret->raw.n - name.n - 1 };
	ret->value = (struct http_text){ .at = p->room + ret->name.n };
	ret->value.n = decode(&name, p->room + ret->name.n, &ret->malformed);
	return true;
}
