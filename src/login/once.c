#include "login/once.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "witness/channel.h"

bool once_open(struct once *o, const struct login_ask *ask, struct login_answer *a)
{
	auto_buf pem = { .max = REACH_AUTHORITIES_MAX };
	struct err e;

	*o = (struct once){ .answer = a };
	buf_init(&o->body, ONCE_BODY_MAX);
	a->outcome = LOGIN_UNREACHED;
	if (url_take(ask->url, &o->url, &e) < 0)
		return false;
	o->net.host = o->url.host;
	o->net.to_n = reach_find(&o->net.to, o->url.host, o->url.at.port);
	if (o->net.to_n == 0 || !o->url.tls)
		return o->net.to_n != 0;
	a->outcome = LOGIN_NO_TRUST;
	channel_prepare();
	o->net.context = reach_authorities(&pem) ? channel_trust(span_bytes(pem.data, pem.len)) : NULL;
	return o->net.context != NULL;
}

void once_close(struct once *o)
{
	SSL_CTX_free(o->net.context);
	buf_finish(&o->body);
}

/* ---- what is asked ---- */

static void put_encoded(struct buf *out, const char *text)
{
	for (; *text != 0; text++) {
		const uint8_t c = (uint8_t)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", *text) != NULL)
			buf_put_u8(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void put_form(struct buf *out, const struct login_ask *ask)
{
	for (uint32_t i = 0; i < ask->n; i++) {
		buf_printf(out, "%s%s=", i > 0 ? "&" : "", ask->params[i].name);
		put_encoded(out, ask->params[i].value);
	}
}

/* A client without a secret, which proves itself by what only it can know of the request for a code. */
static void put_client(struct buf *out, const struct login_ask *ask)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "client_name"), "Ambit");
	json_put_array(json_put_key(&j, "redirect_uris"));
	json_put_word(&j, login_param_of(ask, "redirect_uri"));
	json_put_array_end(&j);
	json_put_array(json_put_key(&j, "grant_types"));
	json_put_word(&j, "authorization_code");
	json_put_word(&j, "refresh_token");
	json_put_array_end(&j);
	json_put_array(json_put_key(&j, "response_types"));
	json_put_word(&j, "code");
	json_put_array_end(&j);
	json_put_word(json_put_key(&j, "token_endpoint_auth_method"), "none");
	if (login_param_of(ask, "scope")[0] != 0)
		json_put_word(json_put_key(&j, "scope"), login_param_of(ask, "scope"));
	json_put_object_end(&j);
}

/* As any client of the protocol begins: what else it may be asked without a token nobody knows. */
static void put_hello(struct buf *out)
{
	buf_printf(
		out,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
		"\"capabilities\":{},\"clientInfo\":{\"name\":\"ambit\",\"version\":\"1\"}}}");
}

static void put_request(struct buf *out, const struct once *o, const struct login_ask *ask)
{
	const bool is_get = ask->step == LOGIN_RESOURCE || ask->step == LOGIN_SERVER;
	auto_buf body = { .max = LOGIN_ASK_MAX * 3 };
	char host[ENDPOINT_TEXT_MAX];

	if (ask->step == LOGIN_PROBE)
		put_hello(&body);
	else if (ask->step == LOGIN_REGISTER)
		put_client(&body, ask);
	else if (ask->step == LOGIN_TOKEN)
		put_form(&body, ask);
	url_host(&o->url, host);
	buf_printf(
		out,
		"%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ambit\r\nAccept: application/json%s\r\nConnection: close\r\n",
		is_get ? "GET" : "POST", o->url.target, host, ask->step == LOGIN_PROBE ? ", text/event-stream" : "");
	if (!is_get)
		buf_printf(out, "Content-Type: application/%s\r\nContent-Length: %zu\r\n",
			   ask->step == LOGIN_TOKEN ? "x-www-form-urlencoded" : "json", body.len);
	buf_printf(out, "\r\n");
	buf_put(out, body.data, body.len);
	out->failed = out->failed || body.failed;
}

/* ---- what is answered ---- */

static bool on_head(void *arg, const struct http_head *h)
{
	struct once *o = arg;

	o->answer->status = h->status;
	for (uint32_t i = 0; i < h->n_fields; i++)
		if (http_text_is(&h->fields[i].name, "www-authenticate"))
			read_challenge(o->answer, &h->fields[i].value);
	return true;
}

static bool on_data(void *arg, const uint8_t *bytes, size_t n)
{
	struct once *o = arg;

	buf_put(&o->body, bytes, n);
	return !o->body.failed;
}

static enum login_outcome outcome_of(const struct once *o, enum talk_result r)
{
	if (r == TALK_GOES)
		return LOGIN_SLOW;
	if (r == TALK_WHOLE)
		return LOGIN_ANSWERED;
	return r == TALK_FAILED ? (o->url.tls ? LOGIN_NO_TRUST : LOGIN_UNREACHED) : LOGIN_CLOSED;
}

bool once_run(struct once *o, const struct login_ask *ask)
{
	const struct talk_ear ear = { .arg = o, .head = on_head, .data = on_data };
	const uint64_t end = clock_ms() + ONCE_PATIENCE_MS;
	auto_buf out = { .max = 4 * LOGIN_ASK_MAX };
	enum talk_result r = TALK_FAILED;
	struct talk t;

	put_request(&out, o, ask);
	if (!out.failed && talk_open(&t, &o->net)) {
		talk_ask(&t, &out, ask->step == LOGIN_RESOURCE || ask->step == LOGIN_SERVER);
		for (r = TALK_GOES; r == TALK_GOES && clock_ms() < end; r = talk_turn(&t, &o->net, &ear)) {
			struct pollfd p = { .fd = t.fd, .events = t.events };

			(void)poll(&p, 1, t.more ? 0 : 1000);
			if (o->answer->status != 0 && ask->step == LOGIN_PROBE)
				break; /* a stream may have no end */
		}
		talk_close(&t);
	}
	o->answer->outcome = (uint8_t)outcome_of(o, r); /* in range */
	if (ask->step == LOGIN_PROBE && o->answer->status != 0)
		o->answer->outcome = LOGIN_ANSWERED;
	return o->answer->outcome == LOGIN_ANSWERED;
}
