#include "http/attach.h"

#include <string.h>

#include "http/form.h"

void attach_put_value(struct buf *out, const struct judge *j, uint32_t i)
{
	const struct terms_secret *s = &j->terms.secrets[i];
	const char *word = s->place == TERMS_BASIC ? "Basic" : s->word;

	buf_printf(out, "%s%s", word, word[0] != 0 ? " " : "");
	buf_put(out, j->secrets[i].at, j->secrets[i].n);
}

bool attach_is_in_target(const struct judge *j)
{
	for (uint32_t i = 0; i < j->terms.n_secrets; i++)
		if (j->terms.secrets[i].place == TERMS_PARAMETER)
			return true;
	return false;
}

void attach_put_target(struct buf *out, const struct judge *j, const struct http_request *q, const struct verdict *v)
{
	const bool has_query = v->changes_query ? v->query[0] != 0 : q->has_query;
	const char *before = has_query ? "&" : "?";

	buf_put(out, q->path.at, q->path.n);
	if (has_query)
		buf_put_u8(out, '?');
	if (has_query && v->changes_query)
		buf_put(out, v->query, strlen(v->query));
	else if (has_query)
		buf_put(out, q->query.at, q->query.n);
	for (uint32_t i = 0; i < j->terms.n_secrets; i++) {
		if (j->terms.secrets[i].place != TERMS_PARAMETER)
			continue;
		buf_printf(out, "%s%s=", before, j->terms.secrets[i].where);
		buf_put(out, j->secrets[i].at, j->secrets[i].n);
		before = "&";
	}
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

bool attach_describes_form(const struct verdict *v, const struct http_text *name)
{
	return v->wants_form && http_name_means(name, "content-type");
}

unsigned attach_body_max(bool is_form)
{
	return is_form ? FORM_BODY_MAX : GRAPHQL_BODY_MAX;
}

void attach_put_masked(struct buf *out, const struct mask_set *masks, const struct http_text *t)
{
	const size_t at = out->len;

	buf_put(out, t->at, t->n);
	if (!out->failed && t->n > 0)
		mask_whole(masks, out->data + at, t->n);
}

bool attach_begin_mask(struct mask *m, const struct mask_set *masks, struct verdict *v)
{
	if (mask_begin(m, masks))
		return true;
	judge_refuse(v, 503, AMBIT_MEMORY, NULL,
		     "no memory that is never written to a disk, to cover a secret in the answer");
	return false;
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

/* Of a type of this name the only parameter is UTF-8. */
static bool is_type(const struct http_text *type, const char *name)
{
	struct http_text left = *type;
	const struct http_text word = take_part(&left);

	while (left.n > 0)
		if (!is_utf8(take_part(&left)))
			return false;
	return http_text_is(&word, name);
}

/* The only one of that name, as servers tell names apart; NULL: there is none, or there are several. */
static const struct http_field *find_only(const struct http_request *q, const char *name, unsigned *ret_n)
{
	const struct http_field *found = NULL;

	*ret_n = 0;
	for (uint32_t i = 0; i < q->n_fields; i++)
		if (http_name_means(&q->fields[i].name, name)) {
			found = &q->fields[i];
			++*ret_n;
		}
	return *ret_n == 1 ? found : NULL;
}

bool attach_takes_body(const struct http_request *q, struct verdict *v, enum graphql_form *ret)
{
	unsigned n, codings;
	const struct http_field *type = find_only(q, "content-type", &n);
	bool good = false;

	(void)find_only(q, "content-encoding", &codings);
	*ret = type != NULL && is_type(&type->value, "application/json") ? GRAPHQL_JSON : GRAPHQL_DOCUMENT;
	if (codings == 0 && type != NULL && v->wants_form)
		good = is_type(&type->value, FORM_TYPE);
	else if (codings == 0 && type != NULL)
		good = *ret == GRAPHQL_JSON || is_type(&type->value, "application/graphql");
	if (!good && v->wants_form)
		judge_refuse(
			v, 415, AMBIT_MALFORMED, "send " FORM_TYPE ", plain and in UTF-8",
			"the grant's secret goes into a form, and a body of another type, or one that is encoded, is none");
	else if (!good)
		judge_refuse(v, 415, AMBIT_MALFORMED,
			     "send application/json, or application/graphql, plain and in UTF-8",
			     "a document of another type, or one that is encoded, cannot be judged");
	return good;
}
