#include "witness/list.h"

#include <string.h>

#include "base/base64.h"
#include "base/num.h"
#include "base/text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* ---- addresses ---- */

static int refuse_url(struct err *e, const char *what)
{
	return err_set(e, AMBIT_USAGE, "it is http:// or https://, a host, and perhaps a port and a path",
		       "that is no address of a witness: %s", what);
}

static bool take_part(char *ret, size_t size, const char *from, size_t n)
{
	if (n >= size)
		return false;
	memcpy(ret, from, n);
	ret[n] = 0;
	return true;
}

/* The host; gives what stands behind it. */
static const char *take_host(const char *at, struct witness_url *u)
{
	const bool bracket = at[0] == '[';
	const char *from = bracket ? at + 1 : at;
	const size_t n = strspn(from, bracket ? "0123456789abcdefABCDEF:." : LETTERS DIGITS "-.");

	if (n == 0 || !take_part(u->host, sizeof u->host, from, n) || (bracket && from[n] != ']'))
		return NULL;
	return from + n + bracket;
}

static const char *take_port(const char *at, struct witness_url *u)
{
	uint32_t port;
	size_t n;

	(void)text_copy(u->port, sizeof u->port, u->tls ? "443" : "80"); /* they fit */
	if (at[0] != ':')
		return at;
	n = strspn(at + 1, DIGITS);
	return at[1] != '0' && take_part(u->port, sizeof u->port, at + 1, n) && parse_u32(u->port, 1, 65535, &port)
		       ? at + 1 + n
		       : NULL;
}

static bool take_path(const char *at, struct witness_url *u)
{
	size_t n = strlen(at);

	if (n > 0 && (at[0] != '/' || strspn(at, LETTERS DIGITS "/-._~%!$&'()*+,;=:@") != n))
		return false;
	while (n > 0 && at[n - 1] == '/')
		n--;
	return take_part(u->path, sizeof u->path, at, n);
}

int witness_url_parse(const char *text, struct witness_url *ret, struct err *e)
{
	struct witness_url u = { .tls = strncmp(text, "https://", 8) == 0 };
	const char *at = text + 7 + u.tls;

	if (strlen(text) >= WITNESS_URL_MAX)
		return refuse_url(e, "it is too long");
	if (!u.tls && strncmp(text, "http://", 7) != 0)
		return refuse_url(e, "it begins with neither http:// nor https://");
	at = take_host(at, &u);
	if (at == NULL)
		return refuse_url(e, "there is no host in it");
	at = take_port(at, &u);
	if (at == NULL)
		return refuse_url(e, "its port is none");
	if (!take_path(at, &u))
		return refuse_url(e, "behind the host is something that is no path");
	*ret = u;
	return 0;
}

/* ---- files ---- */

static void swap(char *text, char a, char b)
{
	for (; *text != 0; text++)
		if (*text == a)
			*text = b;
}

bool witness_file_take(const char *name, uint8_t ret[1 + VKEY_PUBLIC_BYTES])
{
	char text[WITNESS_FILE_LEN + 1];

	if (strpbrk(name, "+/") != NULL || !text_copy(text, sizeof text, name))
		return false;
	swap(text, '-', '+');
	swap(text, '_', '/');
	return span_base64(span_of(text), ret, 1 + VKEY_PUBLIC_BYTES) && ret[0] == VKEY_COSIGNATURE;
}

bool witness_file(const char *key, char ret[WITNESS_FILE_LEN + 1])
{
	const char *id = strchr(key, '+'), *material = id != NULL ? strchr(id + 1, '+') : NULL;
	uint8_t ignored[1 + VKEY_PUBLIC_BYTES];

	if (material == NULL || strpbrk(material + 1, "-_") != NULL ||
	    !text_copy(ret, WITNESS_FILE_LEN + 1, material + 1))
		return false;
	swap(ret, '+', '-');
	swap(ret, '/', '_');
	return witness_file_take(ret, ignored);
}

/* ---- the list ---- */

static int refuse_line(struct err *e, size_t line, const char *what)
{
	return err_set(e, AMBIT_MALFORMED, NULL, "line %zu: %s", line, what);
}

static const char *take_witness(struct span line, struct witness *ret)
{
	char file[WITNESS_FILE_LEN + 1];
	struct witness_url ignored;
	struct span url;

	if (!span_until(&line, ' ', &url))
		return "no space between an address and a key";
	if (memchr(url.at, 0, url.len) != NULL || !take_part(ret->url, sizeof ret->url, url.at, url.len) ||
	    witness_url_parse(ret->url, &ignored, NULL) < 0)
		return "that is no address of a witness";
	if (memchr(line.at, 0, line.len) != NULL || memchr(line.at, ' ', line.len) != NULL ||
	    !take_part(ret->key, sizeof ret->key, line.at, line.len) || !witness_file(ret->key, file))
		return "that is no key of a witness";
	return NULL;
}

int witness_list_parse(struct span bytes, struct witness_list *ret, struct err *e)
{
	struct lines l = { .left = bytes };
	struct span line;

	ret->n = 0;
	while (lines_next(&l, &line)) {
		struct witness w;
		const char *wrong = ret->n == WITNESSES_MAX ? "more witnesses than are asked" : take_witness(line, &w);

		if (wrong == NULL && witness_list_find(ret, w.url) != NULL)
			wrong = "this address stands there already";
		if (wrong != NULL)
			return refuse_line(e, l.number, wrong);
		ret->w[ret->n++] = w;
	}
	return l.left.len == 0 ? 0 : refuse_line(e, l.number + 1, "no newline at its end");
}

void witness_list_put(const struct witness_list *l, struct buf *out)
{
	for (size_t i = 0; i < l->n; i++)
		buf_printf(out, "%s %s\n", l->w[i].url, l->w[i].key);
}

static size_t place_of(const struct witness_list *l, const char *url)
{
	size_t i = 0;

	while (i < l->n && strcmp(l->w[i].url, url) != 0)
		i++;
	return i;
}

int witness_list_add(struct witness_list *l, const struct witness *w, struct err *e)
{
	const size_t i = place_of(l, w->url);

	if (i == WITNESSES_MAX)
		return err_set(e, AMBIT_LIMIT, "remove one with --forget", "there are %d witnesses already",
			       WITNESSES_MAX);
	l->w[i] = *w;
	l->n += i == l->n;
	return 0;
}

bool witness_list_remove(struct witness_list *l, const char *url)
{
	const size_t i = place_of(l, url);

	if (i == l->n)
		return false;
	memmove(&l->w[i], &l->w[i + 1], (l->n - i - 1) * sizeof l->w[0]);
	l->n--;
	return true;
}

const struct witness *witness_list_find(const struct witness_list *l, const char *url)
{
	const size_t i = place_of(l, url);

	return i < l->n ? &l->w[i] : NULL;
}
