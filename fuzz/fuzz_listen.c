/* Any text as a port that is listened at: what is taken has one way of being written, which is taken as the same; what is not is said in clean words. */
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/listen.h"
#include "fuzz.h"

static void refused(const struct err *e)
{
	promise(e->msg[0] != 0 && e->hint[0] != 0);
	for (const char *s = e->msg; *s != 0; s++)
		promise((unsigned char)*s >= 0x20 && *s != 0x7f);
}

/* The other way of writing one port. */
static bool is_twice(const char *text, const char *once)
{
	const size_t n = strlen(once);

	return strlen(text) == 2 * n + 1 && memcmp(text, once, n) == 0 && text[n] == ':' &&
	       strcmp(text + n + 1, once) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = strndup((const char *)data, size);
	struct listen_ports p = { .host = 7, .cell = 0 }, again;
	char once[LISTEN_TEXT_MAX];
	struct err e;

	promise(text != NULL);
	if (listen_take(text, &p, &e) < 0) {
		promise(p.host == 7 && p.cell == 0);
		refused(&e);
		return 0;
	}
	promise(p.cell != 0);
	listen_put(&p, once);
	promise(strcmp(once, text) == 0 || is_twice(text, once));
	promise(listen_take(once, &again, &e) == 0 && again.host == p.host && again.cell == p.cell);
	return 0;
}
