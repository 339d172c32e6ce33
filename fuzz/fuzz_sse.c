/* Server-sent events, at once, and in pieces of which the first byte of each says how long it is: the same events either way, each in bounds. */
#include <string.h>

#include "bridge/sse.h"
#include "fuzz.h"

struct outcome {
	enum sse_result result;
	unsigned events;
	uint64_t sum; /* of what came, in its order */
	char id[SSE_ID_MAX];
	uint32_t retry_ms;
};

static void note(struct outcome *o, const struct sse *s)
{
	promise(s->data.len > 0 && s->data.len <= SSE_DATA_MAX && strlen(s->id) < SSE_ID_MAX);
	o->events++;
	for (size_t i = 0; i < s->data.len; i++) {
		promise(s->data.data[i] != '\r');
		o->sum = o->sum * 31 + s->data.data[i];
	}
}

static void take(struct sse *s, const uint8_t *bytes, size_t n, struct outcome *o)
{
	while (n > 0 && o->result != SSE_BAD) {
		size_t taken = 0;

		o->result = sse_take(s, bytes, n, &taken);
		promise(taken <= n && (o->result != SSE_MORE || taken == n) && (o->result != SSE_EVENT || taken > 0));
		if (o->result == SSE_EVENT)
			note(o, s);
		bytes += taken;
		n -= taken;
	}
}

static void end(struct sse *s, struct outcome *o)
{
	memcpy(o->id, s->id, sizeof o->id);
	o->retry_ms = s->retry_ms;
	promise(s->retry_ms <= SSE_RETRY_MAX);
	sse_finish(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome whole, pieces;
	struct sse s;

	memset(&whole, 0, sizeof whole);
	memset(&pieces, 0, sizeof pieces);
	sse_init(&s);
	take(&s, data, size, &whole);
	end(&s, &whole);
	sse_init(&s);
	for (size_t at = 0; at < size && pieces.result != SSE_BAD;) {
		const size_t wanted = 1 + data[at] % 16u, n = wanted < size - at ? wanted : size - at;

		take(&s, data + at, n, &pieces);
		at += n;
	}
	end(&s, &pieces);
	promise(whole.events == pieces.events && whole.sum == pieces.sum && whole.retry_ms == pieces.retry_ms);
	promise(strcmp(whole.id, pieces.id) == 0 && (whole.result == SSE_BAD) == (pieces.result == SSE_BAD));
	return 0;
}
