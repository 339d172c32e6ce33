/* Any bytes as entries, a line each, retold in every form. Lines of exports are JSON, no attribute stands there twice, no span has the ids of
 * another; the page has no byte that is not text, and as many elements as it closes. */
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "account/account.h"
#include "account/page.h"
#include "base/base64.h"
#include "base/fd.h"
#include "base/text.h"
#include "export/ocsf.h"
#include "export/otlp.h"
#include "fuzz.h"

static struct snapshot *snapshot(void)
{
	static struct snapshot s;

	memcpy(s.key.name, "fuzz", sizeof "fuzz");
	s.key.type = VKEY_ED25519;
	return &s;
}

/* What stands in a list by its key is there once; bytes are base64. */
static void promise_values(json_t *value)
{
	json_t *keys = json_object(), *inner;
	const char *name;
	size_t i, n;

	promise(keys != NULL);
	json_array_foreach(value, i, inner)
	{
		const json_t *key = json_object_get(inner, "key");

		promise(key == NULL || json_object_get(keys, json_string_value(key)) == NULL);
		promise(key == NULL || json_object_set_new(keys, json_string_value(key), json_true()) == 0);
		promise_values(inner);
	}
	json_decref(keys);
	for (void *it = json_object_iter(value); it != NULL; it = json_object_iter_next(value, it)) {
		name = json_object_iter_key(it);
		inner = json_object_iter_value(it);
		promise(strcmp(name, "bytesValue") != 0 ||
			base64_is(json_string_value(inner), json_string_length(inner), &n));
		promise_values(inner);
	}
}

static json_t *item(const json_t *in, const char *array)
{
	return json_array_get(json_object_get(in, array), 0);
}

/* NULL: lines are no spans. */
static void promise_span(const json_t *line, json_t *ids)
{
	json_t *span = item(item(item(line, "resourceSpans"), "scopeSpans"), "spans");
	const char *trace = json_string_value(json_object_get(span, "traceId"));
	const char *own = json_string_value(json_object_get(span, "spanId"));
	char both[64];

	if (ids == NULL)
		return;
	promise(trace != NULL && own != NULL && strspn(trace, "0") < 32 && strspn(own, "0") < 16);
	(void)snprintf(both, sizeof both, "%s %s", trace, own);
	promise(json_object_get(ids, both) == NULL && json_object_set_new(ids, both, json_true()) == 0);
	promise_values(span);
}

static void promise_json(struct buf *out, json_t *ids)
{
	size_t at = 0;

	promise(!out->failed);
	while (at < out->len) {
		const uint8_t *end = memchr(out->data + at, '\n', out->len - at);
		json_t *value;

		promise(end != NULL);
		value = json_loadb((const char *)out->data + at, (size_t)(end - out->data) - at,
				   JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
		promise(json_is_object(value));
		promise_span(value, ids);
		json_decref(value);
		at = (size_t)(end - out->data) + 1;
	}
	buf_reset(out);
}

static size_t count(const struct buf *b, const char *text)
{
	const size_t n = strlen(text);
	size_t found = 0;

	for (size_t i = 0; i + n <= b->len; i++)
		found += memcmp(b->data + i, text, n) == 0 ? 1 : 0;
	return found;
}

/* Both forms; and what is markup in one of them is the report's own. */
static void promise_page(const struct account *a, bool html)
{
	static const struct report report;
	static const struct audit_ask ask;
	const struct page page = { .account = a, .report = &report, .snapshot = snapshot(), .ask = &ask };
	const int fd = memfd_create("page", MFD_CLOEXEC);
	struct buf out;

	buf_init(&out, 64u << 20);
	promise(fd >= 0 && page_write(&page, fd, html) == 0);
	promise(lseek(fd, 0, SEEK_SET) == 0 && fd_read_into(fd, &out) == 0);
	promise(text_is_utf8(out.data, out.len, NULL));
	for (size_t i = 0; i < out.len; i++)
		promise(out.data[i] == '\n' || (out.data[i] >= 0x20 && out.data[i] != 0x7f));
	if (html) {
		promise(count(&out, "<section ") == 9 && count(&out, "</section>") == 9 && count(&out, "<!") == 1);
		promise(count(&out, "<td") == count(&out, "</td>") && count(&out, "<script") == 0 &&
			count(&out, "<img") == 0);
	}
	buf_finish(&out);
	(void)close(fd);
}

struct forms {
	struct account *account;
	struct otlp *otlp;
	struct ocsf *ocsf;
	json_t *ids; /* of all spans */
	struct buf out;
};

static void take(struct forms *f, const struct entry *entry, bool is_signed)
{
	static const struct hash leaf;
	const struct reading_entry r = { .entry = entry, .leaf = &leaf, .is_signed = is_signed };

	promise(account_take(f->account, &r) == 0);
	promise(otlp_take(f->otlp, &r, &f->out) == 0);
	promise_json(&f->out, f->ids);
	promise(ocsf_take(f->ocsf, &r, &f->out) == 0);
	promise(count(&f->out, "\n") == 1);
	promise_json(&f->out, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct forms f = { .account = account_create(),
			   .otlp = otlp_create(),
			   .ocsf = ocsf_create(snapshot()),
			   .ids = json_object() };
	uint64_t seq = 0;

	buf_init(&f.out, 16u << 20);
	promise(f.account != NULL && f.otlp != NULL && f.ocsf != NULL && f.ids != NULL);
	otlp_begin(f.otlp, snapshot());
	for (bool is_signed = true; size > 0; is_signed = !is_signed) {
		const uint8_t *end = memchr(data, '\n', size);
		const size_t n = end != NULL ? (size_t)(end - data) : size, taken = end != NULL ? n + 1 : n;
		struct entry entry;

		if (entry_take(data, n, &entry, NULL) == 0) {
			entry.seq = seq++; /* as in a log, where each number is there once */
			take(&f, &entry, is_signed);
		}
		data += taken;
		size -= taken;
	}
	promise(otlp_end(f.otlp, &f.out) == 0);
	promise_json(&f.out, f.ids);
	account_close(f.account);
	promise_page(f.account, true);
	promise_page(f.account, false);
	account_destroy(f.account);
	otlp_destroy(f.otlp);
	ocsf_destroy(f.ocsf);
	json_decref(f.ids);
	buf_finish(&f.out);
	return 0;
}
