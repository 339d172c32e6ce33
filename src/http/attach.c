#include "http/attach.h"

#include <string.h>

const char *attach_field(const struct judge *j)
{
	switch ((enum terms_place)j->terms.secret.place) {
	case TERMS_BASIC: return "authorization";
	case TERMS_HEADER: return j->terms.secret.where;
	case TERMS_NO_SECRET:
	case TERMS_PARAMETER: break;
	}
	return NULL;
}

void attach_put_value(struct buf *out, const struct judge *j)
{
	const struct terms_secret *s = &j->terms.secret;
	const char *word = s->place == TERMS_BASIC ? "Basic" : s->word;

	buf_printf(out, "%s%s", word, word[0] != 0 ? " " : "");
	buf_put(out, j->secret, j->secret_len);
}

void attach_put_target(struct buf *out, const struct judge *j, const struct http_request *q, const struct verdict *v)
{
	const bool has_query = v->changes_query ? v->query[0] != 0 : q->has_query;
	const bool adds = j->terms.secret.place == TERMS_PARAMETER;

	buf_put(out, q->path.at, q->path.n);
	if (has_query || adds)
		buf_put_u8(out, '?');
	if (has_query && v->changes_query)
		buf_put(out, v->query, strlen(v->query));
	else if (has_query)
		buf_put(out, q->query.at, q->query.n);
	if (!adds)
		return;
	buf_printf(out, "%s%s=", has_query ? "&" : "", j->terms.secret.where);
	buf_put(out, j->secret, j->secret_len);
}

bool attach_is_ours(const struct http_text *name)
{
	static const char *const names[] = { "host",   "connection",     "keep-alive",     "proxy-connection",
					     "te",     "trailer",        "upgrade",        "transfer-encoding",
					     "expect", "content-length", "http2-settings", NULL };

	for (unsigned i = 0; names[i] != NULL; i++)
		if (http_name_means(name, names[i]))
			return true;
	return false;
}

bool attach_compresses(const struct http_text *name)
{
	static const char *const names[] = { "accept-encoding", "grpc-accept-encoding", "sec-websocket-extensions",
					     NULL };

	for (unsigned i = 0; names[i] != NULL; i++)
		if (http_name_means(name, names[i]))
			return true;
	return false;
}

void attach_put_masked(struct buf *out, const struct mask_set *masks, const struct http_text *t)
{
	uint8_t room[HTTP_HEAD_MAX];
	struct mask m;
	size_t n;

	if (masks == NULL) {
		buf_put(out, t->at, t->n);
		return;
	}
	mask_init(&m, masks);
	n = mask_run(&m, (const uint8_t *)t->at, t->n, room);
	n += mask_end(&m, room + n);
	buf_put(out, room, n);
}

/* A host that takes another coding than UTF-8 reads another document in these bytes: in UTF-7 any character of a text may end it. */
static bool is_utf8(struct http_text parameter)
{
	return parameter.n == 0 || http_text_is(&parameter, "charset=utf-8") ||
	       http_text_is(&parameter, "charset=\"utf-8\"");
}

/* The next of what semicolons part, without blanks around it. */
static struct http_text take_part(struct http_text *left)
{
	const char *end = memchr(left->at, ';', left->n);
	const size_t n = end == NULL ? left->n : (size_t)(end - left->at), taken = n + (end != NULL);
	const struct http_text part = http_trimmed(left->at, n);

	left->at += taken;
	left->n -= taken;
	return part;
}

static bool takes_type(const struct http_text *type, enum graphql_form *ret)
{
	struct http_text left = *type;
	const struct http_text word = take_part(&left);

	while (left.n > 0)
		if (!is_utf8(take_part(&left)))
			return false;
	*ret = http_text_is(&word, "application/json") ? GRAPHQL_JSON : GRAPHQL_DOCUMENT;
	return *ret == GRAPHQL_JSON || http_text_is(&word, "application/graphql");
}

bool attach_takes_document(const struct http_field *fields, uint32_t n, enum graphql_form *ret, struct verdict *ret_why)
{
	const struct http_field *type = NULL;
	bool one_type = true, encoded = false;

	for (uint32_t i = 0; i < n; i++) {
		encoded |= http_name_means(&fields[i].name, "content-encoding");
		if (!http_name_means(&fields[i].name, "content-type"))
			continue;
		one_type &= type == NULL;
		type = &fields[i];
	}
	if (!encoded && one_type && type != NULL && takes_type(&type->value, ret))
		return true;
	judge_refuse(ret_why, 415, AMBIT_MALFORMED, "send application/json, or application/graphql, plain and in UTF-8",
		     "a document of another type, or one that is encoded, cannot be judged");
	return false;
}
