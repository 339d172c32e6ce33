/* What anybody may have written of calls, told by the first byte: a profile of them, what one call is made of, what a gate asks and is answered. What is taken is given again byte by byte; a profile is shown, and what a call is made of is held against it,
 * and learned. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "profile/call_form.h"
#include "profile/call_link.h"
#include "profile/verdict.h"
#include "usual/calls_link.h"

static void use(struct call_profile *p)
{
	const struct scopes s = call_profile_scopes(p, "clerk");
	const struct mark m = { .item = 1, .place = 2, .kind = ITEM_ADDRESS };
	const uint32_t before = novelty_runs(p->novelty, &s);

	if (novelty_learn(p->novelty, &s, 3, 1, &(struct doings){ .marks = &m, .n_marks = 1 }) == 0)
		promise(novelty_is_full(p->novelty) || novelty_runs(p->novelty, &s) != before);
}

static void take_profile(const char *text, size_t n)
{
	auto_buf again = { .max = CALL_FORM_BYTES_MAX }, said = { .max = 16u << 20 };
	auto_free struct call_profile *p = malloc(sizeof *p);
	char server[CALL_SERVER_MAX];
	struct err e = { .code = AMBIT_OK };
	uint32_t runs;

	promise(p != NULL);
	(void)call_form_head(text, n < CALL_FORM_HEAD_MAX ? n : CALL_FORM_HEAD_MAX, server, &runs);
	if (call_form_read(text, n, p, &e) < 0) {
		promise(e.code != AMBIT_OK && e.msg[0] != 0 && p->novelty == NULL);
		return;
	}
	call_form_write(p, &again);
	promise(again.len == n && memcmp(again.data, text, n) == 0 && call_form_is(text, n));
	call_form_show(p, &said);
	call_form_json(p, &said);
	promise(!said.failed && memchr(said.data, 033, said.len) == NULL);
	use(p);
	call_profile_finish(p);
}

static void judge(const struct call *c)
{
	static const uint8_t key[CALL_KEY_SIZE] = "a fuzzer's key";
	auto_buf out = { .max = CALL_FORM_BYTES_MAX };
	auto_free struct call_profile *p = malloc(sizeof *p);
	struct scopes s;
	struct verdict v;

	promise(p != NULL && call_profile_init(p, "s", key, NULL) == 0);
	s = call_profile_scopes(p, "");
	verdict_begin(&v, p->novelty, &s);
	verdict_call(&v, p->novelty, &s, &VERDICT_RULES, c);
	promise(v.n <= VERDICT_REASONS && v.bits >= 0 && v.young);
	for (size_t i = 0; i < c->n; i++)
		call_profile_note(p, c->tool, &c->items[i], 1);
	call_form_write(p, &out); /* whatever its texts are, they are read again */
	call_profile_finish(p);
	promise(!out.failed && call_form_read((const char *)out.data, out.len, p, NULL) == 0);
	call_profile_finish(p);
}

static void take_items(const uint8_t *data, size_t size)
{
	auto_buf again = { .max = CALL_BYTES_MAX };
	auto_free struct call *c = malloc(sizeof *c);
	struct rbuf in;

	promise(c != NULL);
	rbuf_init(&in, data, size);
	if (!call_take(&in, c))
		return;
	call_put(&again, c);
	promise(!again.failed && again.len == size && memcmp(again.data, data, size) == 0);
	judge(c);
}

#define MESSAGE(thing)                                                                                                 \
	static void take_##thing(const uint8_t *data, size_t size)                                                     \
	{                                                                                                              \
		auto_buf again = { .max = 1u << 16 };                                                                  \
		struct usual_##thing got;                                                                              \
		struct rbuf in;                                                                                        \
                                                                                                                       \
		rbuf_init(&in, data, size);                                                                            \
		if (!usual_##thing##_take(&in, &got))                                                                  \
			return;                                                                                        \
		usual_##thing##_put(&again, &got);                                                                     \
		promise(!again.failed && again.len == size && memcmp(again.data, data, size) == 0);                    \
	}
MESSAGE(calls)
MESSAGE(begun)
MESSAGE(call)
MESSAGE(verdict)
MESSAGE(called)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 7) {
	case 0: take_profile((const char *)data + 1, size - 1); break;
	case 1: take_items(data + 1, size - 1); break;
	case 2: take_calls(data + 1, size - 1); break;
	case 3: take_begun(data + 1, size - 1); break;
	case 4: take_call(data + 1, size - 1); break;
	case 5: take_verdict(data + 1, size - 1); break;
	default: take_called(data + 1, size - 1); break;
	}
	return 0;
}
