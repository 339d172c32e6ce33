#include "lib/record_call.h"

#include <stdio.h>

#include "base/json.h"
#include "lib/record.h"
#include "policy/policy.h"

const char *record_call_verdict(uint32_t verdict)
{
	static const char *const words[GUARD_VERDICT_COUNT] = { NULL, "allowed", "denied", "asked" };

	return verdict < GUARD_VERDICT_COUNT ? words[verdict] : NULL;
}

const char *record_call_end(uint32_t end)
{
	static const char *const words[GUARD_END_COUNT] = { NULL,        "done", "failed",  "error",
							    "cancelled", "lost", "withheld" };

	return end < GUARD_END_COUNT ? words[end] : NULL;
}

static void digest_put(struct json *j, const uint8_t sha256[SHA256_BYTES], uint64_t bytes)
{
	json_put_hex(json_put_key(j, "sha256"), sha256, SHA256_BYTES);
	json_put_count(json_put_key(j, "size_bytes"), bytes);
}

static void argument_put(struct json *j, const struct where_argument *a)
{
	static const char *const kinds[WHERE_KIND_COUNT] = { "text", "number", "bool", "long" };

	json_put_object(j);
	json_put_bytes(json_put_key(j, "name"), a->path, a->path_n);
	json_put_word(json_put_key(j, "kind"), kinds[a->kind]);
	json_put_bytes(json_put_key(j, "value"), a->value, a->n);
	json_put_object_end(j);
}

static void asked_put(struct json *j, const struct record_call *c)
{
	struct where_argument a;
	struct rbuf in;

	json_put_object(j);
	json_put_name(json_put_key(j, "tool"), c->object);
	json_put_name(json_put_key(j, "workdir"), c->workspace);
	json_put_array(json_put_key(j, "arguments"));
	rbuf_init(&in, c->arguments.bytes, c->arguments.n);
	while (where_next(&in, &a))
		argument_put(j, &a);
	json_put_array_end(j);
	digest_put(j, c->sha256, c->bytes);
	json_put_object_end(j);
}

static void decision_put(struct json *j, const struct record_call *c)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "verdict"), record_call_verdict(c->verdict));
	json_put_key(j, "grant");
	if (c->grant[0] != 0) {
		json_put_object(j);
		json_put_name(json_put_key(j, "object"), c->grant);
		json_put_name(json_put_key(j, "terms"), c->terms[0] != 0 ? c->terms : NULL);
		json_put_object_end(j);
	} else {
		json_put_null(j);
	}
	json_put_word(json_put_key(j, "question"), c->question[0] != 0 ? c->question : NULL);
	json_put_key(j, "error");
	if (c->verdict != GUARD_YES)
		record_put_error(j, &c->why);
	else
		json_put_null(j);
	json_put_object_end(j);
}

static void number_put(struct json *j, const char *key, double value)
{
	char text[32];
	const int n = snprintf(text, sizeof text, "%.6g", value);

	json_put_made(json_put_key(j, key), text, (size_t)n);
}

static void reasons_put(struct json *j, const struct usual_verdict *v)
{
	json_put_array(j);
	for (unsigned i = 0; i < v->n; i++) {
		json_put_object(j);
		number_put(j, "bits", v->reasons[i].bits);
		json_put_name(json_put_key(j, "text"), v->reasons[i].text);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

static void usual_put(struct json *j, const struct call_usual *u)
{
	if (u->profile <= PROFILE_OFF) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	json_put_word(json_put_key(j, "profile"), policy_profile_word(u->profile));
	json_put_key(j, "error");
	if (u->error.code != AMBIT_OK) {
		record_put_error(j, &u->error);
	} else {
		json_put_null(j);
		json_put_count(json_put_key(j, "runs"), u->v.runs);
		json_put_bool(json_put_key(j, "young"), u->v.young);
		json_put_bool(json_put_key(j, "unusual"), u->v.unusual);
		json_put_bool(json_put_key(j, "asks"), u->v.asks);
		number_put(j, "bits", u->v.bits);
		reasons_put(json_put_key(j, "reasons"), &u->v);
	}
	json_put_object_end(j);
}

static void answer_put(struct json *j, const struct record_call *c)
{
	if (c->end == 0) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	json_put_word(json_put_key(j, "end"), record_call_end(c->end));
	digest_put(j, c->answer_sha256, c->answer_bytes);
	json_put_object_end(j);
}

int record_call_write(const struct record_call *c, struct buf *out, struct err *e)
{
	const size_t before = out->len;
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_count(json_put_key(&j, "v"), RECORD_VERSION);
	json_put_word(json_put_key(&j, "event"), c->event);
	json_put_word(json_put_key(&j, "server"), c->server);
	json_put_name(json_put_key(&j, "agent"), c->agent[0] != 0 ? c->agent : NULL);
	json_put_word(json_put_key(&j, "kind"), "tool");
	asked_put(json_put_key(&j, "asked"), c);
	decision_put(json_put_key(&j, "decision"), c);
	usual_put(json_put_key(&j, "usual"), &c->usual);
	answer_put(json_put_key(&j, "answer"), c);
	json_put_object(json_put_key(&j, "times"));
	json_put_ms(json_put_key(&j, "asked"), c->asked_ms);
	json_put_ms(json_put_key(&j, "ended"), c->ended_ms);
	json_put_object_end(&j);
	json_put_object_end(&j);
	return record_end_line(out, before) == 0 ? 0 : err_set(e, AMBIT_MEMORY, NULL, "the record of a call");
}
