#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/attach.h"
#include "http/form.h"
#include "http/refusal.h"
#include "http/target.h"
#include "http/two_twin.h"

/* A request, taken apart. */
struct asked {
	struct http_text method, scheme, path, authority, host;
	uint32_t n;
	struct http_field fields[HTTP_FIELDS_MAX];
	bool hidden[HTTP_FIELDS_MAX];
};

/* ---- refusing ---- */

/* A status of HTTP that is no success would have its library make one up, and show nothing of ours. */
static void submit_grpc_refusal(struct two *o, struct twin *t)
{
	nghttp2_nv list[TWO_FIELDS_MAX];

	two_fields_reset(&o->made);
	two_fields_put_word(&o->made, ":status", "200");
	two_fields_put_word(&o->made, "content-type", "application/grpc");
	two_put_status(&o->made, o->parts->verdict);
	if (!two_fields_list(&o->made, list) ||
	    nghttp2_submit_response(o->client, t->client_id, list, o->made.n, NULL) != 0)
		twin_reset_client(o, t, NGHTTP2_INTERNAL_ERROR);
}

static void submit_refusal(struct two *o, struct twin *t)
{
	const nghttp2_data_provider body = twin_down(t);
	nghttp2_nv list[TWO_FIELDS_MAX];
	char text[24];

	two_fields_reset(&o->made);
	(void)snprintf(text, sizeof text, "%u", refusal_status(o->parts->verdict, t->reader));
	two_fields_put_word(&o->made, ":status", text);
	two_fields_put_word(&o->made, "content-type", refusal_type(t->reader));
	(void)snprintf(text, sizeof text, "%zu", t->down.bytes.len);
	two_fields_put_word(&o->made, "content-length", text);
	two_fields_put_word(&o->made, "cache-control", "no-store");
	(void)snprintf(text, sizeof text, "%u", (unsigned)o->parts->verdict->retry_s);
	if (o->parts->verdict->retry_s != 0)
		two_fields_put_word(&o->made, "retry-after", text);
	if (!two_fields_list(&o->made, list) ||
	    nghttp2_submit_response(o->client, t->client_id, list, o->made.n, t->is_head ? NULL : &body) != 0)
		twin_reset_client(o, t, NGHTTP2_INTERNAL_ERROR);
}

/* In place of the host, of which nothing is wanted any more. */
static void answer(struct two *o, struct twin *t)
{
	twin_reset_server(o, t, NGHTTP2_CANCEL);
	twin_drop_up(o, t);
	t->state = TWIN_REFUSED;
	t->host_cares = false;
	t->answered = true;
	t->down.counts = false;
	t->down.ended = true;
	if (t->is_grpc) {
		submit_grpc_refusal(o, t);
		return;
	}
	refusal_put_body(&t->down.bytes, o->parts->verdict, t->reader);
	submit_refusal(o, t);
}

/* The host may have acted on the part that it has. */
void two_refuse(struct two *o, struct twin *t)
{
	struct one_parts *p = o->parts;

	twin_tell(t, p, HTTP_NO_ANSWER);
	t->asked.rule = -2;
	p->count(p->arg, p->host, &t->asked, p->verdict->status);
	answer(o, t);
}

void two_fail(struct two *o, struct twin *t, const char *why)
{
	judge_refuse(o->parts->verdict, 502, AMBIT_GONE, NULL, "the host's answer cannot be passed on: %s", why);
	twin_tell(t, o->parts, HTTP_NO_ANSWER);
	answer(o, t);
}

static void refuse_malformed(struct two *o, struct twin *t, const char *why)
{
	judge_refuse(o->parts->verdict, 400, AMBIT_MALFORMED, NULL, "servers could read this request in two ways: %s",
		     why);
	two_refuse(o, t);
}

/* ---- what is asked ---- */

static bool is_same(const struct http_text *a, const struct http_text *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n) == 0);
}

/* Takes a text that may be there once. */
static bool take_once(struct http_text *to, const struct http_text *value)
{
	const bool first = to->at == NULL;

	*to = *value;
	return first;
}

static const char *take_pseudo(struct asked *a, const struct http_text *name, const struct http_text *value)
{
	bool first;

	if (a->n > 0 || a->host.at != NULL)
		return "a pseudo-field stands after a field";
	if (http_text_is(name, ":method"))
		first = take_once(&a->method, value);
	else if (http_text_is(name, ":scheme"))
		first = take_once(&a->scheme, value);
	else if (http_text_is(name, ":path"))
		first = take_once(&a->path, value);
	else if (http_text_is(name, ":authority"))
		first = take_once(&a->authority, value);
	else
		return "it has an unknown pseudo-field";
	return first ? NULL : "it has a pseudo-field twice";
}

/* What is of one hop has no place in this version (RFC 9113, 8.2.2). */
static bool is_of_hop(const struct http_text *name)
{
	static const char *const names[] = { "connection",        "keep-alive", "proxy-connection",
					     "transfer-encoding", "upgrade",    NULL };

	for (unsigned i = 0; names[i] != NULL; i++)
		if (http_text_is(name, names[i]))
			return true;
	return false;
}

static bool has_capital(const struct http_text *name)
{
	for (size_t i = 0; i < name->n; i++)
		if (name->at[i] >= 'A' && name->at[i] <= 'Z')
			return true;
	return false;
}

static const char *take_field(struct asked *a, const struct http_text *name, const struct http_text *value, bool hidden)
{
	if (name->n > 0 && name->at[0] == ':')
		return take_pseudo(a, name, value);
	if (name->n == 0 || has_capital(name))
		return "the name of a field is not in small letters";
	if (is_of_hop(name))
		return "it has a field of the connection";
	if (http_text_is(name, "te") && !http_text_is(value, "trailers"))
		return "its field TE has another word than trailers";
	if (http_text_is(name, "host"))
		return take_once(&a->host, value) ? NULL : "it has the field Host twice";
	if (a->n == HTTP_FIELDS_MAX)
		return "it has too many fields";
	a->fields[a->n] = (struct http_field){ .name = *name, .value = *value };
	a->hidden[a->n++] = hidden;
	return NULL;
}

static const char *take_fields(const struct two_fields *f, struct asked *ret)
{
	const char *wrong = NULL;

	for (uint32_t i = 0; i < f->n && wrong == NULL; i++) {
		const struct http_text name = two_fields_name(f, i), value = two_fields_value(f, i);

		wrong = take_field(ret, &name, &value, f->at[i].hidden);
	}
	return wrong;
}

/* NULL: *ret is the request. */
static const char *describe(const struct asked *a, bool ended, struct http_request *ret)
{
	struct http_target t;
	const char *why = NULL;

	if (a->method.n == 0 || a->scheme.n == 0 || a->path.n == 0 || a->authority.n == 0)
		return "one of :method, :scheme, :path and :authority is missing";
	if (!http_text_is(&a->scheme, "https"))
		return "its scheme is not https";
	if (a->host.at != NULL && !is_same(&a->host, &a->authority))
		return "its field Host and :authority are different";
	if (!http_target_take(&a->path, &t, &why))
		return why;
	if (t.form != HTTP_TARGET_ORIGIN)
		return "its target is no path";
	*ret = (struct http_request){ .method = a->method,
				      .path = t.path,
				      .query = t.query,
				      .has_query = t.has_query,
				      .authority = a->authority,
				      .n_fields = a->n,
				      .fields = a->fields,
				      .has_body = !ended };
	return NULL;
}

static const struct http_field *find(const struct asked *a, const char *name, unsigned *ret_n)
{
	const struct http_field *found = NULL;

	*ret_n = 0;
	for (uint32_t i = 0; i < a->n; i++)
		if (http_text_is(&a->fields[i].name, name)) {
			found = &a->fields[i];
			++*ret_n;
		}
	return found;
}

/* ---- what is sent ---- */

static void put_target(struct two_fields *to, const struct judge *j, const struct http_request *q,
		       const struct verdict *v)
{
	const struct http_text path = { .at = ":path", .n = 5 };

	two_fields_begin(to, &path);
	attach_put_target(&to->text, j, q, v);
	two_fields_end(to, attach_is_in_target(j));
}

static void put_pseudo(struct two_fields *to, const char *name, const struct http_text *value)
{
	const struct http_text n = { .at = name, .n = strlen(name) };

	two_fields_put(to, &n, value, false);
}

static void put_secrets(struct two_fields *to, const struct judge *j)
{
	for (uint32_t i = 0; i < j->terms.n_secrets; i++) {
		struct http_text place = { .at = terms_field_of(&j->terms.secrets[i]) };

		if (place.at == NULL)
			continue;
		place.n = strlen(place.at);
		two_fields_begin(to, &place);
		attach_put_value(&to->text, j, i);
		two_fields_end(to, true);
	}
}

/* What the host gets in place of what the program said. */
static void put_request(struct two_fields *to, const struct one_parts *p, const struct asked *a,
			const struct http_request *q)
{
	unsigned n;

	two_fields_reset(to);
	put_pseudo(to, ":method", &a->method);
	put_pseudo(to, ":scheme", &a->scheme);
	put_pseudo(to, ":authority", &a->authority);
	put_target(to, p->judge, q, p->verdict);
	for (uint32_t i = 0; i < a->n; i++) {
		const struct http_text *name = &a->fields[i].name;

		if (!p->verdict->drops[i] && !attach_is_ours(name) && !attach_describes_form(p->verdict, name) &&
		    (p->masks == NULL || !attach_compresses(name)))
			two_fields_put(to, name, &a->fields[i].value, a->hidden[i]);
	}
	if (p->verdict->wants_form)
		two_fields_put_word(to, "content-type", FORM_TYPE);
	if (p->masks != NULL)
		two_fields_put_word(to, "accept-encoding", "identity"); /* what is compressed is not literal */
	if (find(a, "te", &n) != NULL)
		two_fields_put_word(to, "te", "trailers"); /* no other word got here, and those of the answer pass */
	put_secrets(to, p->judge);
}

/* Whether the host takes one more now: what the library would keep until it does is not bounded by anything of ours. */
static bool has_place(const struct two *o)
{
	const uint32_t most = nghttp2_session_get_remote_settings(o->server, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
	uint32_t open = 0;

	for (const struct twin *t = o->twins; t != NULL; t = t->next)
		open += t->server_open;
	return open < most;
}

static void submit_request(struct two *o, struct twin *t, const struct two_fields *f, bool has_body)
{
	const nghttp2_data_provider body = twin_up(t);
	nghttp2_nv list[TWO_FIELDS_MAX];
	int32_t id;

	if (!two_fields_list(f, list)) {
		judge_refuse(o->parts->verdict, 431, AMBIT_LIMIT, NULL,
			     "the head of a request has no more than %u bytes", HTTP_HEAD_MAX);
		two_refuse(o, t);
		return;
	}
	id = nghttp2_submit_request(o->server, NULL, list, f->n, has_body ? &body : NULL, t);
	if (id < 0) {
		twin_reset_client(
			o, t,
			NGHTTP2_REFUSED_STREAM); /* the host goes, or numbers are used up: another connection will do */
		return;
	}
	t->server_id = id;
	t->server_open = true;
	t->untold = true;
	t->state = TWIN_PASSES;
	t->down.counts = true;
}

static void send_request(struct two *o, struct twin *t, const struct two_fields *f, bool has_body)
{
	if (o->server == NULL || !has_place(o))
		twin_reset_client(o, t, NGHTTP2_REFUSED_STREAM);
	else if (!attach_begin_mask(&t->mask, o->parts->masks, o->parts->verdict) ||
		 !judge_charge(o->parts->judge, o->parts->now_ms, o->parts->verdict))
		two_refuse(o, t);
	else
		submit_request(o, t, f, has_body);
}

/* Whoever waits for a word before the body gets ours: that of a host is not passed on. */
static void say_continue(struct two *o, const struct twin *t)
{
	nghttp2_nv list[TWO_FIELDS_MAX];
	const uint32_t at = two_fields_find(&o->asked, "expect");

	if (at == o->asked.n)
		return;
	two_fields_reset(&o->made);
	two_fields_put_word(&o->made, ":status", "100");
	if (two_fields_list(&o->made, list))
		(void)nghttp2_submit_headers(o->client, NGHTTP2_FLAG_NONE, t->client_id, NULL, list, o->made.n, NULL);
}

static void gather(struct two *o, struct twin *t, const struct asked *a, const struct http_request *q)
{
	if (!attach_takes_body(q, o->parts->verdict, &t->form)) {
		two_refuse(o, t);
		return;
	}
	t->kept = malloc(sizeof *t->kept);
	if (t->kept == NULL) {
		twin_reset_client(o, t, NGHTTP2_INTERNAL_ERROR);
		return;
	}
	two_fields_init(t->kept, o->memory);
	put_request(t->kept, o->parts, a, q);
	t->gathered = t->kept->text.len + sizeof *t->kept;
	o->gathered += t->gathered;
	t->gathers_form = o->parts->verdict->wants_form;
	t->state = TWIN_GATHER;
	if (q->has_body)
		say_continue(o, t);
	else
		two_end_body(o, t);
}

static bool is_granted_query(struct two *o, struct twin *t, const struct http_request *q)
{
	struct graphql_verdict g;

	graphql_judge(&o->parts->judge->terms, GRAPHQL_PARAMETERS, judge_sent_query(q, o->parts->verdict).at,
		      judge_sent_query(q, o->parts->verdict).n, &g);
	asked_note_document(&t->asked, &g);
	if (g.allowed)
		return true;
	judge_refuse_document(o->parts->judge, &g, o->parts->verdict);
	two_refuse(o, t);
	return false;
}

/* How long the body will be is held by the library against what comes, on this side; the host is told, too. */
static void put_length(struct two_fields *to, const struct asked *a)
{
	unsigned n;
	const struct http_field *length = find(a, "content-length", &n);

	if (length != NULL)
		two_fields_put(to, &length->name, &length->value, false);
}

static void judge(struct two *o, struct twin *t, const struct asked *a, const struct http_request *q)
{
	struct one_parts *p = o->parts;

	judge_request(p->judge, p->host, q, p->verdict);
	t->reader = (uint8_t)refusal_reader(q);
	t->asked.rule = p->verdict->rule;
	if (p->verdict->status != 0) {
		two_refuse(o, t);
		return;
	}
	brings_begin(&t->brings, q, p->verdict->wants_form);
	if (p->verdict->wants_form || (p->verdict->wants_document && q->has_body)) {
		gather(o, t, a, q);
		return;
	}
	if (p->verdict->wants_document && !is_granted_query(o, t, q))
		return;
	put_request(&o->made, p, a, q);
	put_length(&o->made, a);
	t->up.counts = true;
	t->up.ended = !q->has_body;
	send_request(o, t, &o->made, q->has_body);
	if (q->has_body && t->state == TWIN_PASSES)
		say_continue(o, t);
}

static void note(struct twin *t, const struct asked *a)
{
	unsigned n;
	const struct http_field *type = find(a, "content-type", &n);

	asked_note(&t->asked, &a->method, &a->path);
	t->is_head = strcmp(t->asked.method, "HEAD") == 0;
	t->is_grpc = type != NULL && refusal_is_grpc(&type->value);
}

void two_take_request(struct two *o, struct twin *t, bool ended)
{
	struct asked a = { .n = 0 };
	struct http_request q;
	const char *wrong = take_fields(&o->asked, &a);

	*o->parts->verdict = (struct verdict){ .rule = -1 };
	note(t, &a);
	if (o->asked.over || o->asked.cost > HTTP_HEAD_MAX) {
		judge_refuse(o->parts->verdict, 431, AMBIT_LIMIT, NULL,
			     "the head of a request has no more than %u bytes and %d fields", HTTP_HEAD_MAX,
			     HTTP_FIELDS_MAX);
		two_refuse(o, t);
		return;
	}
	if (wrong == NULL && o->asked.bad)
		wrong = "a field has a name or a value that is none";
	if (wrong == NULL)
		wrong = describe(&a, ended, &q);
	if (wrong != NULL)
		refuse_malformed(o, t, wrong);
	else
		judge(o, t, &a, &q);
}

/* ---- its body ---- */

static bool brings_wrong(struct two *o, struct twin *t, const uint8_t *bytes, size_t n)
{
	const char *wrong = brings_run(&t->brings, o->parts->judge, bytes, n);

	if (wrong != NULL)
		judge_refuse(o->parts->verdict, 403, AMBIT_DENIED, NULL, "%s", wrong);
	return wrong != NULL;
}

static void judge_too_large(struct two *o, const struct twin *t)
{
	judge_refuse(o->parts->verdict, 413, AMBIT_LIMIT, NULL,
		     "a %s has no more than %u bytes, and all that come at one time %u",
		     t->gathers_form ? "form" : "document", attach_body_max(t->gathers_form), TWO_GATHERED_MAX);
}

static void gather_more(struct two *o, struct twin *t, const uint8_t *bytes, size_t n)
{
	if (brings_wrong(o, t, bytes, n)) {
		two_refuse(o, t);
		return;
	}
	buf_put(&t->up.bytes, bytes, n);
	t->gathered += n;
	o->gathered += n;
	if (!t->up.bytes.failed && t->up.bytes.len <= attach_body_max(t->gathers_form) &&
	    o->gathered <= TWO_GATHERED_MAX)
		return;
	judge_too_large(o, t);
	two_refuse(o, t);
}

static void pass(struct two *o, struct twin *t, const uint8_t *bytes, size_t n)
{
	if (!brings_wrong(o, t, bytes, n)) {
		twin_put_up(o, t, bytes, n);
		return;
	}
	if (!t->answered) {
		two_refuse(o, t);
		return;
	}
	twin_drop_up(o, t);
	t->host_cares = false;
	twin_reset_server(o, t, NGHTTP2_CANCEL);
	if (!t->is_grpc || t->down.ended || !two_refuse_behind(o, t))
		twin_reset_client(o, t, NGHTTP2_CANCEL);
}

void two_take_body(struct two *o, struct twin *t, const uint8_t *bytes, size_t n)
{
	const bool passes = t->state == TWIN_PASSES && t->host_cares;

	if (t->state == TWIN_GATHER)
		gather_more(o, t, bytes, n);
	else if (passes)
		pass(o, t, bytes, n);
	/* What is kept as the sender's own is given back as it goes; all other at once. */
	if (!passes || !t->up.counts)
		(void)nghttp2_session_consume(o->client, t->client_id, n);
}

static void send_gathered(struct two *o, struct twin *t)
{
	struct two_fields *kept = t->kept;
	char text[24];

	(void)snprintf(text, sizeof text, "%zu", t->up.bytes.len);
	two_fields_put_word(kept, "content-length", text);
	t->up.ended = true;
	send_request(o, t, kept, true);
	two_fields_reset(kept); /* the library has a copy */
}

static bool judge_document(struct two *o, struct twin *t)
{
	struct graphql_verdict g;

	graphql_judge(&o->parts->judge->terms, t->form, t->up.bytes.len > 0 ? (const char *)t->up.bytes.data : "",
		      t->up.bytes.len, &g);
	asked_note_document(&t->asked, &g);
	if (!g.allowed)
		judge_refuse_document(o->parts->judge, &g, o->parts->verdict);
	return g.allowed;
}

/* What is sent takes the place of what was gathered. */
static bool write_form(struct two *o, struct twin *t)
{
	struct buf form;
	const bool good = form_write(o->parts->judge, t->up.bytes.data, t->up.bytes.len, o->memory, &form,
				     o->parts->verdict);

	if (!good) {
		buf_finish(&form);
		return false;
	}
	twin_replace_up(o, t, &form);
	if (o->gathered > TWO_GATHERED_MAX)
		judge_too_large(o, t);
	return o->gathered <= TWO_GATHERED_MAX;
}

void two_end_body(struct two *o, struct twin *t)
{
	if (t->state == TWIN_PASSES)
		twin_end_up(o, t);
	if (t->state != TWIN_GATHER)
		return;
	*o->parts->verdict = (struct verdict){ .rule = t->asked.rule };
	if (t->gathers_form ? write_form(o, t) : judge_document(o, t))
		send_gathered(o, t);
	else
		two_refuse(o, t);
}
