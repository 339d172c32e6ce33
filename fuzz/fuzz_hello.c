/* What a TLS client sends, at once, and in pieces of which the first byte of each says how long it is: the same either way, nothing told before it
 * is done, and no change after the end. */
#include <string.h>

#include "fuzz.h"
#include "net/hello.h"

static struct hello whole, pieces;

static bool is_same(const struct hello *a, const struct hello *b)
{
	return a->state == b->state && a->seen == b->seen && a->size == b->size && a->has_name == b->has_name &&
	       a->has_ech == b->has_ech && strcmp(a->name.text, b->name.text) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_name again;
	size_t at = 0;

	hello_init(&whole);
	hello_init(&pieces);
	(void)hello_read(&whole, data, size);
	while (at < size && pieces.state == HELLO_MORE) {
		const size_t wanted = 1 + data[at] % 64u, n = wanted < size - at ? wanted : size - at;

		promise(hello_read(&pieces, data, at + n) == (enum hello_state)pieces.state);
		at += n;
	}
	promise(is_same(&whole, &pieces));
	promise(whole.state == HELLO_DONE || (!whole.has_name && !whole.has_ech));
	promise(whole.has_name == (whole.name.text[0] != 0));
	promise(!whole.has_name || (host_take(whole.name.text, strlen(whole.name.text), &again) &&
				    strcmp(again.text, whole.name.text) == 0));
	promise(whole.seen <= HELLO_MAX && whole.size <= HELLO_MAX);
	if (whole.state != HELLO_MORE)
		promise(hello_read(&whole, data, size) == (enum hello_state)pieces.state && is_same(&whole, &pieces));
	return 0;
}
