/* Bytes of anybody as bodies of what the keeper and its clients tell each other: what was taken is put again as the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "authority/link.h"
#include "base/cleanup.h"
#include "fuzz.h"

static void request(struct rbuf in)
{
	char texts[AUTHORITY_TEXTS_MAX];
	auto_buf again = { .max = 1u << 16 };
	struct authority_request q;

	if (!authority_take_request(&in, &q, texts) || !rbuf_done(&in))
		return;
	authority_put_request(&again, &q);
	promise(!again.failed && again.len == in.len && memcmp(again.data, in.data, in.len) == 0);
}

static void answer(struct rbuf in)
{
	struct keeper_answer a;
	auto_buf again = { .max = 1u << 16 };

	if (!keeper_answer_take(&in, &a))
		return;
	keeper_answer_put(&again, &a);
	promise(!again.failed && again.len == in.len && memcmp(again.data, in.data, in.len) == 0);
}

static void actions(struct rbuf in)
{
	struct keeper_actions *a = malloc(sizeof *a);
	auto_buf again = { .max = 1u << 16 };

	if (a != NULL && keeper_actions_take(&in, a)) {
		keeper_actions_put(&again, a->step, a->more, a->actions, a->n);
		promise(!again.failed && again.len == in.len && memcmp(again.data, in.data, in.len) == 0);
	}
	free(a);
}

static void row(struct rbuf in, enum keeper_kind kind)
{
	struct keeper_row *r = malloc(sizeof *r);

	if (r != NULL && keeper_row_take(&in, kind, r))
		promise(strnlen(r->text, sizeof r->text) < sizeof r->text &&
			strnlen(r->terms, sizeof r->terms) < sizeof r->terms);
	free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rbuf in;

	if (n == 0)
		return 0;
	rbuf_init(&in, data + 1, n - 1);
	switch (data[0]) {
	case 0: request(in); break;
	case 1: answer(in); break;
	case 2: actions(in); break;
	default: row(in, (enum keeper_kind)(data[0] % KEEPER_KIND_COUNT)); break;
	}
	return 0;
}
