/* Any bytes, after a letter: as what an issuer answers (its number, a head, a body), of which whatever is made can be told and is taken again; or as what
 * ambit-ask tells: what is taken is in bounds, and written again is the same. */
#include <string.h>

#include "ask/answer.h"
#include "fuzz.h"

static void tell(const struct ask_answer *a, uint8_t room[ASK_ANSWER_MAX], struct buf *out)
{
	buf_init_in(out, room, ASK_ANSWER_MAX);
	ask_answer_put(out, a);
	promise(!out->failed);
}

static void answer(enum issuer which, const uint8_t *data, size_t size)
{
	static struct http_head head;
	static struct ask_answer a, again;
	static uint8_t room[ASK_ANSWER_MAX], room_again[ASK_ANSWER_MAX];
	const char *why = NULL;
	struct buf out, out_again;

	if (http_head_answer(data, size, &head, &why) != 1)
		return;
	answer_judge(which, &head, data + head.length, size - head.length, &a);
	promise(a.state != ASK_VALID || head.status == 200);
	tell(&a, room, &out);
	promise(ask_answer_take(out.data, out.len, &again));
	tell(&again, room_again, &out_again);
	promise(out.len == out_again.len && memcmp(room, room_again, out.len) == 0);
}

static void told(const uint8_t *data, size_t size)
{
	static struct ask_answer a;
	static uint8_t room[ASK_ANSWER_MAX];
	struct buf out;

	if (!ask_answer_take(data, size, &a))
		return;
	promise(ask_outcome_text(&a)[0] != 0);
	for (uint32_t i = 0; i < a.n_scopes; i++)
		promise(ask_scope_is_good(a.scopes[i]));
	for (unsigned i = 0; i < ASK_CLAIM_COUNT; i++)
		promise(a.claims[i][0] == 0 || ask_claim_is_good(a.claims[i]));
	for (uint32_t i = 0; i < a.n_audiences; i++)
		promise(ask_claim_is_good(a.audiences[i]));
	tell(&a, room, &out);
	promise(out.len == size && memcmp(out.data, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] >= '0' && data[0] < '0' + ISSUER_COUNT)
		answer((enum issuer)(data[0] - '0'), data + 1, size - 1);
	else if (size > 0)
		told(data + 1, size - 1);
	return 0;
}
