/* Any bytes as the list of witnesses, as an address, as a file's name, and as either message: what is taken is written again as it came. */
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "witness/ask.h"

static void try_list(struct span bytes)
{
	auto_free struct witness_list *l = calloc(1, sizeof *l);
	auto_buf out = { .max = WITNESS_LIST_MAX };
	struct err e;

	promise(l != NULL);
	if (witness_list_parse(bytes, l, &e) < 0) {
		promise(e.code == AMBIT_MALFORMED && strncmp(e.msg, "line ", 5) == 0);
		return;
	}
	witness_list_put(l, &out);
	promise(!out.failed && span_equal(span_bytes(out.data, out.len), bytes));
}

static void try_words(struct span bytes)
{
	auto_free char *text = calloc(1, bytes.len + 1);
	uint8_t material[1 + VKEY_PUBLIC_BYTES];
	char name[WITNESS_FILE_LEN + 1];
	struct witness_url u;

	promise(text != NULL);
	if (bytes.len > 0)
		memcpy(text, bytes.at, bytes.len);
	if (witness_url_parse(text, &u, NULL) == 0) {
		promise(u.host[0] != 0 && u.port[0] != 0 && (u.path[0] == 0 || u.path[0] == '/'));
		promise(strpbrk(u.path, " \r\n?#") == NULL && strpbrk(u.host, " \r\n/[]") == NULL);
	}
	if (witness_file(text, name))
		promise(witness_file_take(name, material) && strchr(name, '/') == NULL);
}

static void try_messages(struct span bytes)
{
	auto_free struct witness_ask *ask = calloc(1, sizeof *ask);
	auto_buf out = { .max = WITNESS_ASK_MAX };
	struct witness_verdict v;

	promise(ask != NULL);
	if (witness_ask_decode(bytes.at, bytes.len, ask, NULL) == 0)
		witness_ask_encode(ask, &out);
	else if (witness_verdict_decode(bytes.at, bytes.len, &v, NULL) == 0)
		witness_verdict_encode(&v, &out);
	else
		return;
	promise(span_equal(span_bytes(out.data, out.len), bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span bytes = span_bytes(data, size);

	try_list(bytes);
	try_words(bytes);
	try_messages(bytes);
	return 0;
}
