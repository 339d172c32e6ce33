/* The name of a tool, a line feed, a path, a line feed, and a value: its items are within their room, the same twice, and each address stands in the text. */
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "profile/address.h"
#include "profile/call.h"

static const uint8_t KEY[CALL_KEY_SIZE] = "a fuzzer's key";

static struct span line(struct span *left)
{
	struct span ret = *left;

	if (span_until(left, '\n', &ret))
		return ret;
	*left = span_bytes(NULL, 0);
	return ret;
}

static void addresses(struct span text)
{
	struct address_search s;
	char form[4096];

	address_begin(&s, text.at, text.len);
	for (struct address a; address_next(&s, &a);) {
		const size_t n = address_write(&a, form, sizeof form);

		promise(a.kind != ADDRESS_NONE && a.at.len > 0 && a.at.at >= text.at &&
			a.at.at + a.at.len <= text.at + text.len);
		promise(n <= a.at.len);
		for (size_t i = 0; i < n && i < sizeof form; i++)
			promise(form[i] < 'A' || form[i] > 'Z');
		if (n <= sizeof form)
			promise(address_place(a.kind, span_bytes(form, n)).len <= n);
	}
}

static struct call *make(struct span tool, struct span path, struct span value, enum value_kind is)
{
	static const char words[] = "write to ann@mail.test at evil.com about 13";
	static const struct prompt prompt = { .text = words, .n = sizeof words - 1 };
	struct call *c = malloc(sizeof *c);

	promise(c != NULL);
	call_begin(c, KEY, &prompt, tool.len > 0 ? tool.at : "", tool.len, TOOL_UNTOLD);
	call_argument(c, path.len > 0 ? path.at : "", path.len, value.len > 0 ? value.at : "", value.len, is, 0);
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span left = span_bytes(data, size);
	const struct span tool = line(&left), path = line(&left);

	addresses(left);
	for (enum value_kind is = VALUE_TEXT; is <= VALUE_SWITCH; is++) {
		auto_free struct call *c = make(tool, path, left, is), *again = make(tool, path, left, is);

		promise(c->n <= CALL_ITEMS_MAX + 1 && c->n == again->n &&
			c->acts == (tool_tells(tool.len > 0 ? tool.at : "", tool.len) != TOOL_READS));
		for (size_t i = 0; i < c->n; i++) {
			promise(c->items[i].mark.item == again->items[i].mark.item &&
				c->items[i].mark.kind < ITEM_KINDS);
			promise(strlen(c->items[i].place) < CALL_PLACE_MAX &&
				strlen(c->items[i].value) < CALL_VALUE_MAX);
			for (size_t k = 0; k < i; k++)
				promise(c->items[k].mark.item != c->items[i].mark.item);
		}
	}
	return 0;
}
