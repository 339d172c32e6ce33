/* Any bytes as a record: refused with a reason, or explained and learned from without harm; and what was learned is a policy
 * that we read ourselves. */
#include "base/cleanup.h"
#include "explain/call.h"
#include "explain/explain.h"
#include "explain/learn.h"
#include "fuzz.h"
#include "lib/deeds.h"
#include "policy/yaml.h"

#define TEXT_MAX (24u << 20)

static void learn(const struct event_result *r)
{
	auto_free struct policy *p = calloc(1, sizeof *p);
	struct policy_mistake m;
	struct learned l;
	auto_buf text = { .max = TEXT_MAX };

	promise(p != NULL && learned_from(r, &l, NULL) == 0);
	learn_write(&l, r, false, &text);
	promise(!text.failed && policy_parse_yaml(text.data, text.len, p, &m) == 0);
	learned_finish(&l);
}

/* What a profile is told of it is what the keeper reads. */
static void tell_deeds(const struct event_result *r)
{
	auto_buf bytes = { .max = 1u << 23 };
	struct deeds d;
	struct err e;

	promise(deeds_of(r, &d) == 0);
	deeds_encode(&d, &bytes);
	deeds_finish(&d);
	promise(!bytes.failed);
	if (deeds_decode(bytes.data, bytes.len, &d, &e) == 0)
		deeds_finish(&d);
	else
		promise(e.code == AMBIT_MALFORMED || e.code == AMBIT_LIMIT);
}

static void explain_call(const struct told *told, struct buf *text)
{
	struct err e = { .code = AMBIT_OK };
	const int rc = call_write(told->json, text, &e);

	promise(rc == 0 || (e.msg[0] != 0 && rc == -(int)e.code));
	for (size_t i = 0; i < text->len; i++)
		promise(text->data[i] == '\n' || (text->data[i] >= 0x20 && text->data[i] != 0x7f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .code = AMBIT_OK };
	struct told told;
	auto_buf text = { .max = TEXT_MAX };
	const int rc = reader_read(data, size, &told, &e);

	promise(rc == 0 || (e.msg[0] != 0 && rc == -(int)e.code));
	if (rc == 0 && told.is_call) {
		explain_call(&told, &text);
	} else if (rc == 0) {
		explain_write(&told, &text);
		promise(!text.failed && text.len > 0);
		learn(&told.result);
		tell_deeds(&told.result);
	}
	told_finish(&told);
	return 0;
}
