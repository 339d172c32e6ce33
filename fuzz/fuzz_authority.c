/* Any bytes as the state of an authority with requests to it, and any as requests to an empty one. A state that is taken is put as the same bytes (of an older form,
 * as others, which are taken alike), makes sense,
 * and does so after whatever is asked then. Requests are answered as the naive authority answers them, and what may never be is not. */
#include <string.h>

#include "authority_model.h"
#include "authority_watch.h"
#include "base/cleanup.h"
#include "fuzz.h"

/* Those of seeds that test_authority.c writes. */
static const struct authority_size size_of_all = { 6, 12, 6, 3, 3, 3, 2, 4, 300 };

static void promise_that(bool holds, const char *said)
{
	if (!holds)
		(void)fprintf(stderr, "%s\n", said);
	promise(holds);
}

static struct authority *create(void)
{
	void *room = calloc(1, authority_bytes(&size_of_all));

	promise(room != NULL);
	return authority_init(room, &size_of_all);
}

/* A u32, its length, before each. False: there is none. */
static bool next(struct rbuf *in, struct authority_request *ret, char room[AUTHORITY_TEXTS_MAX])
{
	const size_t n = rbuf_u32(in);
	const uint8_t *at = rbuf_bytes(in, n);
	auto_buf again = { .max = 1u << 16 };
	struct rbuf one;

	if (at == NULL)
		return false;
	rbuf_init(&one, at, n);
	if (!authority_take_request(&one, ret, room) || !rbuf_done(&one))
		return false;
	authority_put_request(&again, ret);
	promise(at != NULL && again.data != NULL && !again.failed && again.len == n && memcmp(again.data, at, n) == 0);
	return true;
}

static void go_from_state(const uint8_t *data, size_t size)
{
	auto_free struct authority *a = create();
	auto_buf again = { .max = 1u << 20 };
	struct authority_request q;
	struct authority_answer answer;
	char room[AUTHORITY_TEXTS_MAX], said[WATCH_SAID_MAX];
	struct rbuf in, state;
	const uint8_t *at;
	size_t n;

	rbuf_init(&in, data, size);
	n = rbuf_u32(&in);
	at = rbuf_bytes(&in, n);
	rbuf_init(&state, at, at != NULL ? n : 0);
	if (authority_take(&state, a, NULL) < 0)
		return;
	authority_put(a, &again);
	promise(at != NULL && again.data != NULL && !again.failed);
	promise(at[0] != again.data[0] || (again.len == n && memcmp(again.data, at, n) == 0));
	rbuf_init(&state, again.data, again.len);
	promise(authority_take(&state, a, NULL) == 0);
	promise_that(watch_allows(a, said), said);
	while (next(&in, &q, room)) {
		authority_step(a, &q, &answer);
		promise_that(watch_allows(a, said), said);
	}
}

static void go_from_nothing(const uint8_t *data, size_t size)
{
	auto_free struct authority *a = create();
	struct model *model = model_create(&size_of_all);
	struct watch *watch = watch_create();
	struct authority_request q;
	struct authority_answer answer;
	char room[AUTHORITY_TEXTS_MAX], differs[MODEL_SAID_MAX], said[WATCH_SAID_MAX];
	struct rbuf in;

	rbuf_init(&in, data, size);
	while (next(&in, &q, room)) {
		authority_step(a, &q, &answer);
		promise_that(model_agrees(model, &q, &answer, a, differs), differs);
		promise_that(watch_sees(watch, &q, &answer, a, said), said);
	}
	model_destroy(model);
	watch_destroy(watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == 0)
		go_from_state(data + 1, size - 1);
	if (size > 0 && data[0] == 1)
		go_from_nothing(data + 1, size - 1);
	return 0;
}
