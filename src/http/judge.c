#include "http/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/num.h"
#include "base/text.h"
#include "core/qualifiers.h"
#include "http/credential.h"
#include "http/graphql.h"

#define SHOWN_MAX 160

void judge_refuse(struct verdict *ret, uint16_t status, enum ambit_code code, const char *hint, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list arguments;

	va_start(arguments, fmt);
	(void)vsnprintf(text, sizeof text, fmt, arguments);
	va_end(arguments);
	(void)err_set(&ret->why, code, hint, "%s", text);
	ret->status = status;
	ret->retry_s = 0;
}

static void shown(const struct http_text *t, char ret[SHOWN_MAX])
{
	text_escape(ret, SHOWN_MAX, t->at, t->n);
}

/* ---- what is asked for ---- */

static void note(const struct http_text *t, char *ret, size_t size)
{
	size_t n = 0;

	for (; n < t->n && n + 1 < size && t->at[n] > 0x20 && t->at[n] < 0x7f && t->at[n] != '?' && t->at[n] != '#';
	     n++)
		ret[n] = t->at[n];
	ret[n] = 0;
}

/* Decoded, as whoever makes a rule of it does; the query is in no rule. */
static bool has_encoded_credential(const struct http_text *target)
{
	const char *mark = memchr(target->at, '?', target->n);
	const struct http_text t = { .at = target->at, .n = mark != NULL ? (size_t)(mark - target->at) : target->n };
	struct credential_scan scan;
	uint8_t room[256];
	size_t n = 0;

	credential_scan_init(&scan);
	for (size_t i = 0; i < t.n; i++) {
		const int high = i + 2 < t.n ? hex_digit(t.at[i + 1]) : -1;
		const int low = i + 2 < t.n ? hex_digit(t.at[i + 2]) : -1;
		const bool encoded = t.at[i] == '%' && high >= 0 && low >= 0;

		room[n++] = encoded ? (uint8_t)(high * 16 + low) : (uint8_t)t.at[i];
		i += encoded ? 2 : 0;
		if (n < sizeof room)
			continue;
		if (credential_scan_run(&scan, room, n) != NULL)
			return true;
		n = 0;
	}
	return credential_scan_run(&scan, room, n) != NULL;
}

/* A target in the absolute form may say who asks, and with which password. */
static bool has_user(const struct http_text *target)
{
	const char *slashes = memmem(target->at, target->n, "//", 2), *end = target->at + target->n;

	if (target->at[0] == '/')
		return false;
	for (const char *at = slashes != NULL ? slashes + 2 : target->at; at < end && *at != '/' && *at != '?'; at++)
		if (*at == '@')
			return true;
	return false;
}

void asked_note(struct http_asked *a, const struct http_text *method, const struct http_text *path)
{
	*a = (struct http_asked){ .rule = -1 };
	note(method, a->method, method->n < sizeof a->method ? sizeof a->method : 1);
	note(path, a->path, sizeof a->path);
	if (path->n > 0 && (has_user(path) || has_encoded_credential(path) ||
			    credential_find((const uint8_t *)path->at, path->n) != NULL))
		(void)text_copy(a->path, sizeof a->path, "(a-credential)"); /* what is told is kept, and shown */
}

void asked_note_document(struct http_asked *a, const struct graphql_verdict *g)
{
	a->n_fields = 0;
	if (g->allowed && g->n_fields <= GRAPHQL_NOTED_MAX) {
		a->n_fields = g->n_fields;
		memcpy(a->fields, g->fields, sizeof a->fields);
	} else if (!g->allowed && g->field[0] != 0 &&
		   strlen(g->field) + 1 < sizeof g->field) { /* else it may be cut off */
		a->n_fields = 1;
		a->fields[0].type = g->type;
		memcpy(a->fields[0].field, g->field, sizeof a->fields[0].field);
	}
}

static bool take_path(const struct http_request *q, char path[HTTP_PATH_MAX], struct verdict *ret)
{
	const char *wrong = http_path_take(q->path.at, q->path.n, path, HTTP_PATH_MAX);

	if (wrong != NULL)
		judge_refuse(ret, 400, AMBIT_MALFORMED, "write the path in its plain form",
			     "servers could read this path in two ways: %s", wrong);
	return wrong == NULL;
}

static bool take_method(const struct http_request *q, char method[TERMS_METHOD_MAX], struct verdict *ret)
{
	char text[SHOWN_MAX];

	shown(&q->method, text);
	if (q->method.n >= TERMS_METHOD_MAX || !http_is_method(&q->method)) {
		judge_refuse(ret, 501, AMBIT_MALFORMED, NULL, "no method is called %s", text);
		return false;
	}
	memcpy(method, q->method.at, q->method.n);
	method[q->method.n] = 0;
	if (strcmp(method, "CONNECT") != 0 && strcmp(method, "TRACE") != 0)
		return true;
	judge_refuse(ret, 405, AMBIT_DENIED, NULL, "%s is never passed on", method);
	return false;
}

static bool is_for_host(const struct http_host *host, const struct http_request *q, struct verdict *ret)
{
	char text[SHOWN_MAX];

	if (http_authority_means(&q->authority, &host->name, &host->address, host->port, host->tls))
		return true;
	shown(&q->authority, text);
	judge_refuse(ret, 421, AMBIT_DENIED, "make a connection for each host",
		     "this connection is to another host than %s, which the request is for",
		     text[0] != 0 ? text : "none");
	return false;
}

static void refuse_rule(const struct judge *j, const char *method, const struct http_request *q, struct verdict *ret)
{
	char path[SHOWN_MAX], hint[ERR_HINT_MAX];

	shown(&q->path, path);
	(void)snprintf(hint, sizeof hint, "added to the http rules of the grant %s, this one allows it: %s %s",
		       j->object, method, path);
	judge_refuse(ret, 403, AMBIT_DENIED, hint, "%s %s is not granted", method, path);
}

void judge_refuse_document(const struct judge *j, const struct graphql_verdict *g, struct verdict *ret)
{
	char hint[ERR_HINT_MAX] = "";

	if (g->field[0] != 0)
		(void)snprintf(hint, sizeof hint, "added to the graphql of the grant %s, this allows it: %s %s",
			       j->object, terms_operation_word(g->type), g->field);
	else if (terms_are_graphql(&j->terms))
		(void)snprintf(
			hint, sizeof hint,
			"each request to %s has to be one of GraphQL, as its grant names no path for that: http='GRAPHQL /graphql' does",
			j->object);
	judge_refuse(ret, 403, AMBIT_DENIED, hint[0] != 0 ? hint : NULL, "%s", g->why);
}

static bool finds_rule(const struct judge *j, const struct http_request *q, struct verdict *ret)
{
	char path[HTTP_PATH_MAX], method[TERMS_METHOD_MAX];

	if (!take_path(q, path, ret) || !take_method(q, method, ret))
		return false;
	ret->rule = j->terms.n_rules > 0 ? terms_rule_of(&j->terms, method, path) : -1;
	if (ret->rule < 0 && j->terms.n_rules > 0) {
		refuse_rule(j, method, q, ret);
		return false;
	}
	ret->wants_document = terms_are_graphql(&j->terms) ||
			      (ret->rule >= 0 && terms_rule_is_graphql(&j->terms.rules[ret->rule]));
	if (j->terms.credentials == TERMS_PASS || credential_find((const uint8_t *)path, strlen(path)) == NULL)
		return true;
	judge_refuse(ret, 403, AMBIT_DENIED, "leave it out: who has a token may not use it here by that alone",
		     "the path has %s in it", credential_find((const uint8_t *)path, strlen(path)));
	return false;
}

/* ---- credentials ---- */

static bool has_text(const struct http_text *t, const char *wanted, size_t n)
{
	return n > 0 && t->n >= n && memmem(t->at, t->n, wanted, n) != NULL;
}

/* `ambit:NAME`, by itself, behind a word, or as the password of Basic. */
static bool has_placeholder(const struct terms_secret *s, const struct http_text *value)
{
	char plain[sizeof JUDGE_PLACEHOLDER + TERMS_NAME_MAX];
	const int n = snprintf(plain, sizeof plain, "%s%s", JUDGE_PLACEHOLDER, s->name);
	const char *blank = memchr(value->at, ' ', value->n);
	uint8_t decoded[256];
	struct buf b;

	if (has_text(value, plain, (size_t)n))
		return true;
	if (s->place != TERMS_BASIC || blank == NULL)
		return false;
	buf_init_in(&b, decoded, sizeof decoded);
	return base64_take(&b, blank + 1, value->n - (size_t)(blank + 1 - value->at)) &&
	       has_text(&(struct http_text){ .at = (const char *)decoded, .n = b.len }, plain, (size_t)n);
}

enum judged { KEPT, DROPPED, REFUSED };

/* A credential that the program brings. in_place: the secret that goes there; NULL: none does. */
static enum judged judge_own(const struct judge *j, const struct terms_secret *in_place, const struct http_text *value)
{
	if (in_place != NULL && has_placeholder(in_place, value))
		return DROPPED;
	if (j->terms.credentials == TERMS_REFUSE)
		return REFUSED;
	return in_place != NULL || j->terms.credentials == TERMS_REPLACE ? DROPPED : KEPT;
}

static void refuse_own(const struct judge *j, const struct terms_secret *in_place, const char *what,
		       const struct http_text *name, struct verdict *ret)
{
	char text[SHOWN_MAX], hint[ERR_HINT_MAX];

	shown(name, text);
	if (j->terms.n_secrets > 0)
		(void)snprintf(
			hint, sizeof hint,
			"leave it out, or give the program %s%s in its place: the grant's own secret is put in; or grant credentials: replace",
			JUDGE_PLACEHOLDER, in_place != NULL ? in_place->name : j->terms.secrets[0].name);
	else
		(void)snprintf(hint, sizeof hint,
			       "leave it out, or grant a secret (--connect \"%s secret=NAME\"), or credentials=pass",
			       j->object);
	judge_refuse(ret, 403, AMBIT_DENIED, hint, "the %s %s is a credential that is not the grant's", what, text);
}

/* A token that stands in one of the two, which need not be the value. */
static const char *form_in(const struct http_text *name, const struct http_text *value)
{
	const char *form = credential_find((const uint8_t *)value->at, value->n);

	return form != NULL ? form : credential_find((const uint8_t *)name->at, name->n);
}

/* The secret that goes into a field of this name; NULL: none does. */
static const struct terms_secret *secret_in_field(const struct judge *j, const struct http_text *name)
{
	for (uint32_t i = 0; i < j->terms.n_secrets; i++) {
		const char *field = terms_field_of(&j->terms.secrets[i]);

		if (field != NULL && http_name_means(name, field))
			return &j->terms.secrets[i];
	}
	return NULL;
}

static bool judge_field(const struct judge *j, const struct http_field *f, bool *ret_drop, struct verdict *ret)
{
	const struct terms_secret *in_place = secret_in_field(j, &f->name);
	const char *form = NULL;
	enum judged judged = KEPT;

	if (in_place != NULL || credential_is_field(f->name.at, f->name.n))
		judged = judge_own(j, in_place, &f->value);
	else if (j->terms.credentials != TERMS_PASS)
		form = form_in(&f->name, &f->value);
	*ret_drop = judged == DROPPED;
	if (judged == REFUSED || form != NULL)
		refuse_own(j, in_place, form != NULL ? form : "field", &f->name, ret);
	return judged != REFUSED && form == NULL;
}

/* By a convention of many servers it says which request is meant in place of the one that was judged. */
static bool names_another(const struct http_text *name)
{
	static const char *const fields[] = { "x-http-method-override", "x-http-method", "x-method-override",
					      "x-original-url",         "x-rewrite-url", NULL };

	for (const char *const *word = fields; *word != NULL; word++)
		if (http_name_means(name, *word))
			return true;
	return false;
}

static bool refuse_another(const struct http_text *name, struct verdict *ret)
{
	char text[SHOWN_MAX];

	shown(name, text);
	judge_refuse(ret, 400, AMBIT_MALFORMED, "ask for it by its method and path",
		     "servers could read this request in two ways: by %s it may mean another", text);
	return false;
}

static bool is_to_another(const struct http_request *q, const struct http_field *f)
{
	return http_name_means(&f->name, "destination") && q->method.n == 4 &&
	       (memcmp(q->method.at, "MOVE", 4) == 0 || memcmp(q->method.at, "COPY", 4) == 0);
}

/* Of MOVE and COPY a field says where to (RFC 4918, 10.3): that has to be at this host, and a rule has to mean it, too. */
static bool is_granted_destination(const struct judge *j, const struct http_host *host, const struct http_request *q,
				   const struct http_text *value, struct verdict *ret)
{
	struct http_request to = *q;
	struct verdict there = { .rule = -1 };
	struct http_target t;
	const char *why = NULL;

	if (!http_target_take(value, &t, &why) || t.form == HTTP_TARGET_AUTHORITY || t.form == HTTP_TARGET_ASTERISK) {
		judge_refuse(ret, 400, AMBIT_MALFORMED, "write a path, or a whole address of this host",
			     "servers could read this request in two ways: its Destination is none");
		return false;
	}
	to.path = t.path;
	to.authority = t.form == HTTP_TARGET_ABSOLUTE ? t.authority : q->authority;
	if (is_for_host(host, &to, &there) && finds_rule(j, &to, &there))
		return true;
	ret->status = there.status;
	ret->why = there.why;
	return false;
}

static bool judge_fields(const struct judge *j, const struct http_host *host, const struct http_request *q,
			 struct verdict *ret)
{
	for (uint32_t i = 0; i < q->n_fields; i++) {
		const struct http_field *f = &q->fields[i];

		if (j->terms.n_rules > 0 && names_another(&f->name))
			return refuse_another(&f->name, ret);
		if (j->terms.n_rules > 0 && is_to_another(q, f) && !is_granted_destination(j, host, q, &f->value, ret))
			return false;
		if (!judge_field(j, f, &ret->drops[i], ret))
			return false;
	}
	return true;
}

/* ---- parameters ---- */

bool judge_begins_name(char c)
{
	return c != ' ' && c != '[' && c != ']';
}

/* A name as it is read by those who make variables and arrays of parameters: blanks and brackets before it are left out, it ends at a bracket or
 * a NUL, and `.` and a blank are `_` (PHP; qs of Node.js; Rack). Too long for all that are looked for: "". */
static void meant_name(const struct http_text *name, char ret[TERMS_NAME_MAX])
{
	size_t from = 0, n = 0;

	while (from < name->n && !judge_begins_name(name->at[from]))
		from++;
	for (; from < name->n && name->at[from] != 0 && name->at[from] != '[' && name->at[from] != ']'; from++) {
		if (n + 1 == TERMS_NAME_MAX) {
			n = 0;
			break;
		}
		ret[n++] = name->at[from] == '.' || name->at[from] == ' ' ? '_' : name->at[from];
	}
	ret[n] = 0;
}

/* A method, as the value of a parameter that many give another meaning, too. */
static bool is_method_word(const struct http_text *value)
{
	static const char *const words[] = { "get", "head", "post", "put", "patch", "delete" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (http_text_is(value, words[i]))
			return true;
	return false;
}

/* A `[` that no bracket closes is `_` to PHP, behind blanks that it leaves out. */
static void meant_open(const struct http_text *name, char ret[TERMS_NAME_MAX])
{
	char open[TERMS_NAME_MAX]; /* what is longer is none that is looked for */
	size_t from = 0, n = 0;

	while (from < name->n && name->at[from] == ' ')
		from++;
	for (; from < name->n && n < sizeof open; from++)
		open[n++] = name->at[from] == '[' && memchr(name->at + from, ']', name->n - from) == NULL
				    ? '_'
				    : name->at[from];
	meant_name(&(struct http_text){ .at = open, .n = n }, ret);
}

/* The secret that goes into a parameter which one server or another takes for its own, of the query or of a form: many make one of both. Some take
 * large letters for small ones. */
static const struct terms_secret *secret_in_parameter(const struct judge *j, const char *meant, const char *open)
{
	char wanted[TERMS_NAME_MAX];

	for (uint32_t i = 0; i < j->terms.n_secrets; i++) {
		const struct terms_secret *s = &j->terms.secrets[i];
		const struct http_text where = { .at = s->where, .n = strlen(s->where) };

		meant_name(&where, wanted);
		if ((s->place == TERMS_PARAMETER || s->place == TERMS_FORM) &&
		    (strcasecmp(meant, wanted) == 0 || strcasecmp(open, wanted) == 0))
			return s;
	}
	return NULL;
}

struct judge_meaning judge_name_means(const struct judge *j, const struct http_text *name)
{
	char meant[TERMS_NAME_MAX], open[TERMS_NAME_MAX];
	struct http_text t;

	meant_name(name, meant);
	meant_open(name, open);
	t = (struct http_text){ .at = meant, .n = strlen(meant) };
	return (struct judge_meaning){
		.another = http_name_means(&t, "x-http-method-override") || http_text_is(&t, "_method"),
		.may_be_another = http_text_is(&t, "method"),
		.in_place = secret_in_parameter(j, meant, open),
		.credential = credential_is_parameter(meant, t.n) || credential_is_parameter(open, strlen(open)),
		.document = graphql_is_parameter(meant),
	};
}

static void look_at(const struct judge *j, const struct http_parameter *p, struct judge_meaning *ret)
{
	const struct judge_meaning one = judge_name_means(j, &p->name);

	ret->another |= one.another || (one.may_be_another && is_method_word(&p->value));
	ret->in_place = one.in_place != NULL ? one.in_place : ret->in_place;
	ret->credential |= one.credential;
	ret->document |= one.document;
}

/* Each of what semicolons part: some servers take them as they take `&`, and then one is hidden in another. */
static void look_at_parts(const struct judge *j, const struct http_text *raw, struct judge_meaning *ret)
{
	struct http_parameters parts;
	struct http_parameter one;

	for (size_t from = 0, end; from < raw->n; from = end + 1) {
		const char *semicolon = memchr(raw->at + from, ';', raw->n - from);

		end = semicolon == NULL ? raw->n : (size_t)(semicolon - raw->at);
		http_parameters_begin(&parts, &(struct http_text){ .at = raw->at + from, .n = end - from });
		if (http_parameters_next(&parts, &one))
			look_at(j, &one, ret);
	}
}

struct judge_meaning judge_parameter_meaning(const struct judge *j, const struct http_parameter *p)
{
	struct judge_meaning ret = { .another = false };

	look_at(j, p, &ret);
	if (memchr(p->raw.at, ';', p->raw.n) != NULL)
		look_at_parts(j, &p->raw, &ret);
	return ret;
}

static bool judge_credential(const struct judge *j, const struct http_parameter *p, const struct judge_meaning *m,
			     bool *ret_drop, struct verdict *ret)
{
	const char *form = NULL;
	enum judged judged = KEPT;

	if (m->in_place != NULL || m->credential)
		judged = judge_own(j, m->in_place, &p->value);
	else if (j->terms.credentials != TERMS_PASS)
		form = form_in(&p->name, &p->value);
	*ret_drop = judged == DROPPED;
	if (judged == REFUSED || form != NULL)
		refuse_own(j, m->in_place, form != NULL ? form : "parameter", &p->name, ret);
	return judged != REFUSED && form == NULL;
}

bool judge_parameter(const struct judge *j, enum terms_place place, const struct http_parameter *p,
		     const struct judge_meaning *m, bool *ret_drop, struct verdict *ret)
{
	if (p->raw.n > HTTP_PARAMETER_MAX) {
		judge_refuse(ret, 413, AMBIT_LIMIT, NULL, "a parameter has no more than %d bytes", HTTP_PARAMETER_MAX);
		return false;
	}
	if (p->malformed) {
		judge_refuse(ret, 400, AMBIT_MALFORMED, "encode a percent sign as %25",
			     "servers could read the %s in two ways", place == TERMS_FORM ? "form" : "query");
		return false;
	}
	if (m->another && j->terms.n_rules > 0)
		return refuse_another(&p->name, ret);
	return judge_credential(j, p, m, ret_drop, ret);
}

/* Some servers take the document of a target before the one of the body. */
static bool is_for_one_document(const struct http_request *q, const struct http_parameter *p,
				const struct judge_meaning *m, struct verdict *ret)
{
	if (!ret->wants_document || !q->has_body)
		return true;
	if (!m->document && memchr(p->raw.at, ';', p->raw.n) == NULL)
		return true;
	judge_refuse(ret, 400, AMBIT_MALFORMED, "send the document in one of the two",
		     "servers could read this request in two ways: it has a document in its target, and a body");
	return false;
}

static bool take_parameter(const struct judge *j, const struct http_request *q, const struct http_parameter *p,
			   bool *ret_drop, struct verdict *ret)
{
	const struct judge_meaning m = judge_parameter_meaning(j, p);

	return judge_parameter(j, TERMS_PARAMETER, p, &m, ret_drop, ret) && is_for_one_document(q, p, &m, ret);
}

/* Those that are left, in place of the query. */
static bool judge_query(const struct judge *j, const struct http_request *q, struct verdict *ret)
{
	struct http_parameters all;
	struct http_parameter one;
	size_t n = 0;

	if (q->query.n >= JUDGE_QUERY_MAX) {
		judge_refuse(ret, 414, AMBIT_LIMIT, NULL, "the query is longer than %d bytes", JUDGE_QUERY_MAX - 1);
		return false;
	}
	http_parameters_begin(&all, &q->query);
	while (q->query.n > 0 && http_parameters_next(&all, &one)) {
		bool drop = false;

		if (!take_parameter(j, q, &one, &drop, ret))
			return false;
		ret->changes_query |= drop;
		if (drop)
			continue;
		if (n > 0)
			ret->query[n++] = '&';
		memcpy(ret->query + n, one.raw.at, one.raw.n); /* all of them fit: the query does */
		n += one.raw.n;
	}
	ret->query[n] = 0;
	return true;
}

/* ---- all of it ---- */

/* What only asks, and brings nothing, has no form. */
static bool wants_form(const struct judge *j, const struct http_request *q)
{
	const bool asks = http_text_is(&q->method, "get") || http_text_is(&q->method, "head") ||
			  http_text_is(&q->method, "options");

	return terms_want_form(&j->terms) && (q->has_body || !asks);
}

void judge_request(const struct judge *j, const struct http_host *host, const struct http_request *q,
		   struct verdict *ret)
{
	ret->wants_form = wants_form(j, q);
	if (is_for_host(host, q, ret) && finds_rule(j, q, ret) && judge_fields(j, host, q, ret) && q->has_query)
		(void)judge_query(j, q, ret);
}

struct http_text judge_sent_query(const struct http_request *q, const struct verdict *v)
{
	return v->changes_query ? (struct http_text){ .at = v->query, .n = strlen(v->query) } : q->query;
}

static bool has_uses(const struct judge *j, struct verdict *ret)
{
	if (j->uses == 0 || j->used < j->uses)
		return true;
	judge_refuse(ret, 429, AMBIT_LIMIT, "grant more uses", "all %u uses of connect: %s are spent", j->uses,
		     j->object);
	return false;
}

static bool has_rate(struct judge *j, uint64_t now_ms, struct verdict *ret)
{
	const struct qualifiers most = { .rate = j->rate.most, .period_s = j->rate.period_ms / 1000 };
	char rate[32], hint[ERR_HINT_MAX];
	uint32_t wait_s;

	if (rate_take(&j->rate, now_ms))
		return true;
	wait_s = (uint32_t)((rate_wait_ms(&j->rate, now_ms) + 999) / 1000); /* an hour at most */
	qualifier_format(&most, QUALIFIER_RATE, rate, sizeof rate);
	(void)snprintf(hint, sizeof hint, "ask again in %u second%s, or grant a higher rate", wait_s,
		       wait_s == 1 ? "" : "s");
	judge_refuse(ret, 429, AMBIT_LIMIT, hint, "more requests than rate=%s of connect: %s", rate, j->object);
	ret->retry_s = wait_s;
	return false;
}

/* The rate last: what is refused for another reason takes nothing of it. */
bool judge_charge(struct judge *j, uint64_t now_ms, struct verdict *ret)
{
	if (!has_uses(j, ret) || !has_rate(j, now_ms, ret))
		return false;
	j->used++;
	return true;
}
