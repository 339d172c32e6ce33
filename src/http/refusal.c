#include "http/refusal.h"

#include <stdio.h>
#include <string.h>

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

#define TEXT_MAX (ERR_MSG_MAX + ERR_HINT_MAX + sizeof "hint: \n\n")

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
	case 502:
	case 503: return "14"; /* UNAVAILABLE */
	default: return "13";  /* INTERNAL */
	}
}

void refusal_put_grpc_message(struct buf *out, const struct verdict *v)
{
	uint8_t room[TEXT_MAX];
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

/* ---- who reads it ---- */

static const struct http_text *value_of(const struct http_request *q, const char *name)
{
	for (uint32_t i = 0; i < q->n_fields; i++)
		if (http_text_is(&q->fields[i].name, name))
			return &q->fields[i].value;
	return NULL;
}

static bool asks_git_for(const struct http_request *q, const struct http_text *type, const char *service)
{
	char path[32], wanted[64];
	const size_t n = (size_t)snprintf(path, sizeof path, "/%s", service);

	(void)snprintf(wanted, sizeof wanted, "application/x-%s-request", service);
	return http_text_is(type, wanted) && q->path.n >= n && memcmp(q->path.at + q->path.n - n, path, n) == 0;
}

enum refusal_reader refusal_reader(const struct http_request *q)
{
	const struct http_text *agent = value_of(q, "user-agent"), *type = value_of(q, "content-type");

	if (agent == NULL || agent->n <= 4 || memcmp(agent->at, "git/", 4) != 0)
		return REFUSAL_TO_PROGRAM;
	if (type == NULL || q->method.n != 4 || memcmp(q->method.at, "POST", 4) != 0)
		return REFUSAL_TO_GIT;
	if (asks_git_for(q, type, "git-upload-pack"))
		return REFUSAL_TO_GIT_FETCH;
	return asks_git_for(q, type, "git-receive-pack") ? REFUSAL_TO_GIT_PUSH : REFUSAL_TO_GIT;
}

/* ---- git ---- */

/* What git calls an error of the server in the midst of its own protocol (gitprotocol-common(5), pkt-line; gitprotocol-pack(5), error-line). */
static void put_git_error(struct buf *out, const struct verdict *v)
{
	uint8_t room[TEXT_MAX];
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	put_text(&text, v);
	buf_printf(out, "%04zxERR ", text.len + 8);
	buf_put(out, text.data, text.len);
}

/* The answer to a push comes in bands, the first of which is the protocol. The third ends it as failed also for who waits for no report; whoever asked for no
 * bands takes all of this for a report that is none, and has failed as well. */
static void put_git_bands(struct buf *out, const struct verdict *v)
{
	static const char failed[] = "nothing was pushed";
	uint8_t room[REFUSAL_MAX / 2];
	struct buf error;

	buf_init_in(&error, room, sizeof room);
	put_git_error(&error, v);
	buf_printf(out, "%04zx\1", error.len + 5);
	buf_put(out, error.data, error.len);
	buf_printf(out, "%04zx\3%s", sizeof failed - 1 + 5, failed);
}

/* ---- an answer ---- */

unsigned refusal_status(const struct verdict *v, enum refusal_reader to)
{
	return to == REFUSAL_TO_GIT_FETCH || to == REFUSAL_TO_GIT_PUSH ? 200 : v->status;
}

const char *refusal_type(enum refusal_reader to)
{
	switch (to) {
	case REFUSAL_TO_PROGRAM: break;
	case REFUSAL_TO_GIT: return "text/plain";
	case REFUSAL_TO_GIT_FETCH: return "application/x-git-upload-pack-result";
	case REFUSAL_TO_GIT_PUSH: return "application/x-git-receive-pack-result";
	}
	return "application/json";
}

static void put_json(struct buf *out, const struct verdict *v)
{
	struct json j;

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

void refusal_put_body(struct buf *out, const struct verdict *v, enum refusal_reader to)
{
	switch (to) {
	case REFUSAL_TO_PROGRAM: put_json(out, v); break;
	case REFUSAL_TO_GIT: put_text(out, v); break;
	case REFUSAL_TO_GIT_FETCH: put_git_error(out, v); break;
	case REFUSAL_TO_GIT_PUSH: put_git_bands(out, v); break;
	}
}

const char *refusal_reason(unsigned status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 405: return "Method Not Allowed";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 417: return "Expectation Failed";
	case 421: return "Misdirected Request";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	default: return "Refused";
	}
}

void refusal_put(struct buf *out, const struct verdict *v, enum refusal_reader to, bool is_head, bool closes)
{
	uint8_t room[REFUSAL_MAX];
	char retry[32] = "";
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	refusal_put_body(&body, v, to);
	if (v->retry_s != 0)
		(void)snprintf(retry, sizeof retry, "Retry-After: %u\r\n", (unsigned)v->retry_s);
	buf_printf(out,
		   "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n%s%s\r\n",
		   refusal_status(v, to), refusal_reason(refusal_status(v, to)), refusal_type(to), body.len, retry,
		   closes ? "Connection: close\r\n" : "");
	if (!is_head)
		buf_put(out, body.data, body.len);
}
