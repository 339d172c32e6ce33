#include "witness/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/text.h"
#include "ledger/checkpoint.h"

#define DASH "\xe2\x80\x94 "
#define SIZE_TYPE "text/x.tlog.size"

/* ---- the request ---- */

static void put_body(const struct witness_ask *ask, struct buf *out)
{
	buf_printf(out, "old %" PRIu64 "\n", ask->old);
	for (size_t i = 0; i < ask->n_hashes; i++) {
		base64_put(out, &ask->hashes[i], sizeof ask->hashes[i]);
		buf_put(out, "\n", 1);
	}
	buf_put(out, "\n", 1);
	buf_put(out, ask->checkpoint.at, ask->checkpoint.len);
}

void answer_request(const struct witness_ask *ask, struct buf *out)
{
	const bool bracket = strchr(ask->url.host, ':') != NULL;
	auto_buf body = { .max = WITNESS_ASK_MAX };

	put_body(ask, &body);
	buf_printf(out, "POST %s/add-checkpoint HTTP/1.1\r\n", ask->url.path);
	buf_printf(out, "Host: %s%s%s:%s\r\n", bracket ? "[" : "", ask->url.host, bracket ? "]" : "", ask->url.port);
	buf_printf(out, "User-Agent: ambit/" AMBIT_VERSION "\r\nContent-Type: text/plain; charset=utf-8\r\n");
	buf_printf(out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.len);
	buf_put(out, body.data, body.len);
	out->failed |= body.failed;
}

/* ---- HTTP ---- */

static int stop(struct answer *a, enum witness_outcome why)
{
	a->wrong = why;
	return -1; /* the parser gives up */
}

static int take_head(struct answer *a, size_t n)
{
	a->head += n;
	return a->head > ANSWER_HEAD_MAX ? stop(a, WITNESS_TOO_MUCH) : 0;
}

static void append(char *text, size_t size, const char *at, size_t n)
{
	const size_t len = strlen(text), room = size - 1 - len;

	memcpy(text + len, at, n < room ? n : room);
	text[len + (n < room ? n : room)] = 0;
}

static int on_status(http_parser *p, const char *at, size_t n)
{
	(void)at;
	return take_head(p->data, n);
}

static int on_field(http_parser *p, const char *at, size_t n)
{
	struct answer *a = p->data;

	if (a->in_value)
		a->field[0] = 0;
	a->in_value = false;
	append(a->field, sizeof a->field, at, n);
	return take_head(a, n);
}

static int on_value(http_parser *p, const char *at, size_t n)
{
	struct answer *a = p->data;

	a->in_value = true;
	if (strcasecmp(a->field, "Content-Type") == 0)
		append(a->type, sizeof a->type, at, n);
	return take_head(a, n);
}

static int on_body(http_parser *p, const char *at, size_t n)
{
	struct answer *a = p->data;

	buf_put(&a->body, at, n);
	return a->body.failed ? stop(a, WITNESS_TOO_MUCH) : 0;
}

/* One answer is all that is read. */
static int on_end(http_parser *p)
{
	struct answer *a = p->data;

	a->whole = true;
	http_parser_pause(p, 1);
	return 0;
}

void answer_init(struct answer *a)
{
	memset(a, 0, sizeof *a);
	http_parser_init(&a->parser, HTTP_RESPONSE);
	http_parser_set_max_header_size(ANSWER_HEAD_MAX);
	a->parser.data = a;
	buf_init(&a->body, ANSWER_BODY_MAX);
}

void answer_finish(struct answer *a)
{
	buf_finish(&a->body);
}

/* What the parser could make nothing of. */
static enum witness_outcome refused(const struct answer *a)
{
	switch ((int)HTTP_PARSER_ERRNO(&a->parser)) {
	case HPE_HEADER_OVERFLOW: return WITNESS_TOO_MUCH;
	case HPE_INVALID_EOF_STATE: return WITNESS_CLOSED;
	default: return WITNESS_NO_HTTP;
	}
}

bool answer_take(struct answer *a, const void *bytes, size_t n)
{
	http_parser_settings settings;
	size_t taken;

	if (a->whole || a->wrong != WITNESS_COSIGNED)
		return false;
	http_parser_settings_init(&settings);
	settings.on_status = on_status;
	settings.on_header_field = on_field;
	settings.on_header_value = on_value;
	settings.on_body = on_body;
	settings.on_message_complete = on_end;
	taken = http_parser_execute(&a->parser, &settings, bytes, n);
	if (a->whole || a->wrong != WITNESS_COSIGNED)
		return false;
	if (n == 0)
		a->wrong = WITNESS_CLOSED;
	else if (taken != n || a->parser.upgrade)
		a->wrong = refused(a);
	return a->wrong == WITNESS_COSIGNED;
}

/* ---- what it means ---- */

/* Where it was asked about as many entries as it saw, it can only mean that their root is another. */
static void judge_size(const struct answer *a, const struct witness_ask *ask, struct witness_verdict *v)
{
	struct span body = span_bytes(a->body.data, a->body.len), number;
	const bool same = ask->old > 0 && ask->n_hashes == 0;

	v->outcome = same ? WITNESS_OTHER_HISTORY : WITNESS_NO_SIZE;
	if (strncasecmp(a->type, SIZE_TYPE, strlen(SIZE_TYPE)) == 0 && span_until(&body, '\n', &number) &&
	    body.len == 0 && span_decimal(number, CHECKPOINT_SIZE_MAX, &v->size) && !(same && v->size == ask->old))
		v->outcome = WITNESS_OTHER_SIZE;
}

/* The checkpoint as it was sent, and what the key signed of it. */
static void put_cosigned(const struct witness_ask *ask, const struct note *n, size_t known, const struct vkey *k,
			 struct buf *out)
{
	buf_reset(out);
	buf_put(out, ask->checkpoint.at, ask->checkpoint.len);
	for (size_t i = known; i < n->n_signatures; i++) {
		const struct note_signature *s = &n->signatures[i];

		if (s->id == k->id && span_equal(s->name, span_of(k->name)))
			buf_printf(out, DASH "%s %.*s\n", k->name, (int)s->base64.len, s->base64.at);
	}
}

/* mine: the checkpoint, parsed; both: the same with the lines of the answer behind it. */
static enum witness_outcome judge_note(const struct witness_ask *ask, const struct note *mine, const struct note *both,
				       struct buf *room, struct witness_verdict *v)
{
	struct checkpoint c;
	struct vkey k;

	if (vkey_parse(span_of(ask->key), &k, NULL) < 0 || k.type != VKEY_COSIGNATURE ||
	    note_verify(mine, &k, NULL) != NOTE_UNSIGNED || checkpoint_parse(mine->text, &c, NULL) < 0)
		return WITNESS_NOT_ASKED;
	/* An empty line in the answer would make a text of the checkpoint's own signatures. */
	if (!span_equal(mine->text, both->text))
		return WITNESS_NO_LINES;
	switch (note_verify(both, &k, &v->time_s)) {
	case NOTE_UNSIGNED: return WITNESS_UNSIGNED;
	case NOTE_BAD: return WITNESS_BAD_SIGNATURE;
	case NOTE_GOOD: break;
	}
	if (v->time_s == 0 || v->time_s > ask->now_s + WITNESS_EARLY_S)
		return WITNESS_BAD_TIME;
	v->size = c.size;
	put_cosigned(ask, both, mine->n_signatures, &k, room);
	v->note = span_bytes(room->data, room->len);
	return room->failed ? WITNESS_TOO_MUCH : WITNESS_COSIGNED;
}

static enum witness_outcome judge_lines(const struct answer *a, const struct witness_ask *ask, struct buf *room,
					struct witness_verdict *v)
{
	auto_buf all = { .max = NOTE_MAX };
	struct note mine, both;

	if (note_parse(ask->checkpoint, &mine, NULL) < 0)
		return WITNESS_NOT_ASKED;
	buf_put(&all, ask->checkpoint.at, ask->checkpoint.len);
	buf_put(&all, a->body.data, a->body.len);
	if (all.failed)
		return WITNESS_TOO_MUCH;
	if (a->body.len == 0 || note_parse(span_bytes(all.data, all.len), &both, NULL) < 0)
		return WITNESS_NO_LINES;
	return judge_note(ask, &mine, &both, room, v);
}

static enum witness_outcome outcome_of(unsigned status)
{
	switch (status) {
	case 400: return WITNESS_BAD_REQUEST;
	case 403: return WITNESS_FORBIDDEN;
	case 404: return WITNESS_UNKNOWN_LOG;
	case 422: return WITNESS_NO_GROWTH;
	default: return status >= 300 && status < 400 ? WITNESS_REDIRECT : WITNESS_STATUS;
	}
}

void answer_judge(const struct answer *a, const struct witness_ask *ask, struct buf *room, struct witness_verdict *ret)
{
	struct witness_verdict v = { .outcome = a->wrong, .status = a->parser.status_code };

	if (a->wrong == WITNESS_COSIGNED && !a->whole)
		v.outcome = WITNESS_CLOSED;
	else if (a->wrong == WITNESS_COSIGNED && v.status == 200)
		v.outcome = judge_lines(a, ask, room, &v);
	else if (a->wrong == WITNESS_COSIGNED && v.status == 409)
		judge_size(a, ask, &v);
	else if (a->wrong == WITNESS_COSIGNED)
		v.outcome = outcome_of(v.status);
	if (v.outcome != WITNESS_COSIGNED)
		v.time_s = 0;
	*ret = v;
}
