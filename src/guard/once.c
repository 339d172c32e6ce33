/* Calls with a key (io.ambit/idempotencyKey) are made once. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "guard/guard.h"

#define KEY "io.ambit/idempotencyKey"

static struct once *find(struct guard *g, const char *key)
{
	for (size_t i = 0; i < GUARD_ONCE_MAX; i++)
		if (g->once[i].state != ONCE_FREE && strcmp(g->once[i].key, key) == 0)
			return &g->once[i];
	return NULL;
}

static void forget(struct guard *g, struct once *o)
{
	g->once_bytes -= o->answer.len;
	buf_finish(&o->answer);
	o->state = ONCE_FREE;
}

/* The one that was over first makes room. NULL: all of them run. */
static struct once *make_room(struct guard *g)
{
	struct once *oldest = NULL;

	for (size_t i = 0; i < GUARD_ONCE_MAX; i++) {
		struct once *o = &g->once[i];

		if (o->state == ONCE_FREE)
			return o;
		if (o->state == ONCE_OVER && (oldest == NULL || o->own < oldest->own))
			oldest = o;
	}
	if (oldest != NULL)
		forget(g, oldest);
	return oldest;
}

static int none_of(const struct once *o, struct err *e)
{
	return err_set(
		e, AMBIT_CONFLICT, "with another key it is called again",
		o->end == GUARD_CANCELLED ? "the call with that key was cancelled: it is not known whether it was done"
		: o->end == GUARD_LOST    ? "the call with that key was lost: it is not known whether it was done"
					  : "the call with that key was made, and its answer is not there any more");
}

/* What the first had as its answer, or why there is none. Of many that wait for a long one those get it that there is room for. */
static void answer(struct guard *g, struct pending *p, const struct once *o)
{
	const bool fits = g->client.bytes.len + o->answer.len <= GUARD_OUT_MAX / 2;
	struct err e;

	if (fits)
		(void)none_of(o, &e);
	else
		(void)err_set(&e, AMBIT_LIMIT, "call it again", "answers are not read as fast as they are asked for");
	if (o->answer.len == 0 || !fits ||
	    !line_put(&g->client.bytes, (const char *)o->answer.data, o->answer.len, p->id))
		client_denied(g, p, &e, "");
	else
		pending_free(g, p);
}

static void tell_twins(struct guard *g, const struct once *o)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (g->asked[i].state == PENDING_TWIN && g->asked[i].once == o)
			answer(g, &g->asked[i], o);
}

static int take_key(const json_t *params, const char **ret, struct err *e)
{
	const json_t *key = json_object_get(json_object_get(params, "_meta"), KEY);
	const size_t n = json_string_length(key);

	*ret = json_string_value(key);
	if (key == NULL || (json_is_string(key) && n > 0 && n < GUARD_KEY_MAX && strlen(*ret) == n))
		return 0;
	return err_set(e, AMBIT_USAGE, NULL, KEY " is a text of 1 to %d bytes", GUARD_KEY_MAX - 1);
}

/* Of the call, and of what makes it another beside its arguments. */
static int take_digest(const struct pending *p, const json_t *params, uint8_t ret[SHA256_BYTES], struct err *e)
{
	static const char *const beside[] = { "task", "inputResponses", "requestState" };
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, p->sha256, sizeof p->sha256);
	for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
		const json_t *value = json_object_get(params, beside[i]);
		auto_free char *text = json_dumps(value != NULL ? value : json_null(),
						  JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

		if (text == NULL)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory for the request");
		sha256_add(&s, text, strlen(text) + 1);
	}
	sha256_end(&s, ret);
	return 0;
}

int once_begin(struct guard *g, struct pending *p, const json_t *params, struct err *e)
{
	uint8_t digest[SHA256_BYTES] = { 0 };
	const char *key;
	struct once *o;
	int r = take_key(params, &key, e);

	if (r < 0 || key == NULL)
		return r;
	r = take_digest(p, params, digest, e);
	if (r < 0)
		return r;
	o = find(g, key);
	if (o != NULL && memcmp(o->sha256, digest, sizeof digest) != 0)
		return err_set(e, AMBIT_CONFLICT, "give each call a key of its own", "that key is of another call");
	if (o != NULL && o->state == ONCE_OVER) {
		answer(g, p, o);
		return 1;
	}
	if (o != NULL) {
		p->state = PENDING_TWIN;
		p->once = o;
		return 1;
	}
	o = make_room(g);
	if (o == NULL)
		return err_set(e, AMBIT_LIMIT, "wait for some of the answers",
			       "%d calls with keys are not answered yet", GUARD_ONCE_MAX);
	*o = (struct once){ .state = ONCE_RUNS, .own = p->own };
	(void)text_copy(o->key, sizeof o->key, key); /* measured */
	memcpy(o->sha256, digest, sizeof digest);
	p->once = o;
	return 0;
}

void once_over(struct guard *g, const struct pending *p, enum guard_end end, const void *bytes, size_t n)
{
	struct once *o = p->once;

	if (o == NULL || o->own != p->own || o->state != ONCE_RUNS || p->state == PENDING_INPUTS)
		return;
	o->state = ONCE_OVER;
	o->end = end;
	buf_init(&o->answer, n + 1);
	if (end <= GUARD_ERROR && n > 0 && g->once_bytes + n <= GUARD_ONCE_BYTES)
		buf_put(&o->answer, bytes, n);
	if (o->answer.failed)
		buf_finish(&o->answer);
	g->once_bytes += o->answer.len;
	tell_twins(g, o);
}

/* Nothing was done: whoever has the key may try. */
void once_none(struct guard *g, const struct pending *p)
{
	struct once *o = p->once;

	if (o == NULL || o->own != p->own || o->state != ONCE_RUNS)
		return;
	o->state = ONCE_OVER;
	o->end = 0;
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++) {
		struct pending *twin = &g->asked[i];
		struct err e;

		if (twin->state != PENDING_TWIN || twin->once != o)
			continue;
		(void)err_set(&e, AMBIT_CONFLICT, "call it again",
			      "the call that came first with that key was not made");
		client_denied(g, twin, &e, "");
	}
	o->state = ONCE_FREE;
}

void once_finish(struct guard *g)
{
	for (size_t i = 0; i < GUARD_ONCE_MAX; i++)
		buf_finish(&g->once[i].answer);
}
