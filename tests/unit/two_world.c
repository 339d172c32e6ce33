#include "two_world.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static void side_init(struct side *s)
{
	stream_init(&s->stream, -1, NULL);
	buf_init(&s->log, 16u << 20);
	buf_init(&s->got, 4u << 20);
	buf_init(&s->block, 1u << 20);
	(void)nghttp2_hd_inflate_new(&s->inflater);
}

static void side_finish(struct side *s)
{
	stream_finish(&s->stream);
	buf_finish(&s->log);
	buf_finish(&s->got);
	buf_finish(&s->block);
	nghttp2_hd_inflate_del(s->inflater);
}

static void count(void *arg, const struct http_host *host, const struct http_asked *asked, unsigned status)
{
	struct world *w = arg;

	w->counted++;
	(void)host;
	w->counted_rule = asked->rule;
	w->counted_status = status;
	strcpy(w->counted_method, asked->method);
}

static bool take_terms(struct world *w, const char *terms)
{
	struct mask_text text = { .at = (const uint8_t *)WORLD_SECRET, .n = strlen(WORLD_SECRET) };
	struct err e = { .code = 0 };

	if (terms_take(terms, &w->judge.terms, &e) != 0)
		return false;
	w->judge.object = "h.example:443";
	if (!terms_has(&w->judge.terms, TERM_SECRET))
		return true;
	for (uint32_t i = 0; i < w->judge.terms.n_secrets; i++)
		w->judge.secrets[i] = (struct judge_secret){ WORLD_SECRET, strlen(WORLD_SECRET) };
	w->masks = mask_set_create(&text, 1, NULL);
	return w->masks != NULL;
}

struct world *world_create(const char *terms, const char *host_settings)
{
	struct world *w = calloc(1, sizeof *w);

	if (w == NULL || !take_terms(w, terms))
		abort();
	side_init(&w->program);
	side_init(&w->host);
	strcpy(w->to.name.text, "h.example");
	w->to.port = 443;
	w->to.tls = true;
	w->parts = (struct one_parts){ .judge = &w->judge,
				       .masks = w->masks,
				       .host = &w->to,
				       .client = &w->program.stream,
				       .server = &w->host.stream,
				       .verdict = &w->verdict,
				       .count = count,
				       .arg = w };
	two_init(&w->two, NULL);
	say_bytes(&w->program, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
	say_frame(&w->program, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	if (host_settings == NULL)
		return w;
	say_frame(&w->host, NGHTTP2_SETTINGS, 0, 0, host_settings, strlen(host_settings) / 6 * 6);
	return w;
}

void world_destroy(struct world *w)
{
	two_finish(&w->two);
	if (w->two.for_client.held != 0 || w->two.for_server.held != 0)
		abort(); /* each byte that it took was counted, and given back */
	side_finish(&w->program);
	side_finish(&w->host);
	mask_set_free(w->masks);
	free(w);
}

/* ---- what came out ---- */

static void log_fields(struct side *s)
{
	const uint8_t *at = s->block.data;
	size_t left = s->block.len;
	int flags = 0;

	while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
		nghttp2_nv nv = { .flags = 0 };
		const ssize_t n = nghttp2_hd_inflate_hd2(s->inflater, &nv, &flags, at, left, 1);

		if (n < 0)
			abort();
		at += n;
		left -= (size_t)n;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0)
			continue;
		buf_printf(&s->log, " %s%.*s=", (nv.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0 ? "!" : "", (int)nv.namelen,
			   (char *)nv.name);
		buf_put(&s->log, nv.value, nv.valuelen);
	}
	(void)nghttp2_hd_inflate_end_headers(s->inflater);
	buf_reset(&s->block);
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void log_settings(struct side *s, const uint8_t *at, size_t n)
{
	for (size_t i = 0; i + 6 <= n; i += 6)
		buf_printf(&s->log, " %u=%u", (unsigned)at[i] << 8 | at[i + 1], be32(at + i + 2));
}

static void log_frame(struct side *s, const uint8_t *at, size_t n)
{
	const uint32_t id = be32(at + 5) & 0x7fffffff;
	const unsigned flags = at[4];
	const uint8_t *body = at + 9;

	switch (at[3]) {
	case NGHTTP2_DATA:
		buf_printf(&s->log, "DATA %u ", id);
		buf_put(&s->log, body, n < 512 ? n : 512);
		s->data += n;
		break;
	case NGHTTP2_HEADERS:
		buf_printf(&s->log, "HEADERS %u", id);
		buf_put(&s->block, body, n);
		if ((flags & F_HEADERS) != 0)
			log_fields(s);
		break;
	case NGHTTP2_CONTINUATION:
		buf_put(&s->block, body, n);
		if ((flags & F_HEADERS) != 0)
			log_fields(s);
		break;
	case NGHTTP2_RST_STREAM: buf_printf(&s->log, "RST %u %u", id, be32(body)); break;
	case NGHTTP2_GOAWAY: buf_printf(&s->log, "GOAWAY %u %u", be32(body), be32(body + 4)); break;
	case NGHTTP2_WINDOW_UPDATE: buf_printf(&s->log, "WINDOW %u %u", id, be32(body)); break;
	case NGHTTP2_PING: buf_printf(&s->log, "PING"); break;
	case NGHTTP2_SETTINGS:
		buf_printf(&s->log, "SETTINGS");
		log_settings(s, body, n);
		break;
	default: buf_printf(&s->log, "frame %u", at[3]); break;
	}
	if ((at[3] == NGHTTP2_SETTINGS || at[3] == NGHTTP2_PING) && (flags & 1) != 0)
		buf_printf(&s->log, " ack");
	if ((at[3] == NGHTTP2_DATA || at[3] == NGHTTP2_HEADERS) && (flags & 1) != 0)
		buf_printf(&s->log, " end");
	buf_printf(&s->log, "\n");
}

static bool collect(struct side *s, bool from_client)
{
	struct stream *from = &s->stream;
	const bool any = stream_waits(from) > 0;
	size_t n;

	if (from->out.failed || stream_waits(from) > TWO_WAITS_MAX + (17u << 10))
		abort(); /* the bound that two.h names */
	if (any)
		buf_put(&s->got, from->out.data + from->written, stream_waits(from));
	buf_reset(&from->out);
	from->written = 0;
	if (from_client && s->got.len >= NGHTTP2_CLIENT_MAGIC_LEN &&
	    memcmp(s->got.data, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN) == 0)
		buf_drop(&s->got, NGHTTP2_CLIENT_MAGIC_LEN);
	while (s->got.len >= 9 && s->got.len >= 9 + (n = be32(s->got.data) >> 8)) {
		log_frame(s, s->got.data, n);
		buf_drop(&s->got, 9 + n);
	}
	return any;
}

void world_run(struct world *w)
{
	bool any = true;

	while (any && w->two.state != TWO_DONE) {
		any = two_step(&w->two, &w->parts);
		any |= collect(&w->program, false);
		any |= collect(&w->host, true);
	}
}

const char *world_log(struct side *s)
{
	return buf_cstr(&s->log);
}

bool world_says(struct side *s, const char *what)
{
	return strstr(world_log(s), what) != NULL;
}

void world_forget(struct world *w)
{
	buf_reset(&w->program.log);
	buf_reset(&w->host.log);
	w->program.data = w->host.data = 0;
	w->counted = 0;
}

/* ---- what is said ---- */

void say_bytes(struct side *s, const void *bytes, size_t n)
{
	buf_put(&s->stream.in, bytes, n);
	if (s->stream.in.failed)
		abort();
}

void say_frame(struct side *s, unsigned type, unsigned flags, uint32_t id, const void *bytes, size_t n)
{
	const uint8_t head[9] = { (uint8_t)(n >> 16),  (uint8_t)(n >> 8),  (uint8_t)n,
				  (uint8_t)type,       (uint8_t)flags,     (uint8_t)(id >> 24),
				  (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id };

	say_bytes(s, head, sizeof head);
	say_bytes(s, bytes, n);
}

static void put_text(struct buf *b, const char *text, size_t n)
{
	if (n < 127) {
		buf_put_u8(b, (uint8_t)n);
	} else { /* RFC 7541, 5.1 */
		size_t rest = n - 127;

		buf_put_u8(b, 127);
		for (; rest >= 128; rest /= 128)
			buf_put_u8(b, (uint8_t)(rest % 128 + 128));
		buf_put_u8(b, (uint8_t)rest);
	}
	buf_put(b, text, n);
}

void say_headers(struct side *s, unsigned flags, uint32_t id, const char *fields)
{
	auto_buf block;

	buf_init(&block, 1u << 20);
	while (*fields != 0) {
		const char *equals = strchr(fields + 1, '=');
		const size_t n = strcspn(equals + 1, "|");

		buf_put_u8(&block, 0);
		put_text(&block, fields, (size_t)(equals - fields));
		put_text(&block, equals + 1, n);
		fields = equals + 1 + n + (equals[1 + n] == '|');
	}
	say_frame(s, NGHTTP2_HEADERS, flags, id, block.data, block.len);
}

void say_data(struct side *s, unsigned flags, uint32_t id, const char *text)
{
	say_frame(s, NGHTTP2_DATA, flags, id, text, strlen(text));
}

void say_u32(struct side *s, unsigned type, uint32_t id, uint32_t value)
{
	const uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
				   (uint8_t)value };

	say_frame(s, type, 0, id, bytes, 4);
}

void say_much(struct side *s, unsigned flags, uint32_t id, size_t n)
{
	static uint8_t much[16384];

	memset(much, 'm', sizeof much);
	for (; n > sizeof much; n -= sizeof much)
		say_frame(s, NGHTTP2_DATA, 0, id, much, sizeof much);
	say_frame(s, NGHTTP2_DATA, flags, id, much, n);
}
