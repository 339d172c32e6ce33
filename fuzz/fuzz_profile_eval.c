/* Any text, up to a NUL to learn from and behind it to be tested: it is refused with its place, or each of its lines is counted once, and no score is less than nothing. The same bytes as an order and as an answer. */
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "profile/eval.h"
#include "profile/link.h"

static void try_order(const uint8_t *data, size_t size)
{
	auto_buf again = { .max = ORDER_BYTES };
	struct order o;
	struct rbuf in;

	rbuf_init(&in, data, size);
	if (!order_take(&in, &o))
		return;
	order_put(&again, &o);
	promise(!again.failed && memcmp(again.data, data, 24 + 8) == 0);
}

static void try_answer(const uint8_t *data, size_t size)
{
	auto_buf answer = { .max = size + 1 };
	const uint8_t *text, *drawing;
	size_t n, n_drawing;
	struct err e = { .code = AMBIT_OK };

	buf_put(&answer, data, size);
	if (answer_take(&answer, &text, &n, &drawing, &n_drawing, &e) == 0)
		promise(n + n_drawing <= size);
	else
		promise(e.code != AMBIT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const size_t n = size > 0 && memchr(data, 0, size) != NULL ? strnlen(text, size) : size;
	const size_t left = n < size ? size - n - 1 : 0;
	const struct eval_ask ask = {
		.train = { text, n }, .test = { text + size - left, left }, .n_alphas = 1, .alphas = { 0.05 }
	};
	auto_buf said = { .max = 1 << 24 };
	struct eval ev;
	struct err e = { .code = AMBIT_OK };

	try_order(data, size);
	try_answer(data, size);
	if (eval_run(&ev, &ask, &e) < 0) {
		promise(e.code != AMBIT_OK && e.msg[0] != 0);
	} else {
		promise(ev.count.usual + ev.count.attacks == ev.rank.n && ev.rank.attacks == ev.count.attacks);
		for (size_t i = 0; i < ev.rank.n; i++)
			promise(ev.rank.scores[i].score >= 0 && isfinite(ev.rank.scores[i].score));
		eval_say(&ev, &said);
		eval_say_json(&ev, &said);
		eval_draw(&ev, &said);
	}
	eval_finish(&ev);
	return 0;
}
