#include "http/refusal.h"

#include <stdio.h>

#include "base/json.h"
#include "http/mask.h"

static void put_error(struct json *j, const struct verdict *v)
{
	json_put_object(json_put_key(j, "error"));
	json_put_word(json_put_key(j, "code"), err_code_name((int)v->why.code));
	json_put_word(json_put_key(j, "message"), v->why.msg);
	if (v->why.hint[0] != 0)
		json_put_word(json_put_key(j, "hint"), v->why.hint);
	json_put_object_end(j);
}

static void put_text(struct buf *out, const struct verdict *v)
{
	buf_printf(out, "%s\n", v->why.msg);
	if (v->why.hint[0] != 0)
		buf_printf(out, "hint: %s\n", v->why.hint);
}

/* What its libraries do with each: of UNAVAILABLE alone they may try the same again. */
const char *refusal_grpc_status(const struct verdict *v)
{
	switch (v->status) {
	case 400:
	case 415: return "3"; /* INVALID_ARGUMENT */
	case 403:
	case 405:
	case 421: return "7"; /* PERMISSION_DENIED */
	case 413:
	case 414:
	case 429:
	case 431: return "8";  /* RESOURCE_EXHAUSTED */
	case 501: return "12"; /* UNIMPLEMENTED */
	case 502: return "14"; /* UNAVAILABLE */
	default: return "13";  /* INTERNAL */
	}
}

void refusal_put_grpc_message(struct buf *out, const struct verdict *v)
{
	uint8_t room[ERR_MSG_MAX + ERR_HINT_MAX + sizeof "hint: \n\n"];
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	put_text(&text, v);
	mask_put_status(out, text.data, text.len - 1); /* without the last line's end */
}

bool refusal_is_grpc(const struct http_text *type)
{
	static const char word[] = "application/grpc";
	struct http_text first = *type;

	if (type->n >= sizeof word && (type->at[sizeof word - 1] == '+' || type->at[sizeof word - 1] == ';'))
		first.n = sizeof word - 1; /* of a form of messages, or with parameters */
	return http_text_is(&first, word);
}

const char *refusal_type(const struct verdict *v)
{
	return v->is_for_git ? "text/plain" : "application/json";
}

void refusal_put_body(struct buf *out, const struct verdict *v)
{
	struct json j;

	if (v->is_for_git) {
		put_text(out, v);
		return;
	}

	json_begin(&j, out);
	json_put_object(&j);
	put_error(&j, v);
	json_put_array(json_put_key(&j, "errors"));
	json_put_object(&j);
	json_put_word(json_put_key(&j, "message"), v->why.msg);
	json_put_object_end(&j);
	json_put_array_end(&j);
	json_put_word(json_put_key(&j, "message"), v->why.msg);
	json_put_object_end(&j);
	buf_put_u8(out, '\n');
}

const char *refusal_reason(unsigned status)
{
	switch (status) {
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 405: return "Method Not Allowed";
	case 413: return "Content Too Large";
	case 415: return "Unsupported Media Type";
	case 417: return "Expectation Failed";
	case 421: return "Misdirected Request";
	case 429: return "Too Many Requests";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	default: return "Refused";
	}
}

void refusal_put(struct buf *out, const struct verdict *v, bool is_head, bool closes)
{
	uint8_t room[REFUSAL_MAX];
	char retry[32] = "";
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	refusal_put_body(&body, v);
	if (v->retry_s != 0)
		(void)snprintf(retry, sizeof retry, "Retry-After: %u\r\n", (unsigned)v->retry_s);
	buf_printf(out,
		   "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n%s%s\r\n",
		   (unsigned)v->status, refusal_reason(v->status), refusal_type(v), body.len, retry,
		   closes ? "Connection: close\r\n" : "");
	if (!is_head)
		buf_put(out, body.data, body.len);
}
