/* ambit-profile [show|json|page|diff]: reads an order and its texts (link.h) from descriptor 0 and writes what came of it to descriptor 1; or reads a profile, or two, and writes it as a person reads it (shown.h). Nothing else: it is run in a cell with an
 * empty root, because the texts may have been written by anybody.
 * Exit status: 0; 1: descriptor 1 says what is wrong; 2: wrong usage, or nobody to tell. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "profile/eval.h"
#include "profile/events_eval.h"
#include "profile/link.h"
#include "profile/promise.h"
#include "profile/shown.h"

_Static_assert(ORDER_KEY >= CALL_KEY_SIZE, "a key is long enough for calls");
_Static_assert(ORDER_ALPHAS_MAX == EVAL_ALPHAS_MAX && ORDER_KEY == USUAL_KEY, "what is asked can be done");

static int read_order(struct order *ret, struct err *e)
{
	uint8_t bytes[ORDER_BYTES] = { 0 };
	struct rbuf in;

	rbuf_init(&in, bytes, sizeof bytes);
	if (fd_read_all(STDIN_FILENO, bytes, sizeof bytes) != (ssize_t)sizeof bytes || !order_take(&in, ret))
		return err_set(e, AMBIT_PROTOCOL, NULL, "an order that is none");
	return 0;
}

/* One more, if it is not as long as was said. */
static int read_text(uint64_t size, struct eval_text *ret, struct err *e)
{
	char *bytes = malloc(size + 1);
	ssize_t n;

	if (bytes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a text of %llu bytes", (unsigned long long)size);
	n = fd_read_all(STDIN_FILENO, bytes, size);
	*ret = (struct eval_text){ .bytes = bytes, .n = (size_t)size };
	return n == (ssize_t)size ? 0 : err_set(e, AMBIT_PROTOCOL, NULL, "a text is shorter than was said");
}

static int evaluate(const struct order *o, struct buf *text, struct buf *drawing, struct err *e)
{
	struct eval_ask ask = { .has_calibrate = (o->flags & ORDER_CALIBRATES) != 0,
				.streams = (o->flags & ORDER_STREAMS) != 0,
				.n_alphas = o->n_alphas };
	struct eval ev = { .n_keys = 0 };
	int r;

	memcpy(ask.alphas, o->alphas, sizeof ask.alphas);
	memcpy(ask.key, o->key, sizeof ask.key);
	r = read_text(o->train, &ask.train, e);
	r = r < 0 ? r : read_text(o->calibrate, &ask.calibrate, e);
	r = r < 0 ? r : read_text(o->test, &ask.test, e);
	r = r < 0 ? r : eval_run(&ev, &ask, e);
	if (r == 0)
		((o->flags & ORDER_JSON) != 0 ? eval_say_json : eval_say)(&ev, text);
	if (r == 0 && (o->flags & ORDER_DRAWS) != 0)
		eval_draw(&ev, drawing);
	eval_finish(&ev);
	return r == 0 && (text->failed || drawing->failed) ? err_set(e, AMBIT_MEMORY, NULL, "there is too much to say")
							   : r; /* the texts go with the process */
}

/* What is not counted: texts with their NULs, of the second one. */
static int take_without(struct events_eval *ev, const struct eval_text *texts, struct err *e)
{
	const char *at = texts->bytes;
	size_t left = texts->n;

	while (left > 0) {
		const size_t n = strnlen(at, left);

		if (n == left || ev->n_without == EVAL_WITHOUT_MAX)
			return err_set(e, AMBIT_LIMIT, NULL, "--without is there more than %d times", EVAL_WITHOUT_MAX);
		ev->without[ev->n_without++] = at;
		at += n + 1;
		left -= n + 1;
	}
	return 0;
}

static int evaluate_events(const struct order *o, struct buf *text, struct err *e)
{
	struct eval_text train = { .n = 0 }, without = { .n = 0 }, test = { .n = 0 };
	struct events_eval ev = { .rules = VERDICT_RULES,
				  .json = (o->flags & ORDER_JSON) != 0,
				  .alpha = o->n_alphas > 0 ? o->alphas[0] : 0 };
	uint32_t seed;
	int r;

	memcpy(&seed, o->key + sizeof o->key - sizeof seed, sizeof seed);
	json_object_seed(seed); /* there is no file here to take one from */
	r = read_text(o->train, &train, e);
	r = r < 0 ? r : read_text(o->calibrate, &without, e);
	r = r < 0 ? r : read_text(o->test, &test, e);
	r = r < 0 ? r : take_without(&ev, &without, e);
	ev.test = span_bytes(test.bytes, test.n);
	if ((o->flags & ORDER_TAUGHT) != 0)
		ev.train = span_bytes(train.bytes, train.n);
	r = r < 0 ? r : events_eval(&ev, o->key, text, e);
	return r == 0 && text->failed ? err_set(e, AMBIT_MEMORY, NULL, "there is too much to say") : r;
}

int main(int argc, char **argv)
{
	auto_buf text = { .max = ORDER_ANSWER_MAX / 2 }, drawing = { .max = ORDER_ANSWER_MAX / 2 };
	auto_buf out = { .max = ORDER_ANSWER_MAX + 16 };
	struct err e = { .code = AMBIT_OK };
	struct order o = { .flags = 0 };
	int r;

	if (argc > 2 || (argc == 2 && !shown_is_way(argv[1])))
		return 2;
	r = promise_keep(&e);
	if (argc < 2)
		r = r < 0 ? r : read_order(&o, &e);
	if (argc == 2)
		r = r < 0 ? r : shown_read(argv[1], &text, &e);
	else if (r == 0 && (o.flags & ORDER_EVENTS) != 0)
		r = evaluate_events(&o, &text, &e);
	else
		r = r < 0 ? r : evaluate(&o, &text, &drawing, &e);
	if (r < 0) {
		answer_put_error(&out, &e);
	} else {
		buf_put_u32(&out, AMBIT_OK);
		buf_put_bytes(&out, text.data, text.len);
		buf_put_bytes(&out, drawing.data, drawing.len);
	}
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0 ? 2 : r < 0;
}
