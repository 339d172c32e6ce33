#include "web/wanted.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"

#define METADATA "/.well-known/oauth-protected-resource"
#define BODY_MAX (4u << 20)

/* ---- one field ---- */

/* 1: it is there, 0: it is not. -1: twice. */
static int find_once(const struct http_head *h, const char *name, struct http_text *ret)
{
	int n = 0;

	for (uint32_t i = 0; i < h->n_fields; i++)
		if (http_text_is(&h->fields[i].name, name) && ++n == 1)
			*ret = h->fields[i].value;
	return n > 1 ? -1 : n;
}

static bool take_once(const struct http_head *h, const char *name, char *ret, size_t size, struct no *no)
{
	struct http_text t = { .n = 0 };
	const int n = find_once(h, name, &t);

	if (n < 0)
		return no_set(no, 400, NO_HTTP, "send it once", "the field %s is there twice", name);
	if (n == 0)
		return true;
	if (t.n == 0 || t.n >= size)
		return no_set(no, 400, NO_HTTP, NULL, "the field %s is empty, or longer than %zu bytes", name,
			      size - 1);
	for (size_t i = 0; i < t.n; i++)
		if ((uint8_t)t.at[i] < 0x21 || (uint8_t)t.at[i] > 0x7e)
			return no_set(no, 400, NO_HTTP, NULL, "the field %s has a byte that it may not have", name);
	memcpy(ret, t.at, t.n);
	ret[t.n] = 0;
	return true;
}

/* ---- whereto, and from where ---- */

static bool is_loopback(const char *name, size_t n)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
	const struct http_text t = { .at = name, .n = n };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (http_text_is(&t, names[i]))
			return true;
	return false;
}

/* Of "name:port", "[address]:port": how long the name is; 0: it is none. */
static size_t name_of(const char *at, size_t n, const char **ret_port)
{
	const char *end = n > 0 && at[0] == '[' ? memchr(at, ']', n) : memchr(at, ':', n);
	const size_t name = end == NULL ? n : (size_t)(end - at) + (*end == ']');
	size_t i = name + 1;

	*ret_port = "";
	if (n > 0 && at[0] == '[' && end == NULL)
		return 0;
	*ret_port = name < n ? at + name + 1 : at + n;
	if (name == n)
		return name;
	while (i < n && at[i] >= '0' && at[i] <= '9')
		i++;
	return at[name] == ':' && i == n && n > name + 1 && n - name <= 6 ? name : 0;
}

/* The host and port of a URL, without what is around them. */
static struct http_text place_of(const char *url)
{
	const char *begin = strstr(url, "://");

	begin = begin == NULL ? url : begin + 3;
	return (struct http_text){ .at = begin, .n = strcspn(begin, "/?#") };
}

static bool is_name_of(const char *url, const struct http_text *name)
{
	struct http_text place = place_of(url);
	const char *port;

	place.n = name_of(place.at, place.n, &port);
	return place.n > 0 && http_text_is_same(&place, name);
}

/* A name that leads here by somebody else's doing is none of ours. */
static bool is_our_host(const struct http_text *host, const struct web_begin *rules)
{
	struct http_text name = *host, address = { .at = rules->address, .n = strlen(rules->address) };
	const char *port;

	name.n = name_of(host->at, host->n, &port);
	if (name.n == 0)
		return false;
	if (is_loopback(name.at, name.n) || is_name_of(rules->audience, &name))
		return true;
	if (name.at[0] == '[' && name.n > 2 &&
	    http_text_is_same(&(struct http_text){ name.at + 1, name.n - 2 }, &address))
		return true;
	for (unsigned i = 0; i < WEB_ORIGINS_MAX && rules->origins[i][0] != 0; i++)
		if (is_name_of(rules->origins[i], &name))
			return true;
	return http_text_is_same(&name, &address);
}

/* Ours, or one that was named. Another page of this machine's loopback is as foreign as any: what serves it may be a program that nobody trusts. */
static bool is_our_origin(const char *origin, const struct web_begin *rules)
{
	const struct http_text o = { .at = origin, .n = strlen(origin) }, place = place_of(origin);
	char port[8];
	const char *its;
	size_t name;

	for (unsigned i = 0; i < WEB_ORIGINS_MAX && rules->origins[i][0] != 0; i++)
		if (http_text_is_same(&o, &(struct http_text){ rules->origins[i], strlen(rules->origins[i]) }))
			return true;
	(void)snprintf(port, sizeof port, "%u", rules->port); /* fits */
	name = name_of(place.at, place.n, &its);
	return strncmp(origin, "http://", 7) == 0 && place.at + place.n == origin + o.n &&
	       is_loopback(place.at, name) && strcmp(its, port) == 0;
}

static bool check_from(const struct http_head *h, const struct web_begin *rules, struct wanted *w, struct no *no)
{
	struct http_text host;

	if (find_once(h, "host", &host) != 1)
		return no_set(no, 400, NO_HTTP, "HTTP/1.1 wants one", "the request has no Host");
	if (!is_our_host(&host, rules))
		return no_set(no, 403, NO_HTTP, "http://127.0.0.1:PORT" WEB_PATH ", or --origin with that name",
			      "the request is for a host by another name");
	if (!take_once(h, "origin", w->origin, sizeof w->origin, no))
		return false;
	if (w->origin[0] == 0 || is_our_origin(w->origin, rules))
		return true;
	w->origin[0] = 0; /* and it is not told that it may read this */
	return no_set(no, 403, NO_HTTP, "--origin names those that may", "pages of that origin may not ask here");
}

static bool begins(const struct http_text *t, const char *word)
{
	const size_t n = strlen(word);

	return t->n >= n && memcmp(t->at, word, n) == 0;
}

static bool is_exactly(const struct http_text *t, const char *word)
{
	return t->n == strlen(word) && begins(t, word);
}

static enum wanted_method method_of(const struct http_text *t)
{
	return is_exactly(t, "POST")      ? WANTED_POST
	       : is_exactly(t, "GET")     ? WANTED_GET
	       : is_exactly(t, "DELETE")  ? WANTED_DELETE
	       : is_exactly(t, "OPTIONS") ? WANTED_OPTIONS
					  : WANTED_OTHER;
}

bool wanted_begin(const struct http_head *h, const struct web_begin *rules, struct wanted *ret, struct no *no)
{
	*ret = (struct wanted){ .method = method_of(&h->method), .path = WANTED_NOWHERE };
	ret->body = h->body == HTTP_LENGTH && h->body_length == 0 ? HTTP_NO_BODY : (enum http_body)h->body;
	ret->length = h->body_length;
	ret->closes = http_head_lists(h, "connection", "close");
	if (h->minor == 0)
		return no_set(no, 505, NO_HTTP, "HTTP/1.1", "the request is of HTTP/1.0");
	if (!check_from(h, rules, ret, no))
		return false;
	if (is_exactly(&h->target, WEB_PATH))
		ret->path = WANTED_MCP;
	else if (rules->auth == WEB_AUTH_OAUTH &&
		 (is_exactly(&h->target, METADATA) || is_exactly(&h->target, METADATA WEB_PATH)))
		ret->path = WANTED_METADATA;
	else
		return no_set(no, 404, NO_HTTP, "POST " WEB_PATH, "there is nothing here by that name");
	return true;
}

/* ---- what it says ---- */

/* One type, or a range with it in (a star for the one part or both), in a list of those with parameters. */
static bool accepts(const struct http_head *h, const char *type)
{
	const size_t kind = strcspn(type, "/") + 1;

	for (uint32_t i = 0; i < h->n_fields; i++) {
		struct http_text left = h->fields[i].value;

		if (!http_text_is(&h->fields[i].name, "accept"))
			continue;
		while (left.n > 0) {
			const char *comma = memchr(left.at, ',', left.n);
			const size_t n = comma == NULL ? left.n : (size_t)(comma - left.at);
			const char *semicolon = memchr(left.at, ';', n);
			const struct http_text one =
				http_trimmed(left.at, semicolon == NULL ? n : (size_t)(semicolon - left.at));

			if (http_text_is(&one, type) || http_text_is(&one, "*/*") ||
			    (one.n == kind + 1 && one.at[kind] == '*' &&
			     http_text_is_same(&(struct http_text){ one.at, kind }, &(struct http_text){ type, kind })))
				return true;
			left.at += n + (comma != NULL);
			left.n -= n + (comma != NULL);
		}
	}
	return false;
}

static bool is_json(const struct http_head *h)
{
	struct http_text t;
	const char *semicolon;

	if (find_once(h, "content-type", &t) != 1)
		return false;
	semicolon = memchr(t.at, ';', t.n);
	t = http_trimmed(t.at, semicolon == NULL ? t.n : (size_t)(semicolon - t.at));
	return http_text_is(&t, "application/json");
}

/* As it is, or in base64 between marks where a field could not have it. */
static bool take_name(const struct http_head *h, struct wanted *w, struct no *no)
{
	static const char before[] = "=?base64?", behind[] = "?=";
	const size_t around = sizeof before - 1 + sizeof behind - 1;
	auto_buf name = { .max = WANTED_NAME_MAX - 1 };
	struct http_text t = { .n = 0 };
	const int n = find_once(h, "mcp-name", &t);

	if (n <= 0)
		return n == 0 || no_set(no, 400, NO_HEADER, "send it once", "the field Mcp-Name is there twice");
	if (begins(&t, before) && t.n >= around && memcmp(t.at + t.n - 2, behind, 2) == 0) {
		if (!base64_take(&name, t.at + sizeof before - 1, t.n - around))
			return no_set(no, 400, NO_HEADER, NULL, "Mcp-Name has base64 that is none");
	} else {
		buf_put(&name, t.at, t.n);
	}
	if (name.failed || !text_is_utf8(name.data, name.len, NULL) ||
	    (name.len > 0 && memchr(name.data, 0, name.len) != NULL))
		return no_set(no, 400, NO_HEADER, NULL, "Mcp-Name is no UTF-8, or longer than %d bytes",
			      WANTED_NAME_MAX - 1);
	w->has_name = true;
	if (name.len > 0)
		memcpy(w->name, name.data, name.len);
	return true;
}

static bool check_body(const struct http_head *h, struct wanted *w, struct no *no)
{
	struct http_text expect;

	if (w->body == HTTP_NO_BODY)
		return w->method != WANTED_POST ||
		       no_set(no, 400, NO_REQUEST, "one message of JSON-RPC", "the request has no body");
	if (w->method != WANTED_POST)
		return no_set(no, 400, NO_HTTP, NULL, "that method has no body here");
	if (w->body == HTTP_LENGTH && w->length > BODY_MAX)
		return no_set(no, 413, NO_HTTP, "write long texts to a file in parts",
			      "the request is longer than %u bytes", BODY_MAX);
	if (http_head_find(h, "content-encoding") != NULL)
		return no_set(no, 415, NO_HTTP, "send it as it is", "the request has a Content-Encoding");
	if (find_once(h, "expect", &expect) == 0)
		return true;
	w->continues = true;
	return http_head_lists_only(h, "expect", (const char *const[]){ "100-continue", NULL }) ||
	       no_set(no, 417, NO_HTTP, NULL, "what the request expects is not done here");
}

static bool check_method(const struct wanted *w, struct no *no)
{
	if (w->method != WANTED_OTHER && (w->path == WANTED_MCP || w->method == WANTED_GET))
		return true;
	(void)no_set(no, 405, NO_HTTP, NULL, "that method is none here");
	no->allow = w->path == WANTED_MCP ? "GET, POST, DELETE" : "GET";
	return false;
}

bool wanted_take(const struct http_head *h, struct wanted *w, struct no *no)
{
	if (!check_method(w, no) || !check_body(h, w, no) ||
	    !take_once(h, "mcp-session-id", w->session, sizeof w->session, no) ||
	    !take_once(h, "mcp-protocol-version", w->version, sizeof w->version, no) ||
	    !take_once(h, "last-event-id", w->event, sizeof w->event, no) ||
	    !take_once(h, "mcp-method", w->what, sizeof w->what, no) || !take_name(h, w, no))
		return false;
	if (w->method == WANTED_POST && !is_json(h))
		return no_set(no, 415, NO_HTTP, "Content-Type: application/json", "the request is of another type");
	if (w->method == WANTED_POST && (!accepts(h, "application/json") || !accepts(h, "text/event-stream")))
		return no_set(no, 406, NO_HTTP, "Accept: application/json, text/event-stream",
			      "the request does not take both kinds of answers");
	if (w->method == WANTED_GET && w->path == WANTED_MCP && !accepts(h, "text/event-stream"))
		return no_set(no, 406, NO_HTTP, "Accept: text/event-stream", "the request takes no stream");
	return true;
}
