#include "explain/reader_trace.h"

#include <string.h>

#include "base/base64.h"
#include "base/sha256.h"
#include "cell/spec.h"
#include "profile/trace.h"

static bool is_digest_of(const struct buf *form, const uint8_t want[SHA256_BYTES])
{
	uint8_t got[SHA256_BYTES];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, form->data, form->len);
	sha256_end(&s, got);
	return memcmp(got, want, sizeof got) == 0;
}

static void take_form(struct take *t, const json_t *from, struct buf *ret)
{
	const json_t *text = json_object_get(take_object(t, from, "form"), "b64");
	uint8_t digest[SHA256_BYTES];

	if (t->rc == 0 && (!json_is_string(text) ||
			   !base64_take(ret, json_string_value(text), json_string_length(text)) || ret->len == 0))
		take_fail(t, AMBIT_MALFORMED, "form", "not bytes as base64, or more than a trace has");
	if (t->rc == 0 && take_hex(t, from, "sha256", digest, sizeof digest) && !is_digest_of(ret, digest))
		take_fail(t, AMBIT_MALFORMED, "form", "not what its digest is of");
}

/* Of records of before, by notifications. */
static uint32_t take_source(struct take *t, const json_t *from)
{
	static const char *const words[] = { [CELL_SOURCE_EYE] = "notifications", [CELL_SOURCE_EBPF] = "ebpf" };

	return json_object_get(from, "by") == NULL ? CELL_SOURCE_EYE : (uint32_t)take_word(t, from, "by", words, 2);
}

void trace_take(struct take *t, const json_t *record, struct event_result *r)
{
	const json_t *from = json_object_get(record, "trace");
	struct result_trace *ret = &r->trace;

	if (from == NULL || json_is_null(from))
		return;
	from = take_object(t, record, "trace");
	t->in = "trace";
	r->source = take_source(t, from);
	ret->threads = (uint32_t)take_count(t, from, "threads", TRACE_THREADS_MAX);
	ret->calls = take_count(t, from, "calls", INT64_MAX);
	ret->dropped = take_count(t, from, "dropped", INT64_MAX);
	buf_init(&ret->form, TRACE_BYTES_MAX);
	take_form(t, from, &ret->form);
	t->in = "";
}
