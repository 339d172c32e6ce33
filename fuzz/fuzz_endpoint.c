/* Any text as an endpoint: what is taken has one way of being written, which is taken as the same; what is not is said in clean words. */
#include <string.h>

#include "base/cleanup.h"
#include "core/endpoint.h"
#include "fuzz.h"

static bool is_clean(const char *s)
{
	for (; *s != 0; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = strndup((const char *)data, size);
	char once[ENDPOINT_TEXT_MAX], twice[ENDPOINT_TEXT_MAX];
	struct endpoint p, again;
	struct err e;

	promise(text != NULL);
	if (endpoint_take(text, &p, &e) < 0) {
		promise(e.msg[0] != 0 && e.why[0] != 0 && e.hint[0] != 0);
		promise(is_clean(e.msg) && is_clean(e.hint));
		return 0;
	}
	endpoint_put(&p, once);
	promise(endpoint_take(once, &again, &e) == 0);
	endpoint_put(&again, twice);
	promise(strcmp(once, twice) == 0);
	promise(again.kind == p.kind && again.port == p.port);
	promise(endpoint_is_within(&p, &p));
	promise(endpoint_is_within(&p, &again) && endpoint_is_within(&again, &p));
	return 0;
}
