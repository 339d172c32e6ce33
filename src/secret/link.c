#include "secret/link.h"

#include <string.h>

#include "base/text.h"

#define NAME_HINT "letters, digits, and . _ - within, 63 at most: github, api.example.com, npm_read"

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool secret_name_is_good(const char *name)
{
	const size_t n = strlen(name);

	if (n == 0 || n >= SECRET_NAME_MAX || !is_alphanumeric(name[0]) || !is_alphanumeric(name[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alphanumeric(name[i]) && name[i] != '.' && name[i] != '_' && name[i] != '-')
			return false;
	return true;
}

int secret_name_check(const char *name, struct err *e)
{
	char shown[2 * SECRET_NAME_MAX];

	if (secret_name_is_good(name))
		return 0;
	return err_set(e, AMBIT_MALFORMED, NAME_HINT, "no secret can be called '%s'",
		       text_escape(shown, sizeof shown, name, strlen(name)));
}

/* ---- hosts ---- */

static bool host_normal(const char *text, char ret[SECRET_HOST_MAX])
{
	const size_t n = strlen(text);
	char address[ADDRESS_TEXT_MAX];
	struct host_name name;
	struct address a;

	if (host_take(text, n, &name) || host_pattern_take(text, n, &name))
		return text_copy(ret, SECRET_HOST_MAX, name.text);
	if (!address_take(text, n, &a))
		return false;
	address_put(&a, address);
	return text_copy(ret, SECRET_HOST_MAX, address);
}

static bool is_there(const struct secret_hosts *h, const char *host)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (strcmp(h->list[i], host) == 0)
			return true;
	return false;
}

int secret_hosts_add(struct secret_hosts *h, const char *text, struct err *e)
{
	char host[SECRET_HOST_MAX], shown[128];

	if (!host_normal(text, host))
		return err_set(e, AMBIT_MALFORMED,
			       "a name, *. and a name, or an address, without a port: api.example.com, *.example.com",
			       "'%s' is no host", text_escape(shown, sizeof shown, text, strlen(text)));
	if (is_there(h, host))
		return 0;
	if (h->n == SECRET_HOSTS_MAX)
		return err_set(e, AMBIT_LIMIT, "name a pattern, or keep it as two secrets",
			       "a secret is bound to more than %d hosts", SECRET_HOSTS_MAX);
	return text_copy(h->list[h->n++], SECRET_HOST_MAX, host) ? 0 : -AMBIT_INTERNAL; /* of the same size */
}

static bool pattern_means(const char *bound, const char *host)
{
	struct host_name pattern, name;

	return host_pattern_take(bound, strlen(bound), &pattern) && host_take(host, strlen(host), &name) &&
	       host_matches(&pattern, name.text);
}

bool secret_hosts_mean(const struct secret_hosts *h, const char *host)
{
	char normal[SECRET_HOST_MAX];

	if (!host_normal(host, normal))
		return false;
	for (uint32_t i = 0; i < h->n; i++)
		if (strcmp(h->list[i], normal) == 0 || pattern_means(h->list[i], normal))
			return true;
	return h->n == 0;
}

void secret_hosts_put(struct buf *out, const struct secret_hosts *h)
{
	buf_put_u32(out, h->n);
	for (uint32_t i = 0; i < h->n; i++)
		buf_put_str(out, h->list[i]);
}

bool secret_hosts_take(struct rbuf *in, struct secret_hosts *ret)
{
	const uint32_t n = rbuf_u32(in);
	char normal[SECRET_HOST_MAX];

	ret->n = 0;
	if (n > SECRET_HOSTS_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		char *host = ret->list[i];

		rbuf_str(in, host, SECRET_HOST_MAX);
		if (in->failed || !host_normal(host, normal) || strcmp(host, normal) != 0 || is_there(ret, host))
			return false;
		ret->n++;
	}
	return !in->failed;
}

/* ---- messages ---- */

static bool take_name(struct rbuf *in, char ret[SECRET_NAME_MAX])
{
	rbuf_str(in, ret, SECRET_NAME_MAX);
	return !in->failed && secret_name_is_good(ret);
}

void secret_put_set(struct buf *out, const struct secret_set *s)
{
	buf_put_u8(out, s->source);
	buf_put_str(out, s->name);
	secret_hosts_put(out, &s->hosts);
	buf_put_str(out, s->command);
}

bool secret_take_set(struct rbuf *in, struct secret_set *ret)
{
	ret->source = rbuf_u8(in);
	if (!take_name(in, ret->name) || !secret_hosts_take(in, &ret->hosts))
		return false;
	rbuf_str(in, ret->command, sizeof ret->command);
	return rbuf_done(in) && ret->source >= SECRET_FROM_COMMAND && ret->source <= SECRET_FROM_RENEWAL &&
	       (ret->command[0] != 0) == (ret->source == SECRET_FROM_COMMAND || ret->source == SECRET_FROM_LOGIN);
}

void secret_put_give(struct buf *out, const struct secret_give *g)
{
	buf_put_str(out, g->name);
	buf_put_str(out, g->host);
}

bool secret_take_give(struct rbuf *in, struct secret_give *ret)
{
	char normal[SECRET_HOST_MAX];

	if (!take_name(in, ret->name))
		return false;
	rbuf_str(in, ret->host, sizeof ret->host);
	return rbuf_done(in) && host_normal(ret->host, normal) && strcmp(ret->host, normal) == 0;
}

void secret_put_row(struct buf *out, const struct secret_row *r)
{
	buf_put_u8(out, r->kind);
	buf_put_u64(out, r->set_ms);
	buf_put_str(out, r->name);
	buf_put_str(out, r->why);
	secret_hosts_put(out, &r->hosts);
	buf_put_u64(out, r->expires_ms);
	buf_put_str(out, r->login);
}

bool secret_take_row(struct rbuf *in, struct secret_row *ret)
{
	ret->kind = rbuf_u8(in);
	ret->set_ms = rbuf_u64(in);
	if (!take_name(in, ret->name))
		return false;
	rbuf_str(in, ret->why, sizeof ret->why);
	if (!secret_hosts_take(in, &ret->hosts))
		return false;
	ret->expires_ms = rbuf_u64(in);
	rbuf_str(in, ret->login, sizeof ret->login);
	return rbuf_done(in) && ret->kind <= SECRET_IS_LOGIN && (ret->kind == 0) == (ret->why[0] != 0) &&
	       (ret->kind == SECRET_IS_LOGIN) == (ret->login[0] != 0);
}
