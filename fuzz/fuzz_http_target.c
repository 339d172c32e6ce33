/* The target of a request, a line feed, a granted host, and behind another one an authority as a field has it: what is taken lies in its bytes, and put together again is what was taken; it has no user;
 * an authority means one host and port, and is no other spelling of them; parameters are what their query was, and encoded anew say the same. */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "fuzz.h"
#include "http/target.h"

#define FIELDS 8192 /* of what was decoded: http/target.h */

/* ---- targets ---- */

static bool is(const struct http_text *t, const void *bytes, size_t n)
{
	return t->n == n && (n == 0 || memcmp(t->at, bytes, n) == 0);
}

static void put(struct buf *to, const struct http_text *t)
{
	buf_put(to, t->at, t->n);
}

static bool has_any(const struct http_text *t, const char *of)
{
	for (size_t i = 0; i < t->n; i++)
		if (strchr(of, t->at[i]) != NULL)
			return true;
	return false;
}

static void is_put_together(const struct http_text *target, const struct http_target *t)
{
	auto_buf all = { .max = 0 };

	buf_init(&all, target->n + 1);
	if (t->form == HTTP_TARGET_ABSOLUTE) /* its scheme may be of large letters */
		buf_put(&all, target->at, t->is_tls ? 8 : 7);
	if (t->form == HTTP_TARGET_ASTERISK)
		buf_put_u8(&all, '*');
	put(&all, &t->authority);
	put(&all, &t->path);
	if (t->has_query)
		buf_put_u8(&all, '?');
	put(&all, &t->query);
	promise(!all.failed && is(target, all.data, all.len));
}

static void target_is_sound(const struct http_text *target, const struct http_target *t)
{
	const bool has_path = t->form == HTTP_TARGET_ORIGIN || t->form == HTTP_TARGET_ABSOLUTE;

	is_put_together(target, t);
	for (size_t i = 0; i < target->n; i++)
		promise((uint8_t)target->at[i] > 0x20 && (uint8_t)target->at[i] < 0x7f && target->at[i] != '#');
	promise(has_path == (t->path.n > 0) && (!has_path || t->path.at[0] == '/'));
	promise(!has_any(&t->path, "?"));
	promise(!t->has_query || has_path);
	promise((t->authority.n > 0) == (t->form == HTTP_TARGET_ABSOLUTE || t->form == HTTP_TARGET_AUTHORITY));
	promise(t->form != HTTP_TARGET_ABSOLUTE || !has_any(&t->authority, "@/?"));
}

/* ---- authorities ---- */

struct granted {
	struct host_name name;
	struct address address;
};

static bool means(const struct http_text *authority, const struct granted *g, uint16_t port, bool is_tls)
{
	return http_authority_means(authority, &g->name, &g->address, port, is_tls);
}

static bool means_text(const struct buf *text, const struct granted *g, uint16_t port, bool is_tls)
{
	return means(&(struct http_text){ .at = (const char *)text->data, .n = text->len }, g, port, is_tls);
}

static bool take_granted(const char *text, size_t n, struct granted *ret)
{
	*ret = (struct granted){ .address = { .family = 0 } };
	return host_take(text, n, &ret->name) || address_take(text, n, &ret->address);
}

static void put_host(struct buf *to, const struct granted *g)
{
	char text[ADDRESS_TEXT_MAX];

	if (g->name.text[0] == 0)
		address_put(&g->address, text);
	buf_printf(to, g->address.family == ADDRESS_IPV6 ? "[%s]" : "%s", g->name.text[0] != 0 ? g->name.text : text);
}

/* How it is to be written means it, and neither a user before nor a name below it does. */
static void host_is_meant(const struct granted *g, uint16_t port, bool is_tls)
{
	uint8_t room[2 * HOST_NAME_MAX_LEN];
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	put_host(&text, g);
	promise(means_text(&text, g, port, is_tls) == (port == (is_tls ? 443 : 80)));
	buf_printf(&text, ":%u", (unsigned)port);
	promise(means_text(&text, g, port, is_tls) && !means_text(&text, g, (uint16_t)(port + 1), is_tls));
	buf_init_in(&text, room, sizeof room);
	buf_printf(&text, "a@");
	put_host(&text, g);
	buf_printf(&text, ":%u", (unsigned)port);
	promise(!means_text(&text, g, port, is_tls));
	room[1] = '.';
	promise(!means_text(&text, g, port, is_tls));
}

/* What means a host is that host, but for the size of letters, how an address of IPv6 is cut short, and a port that goes without saying. */
static void is_written_so(const struct http_text *authority, const struct granted *g, uint16_t port)
{
	uint8_t room[2 * HOST_NAME_MAX_LEN];
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	put_host(&text, g);
	buf_printf(&text, ":%u", (unsigned)port);
	promise(!has_any(authority, "@/?#%, \\"));
	if (g->address.family == ADDRESS_IPV6)
		promise(authority->at[0] == '[' && memchr(authority->at, ']', authority->n) != NULL);
	else
		promise(authority->n <= text.len &&
			strncasecmp(authority->at, (const char *)text.data, authority->n) == 0);
}

static void authority_is_one(const struct http_text *authority, const struct granted *g)
{
	static const uint16_t ports[] = { 1, 80, 443, 8443, 65534 };

	for (size_t i = 0; i < 2 * (sizeof ports / sizeof *ports); i++) {
		const uint16_t port = ports[i / 2];
		const bool is_tls = i % 2 == 0;

		host_is_meant(g, port, is_tls);
		if (!means(authority, g, port, is_tls))
			continue;
		is_written_so(authority, g, port);
		for (size_t k = 0; k < sizeof ports / sizeof *ports; k++)
			promise((ports[k] == port) == means(authority, g, ports[k], is_tls));
	}
}

/* The host, and what follows it. */
static void of_host(const struct http_text *authority, const char *text, size_t n)
{
	const char *end = n > 0 ? memchr(text, '\n', n) : NULL;
	const size_t of_host = end != NULL ? (size_t)(end - text) : n;
	struct granted g;

	if (!take_granted(text, of_host, &g))
		return;
	authority_is_one(authority, &g);
	if (end != NULL)
		authority_is_one(&(struct http_text){ .at = end + 1, .n = n - of_host - 1 }, &g);
}

/* ---- parameters ---- */

static void encode(struct buf *to, const struct http_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_printf(to, "%%%02x", (unsigned)(uint8_t)t->at[i]);
}

static void says_the_same(const struct http_parameter *p)
{
	static struct http_parameters again;
	struct http_parameter one;
	auto_buf text = { .max = 0 };

	buf_init(&text, 3 * FIELDS + 1);
	encode(&text, &p->name);
	buf_put_u8(&text, '=');
	encode(&text, &p->value);
	if (text.len > FIELDS)
		return;
	http_parameters_begin(&again, &(struct http_text){ .at = (const char *)text.data, .n = text.len });
	promise(http_parameters_next(&again, &one) && !one.malformed);
	promise(is(&one.name, p->name.at, p->name.n) && is(&one.value, p->value.at, p->value.n));
	promise(!http_parameters_next(&again, &one));
}

static void parameters_are_the_query(const struct http_text *query)
{
	static struct http_parameters all;
	struct http_parameter one;
	auto_buf text = { .max = 0 };

	buf_init(&text, query->n + 1);
	http_parameters_begin(&all, query);
	for (unsigned i = 0; http_parameters_next(&all, &one); i++) {
		if (i > 0)
			buf_put_u8(&text, '&');
		put(&text, &one.raw);
		promise(!has_any(&one.raw, "&") && one.name.n + one.value.n <= one.raw.n);
		promise(one.name.n + one.value.n <= FIELDS && (one.raw.n <= FIELDS || one.malformed));
		if (!one.malformed)
			says_the_same(&one);
	}
	promise(!text.failed && is(query, text.data, text.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = size > 0 ? memchr(data, '\n', size) : NULL;
	const struct http_text target = { .at = text, .n = end != NULL ? (size_t)(end - text) : size };
	const char *why = NULL;
	struct http_target t;

	if (!http_target_take(&target, &t, &why)) {
		promise(why != NULL);
		return 0;
	}
	target_is_sound(&target, &t);
	if (end != NULL)
		of_host(&t.authority, end + 1, size - target.n - 1);
	if (t.has_query)
		parameters_are_the_query(&t.query);
	return 0;
}
