/* Any bytes as a note, its text as a checkpoint, and any bytes as a key: what is taken is written again as it came, and a good
 * signature is found only in its own bytes. */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "ledger/checkpoint.h"
#include "ledger/note.h"

static void promise_place(const struct err *e)
{
	promise(e->code == AMBIT_MALFORMED && text_is_utf8(e->msg, strlen(e->msg), NULL));
	promise(strncmp(e->msg, "byte ", 5) == 0 || strncmp(e->msg, "line ", 5) == 0);
}

static void try_key(struct span bytes)
{
	auto_buf out = { .max = VKEY_TEXT_MAX + 1 };
	struct err e = { .code = AMBIT_OK };
	struct vkey k;

	if (vkey_parse(bytes, &k, &e) < 0) {
		promise_place(&e);
		return;
	}
	vkey_put(&out, &k);
	promise(!out.failed && span_equal(span_bytes(out.data, out.len), bytes));
}

static void try_checkpoint(struct span text)
{
	auto_buf out = { .max = NOTE_MAX + 1 };
	struct err e = { .code = AMBIT_OK };
	struct checkpoint c;

	if (checkpoint_parse(text, &c, &e) < 0) {
		promise_place(&e);
		return;
	}
	promise(c.size <= CHECKPOINT_SIZE_MAX && c.origin.len > 0);
	if (vkey_name_is_good(c.origin)) {
		promise(checkpoint_put(&out, c.origin, c.size, c.root, &e) == 0 && out.len <= text.len);
		promise(memcmp(out.data, text.at, out.len) == 0 && (out.len == text.len) == (c.n_extensions == 0));
	}
}

static void promise_same(const struct note *n, struct span bytes)
{
	auto_buf out = { .max = NOTE_MAX };

	buf_put(&out, n->text.at, n->text.len);
	buf_put(&out, "\n", 1);
	for (size_t i = 0; i < n->n_signatures; i++) {
		buf_put(&out, "\xe2\x80\x94 ", 4);
		buf_put(&out, n->signatures[i].name.at, n->signatures[i].name.len);
		buf_put(&out, " ", 1);
		buf_put(&out, n->signatures[i].base64.at, n->signatures[i].base64.len);
		buf_put(&out, "\n", 1);
	}
	promise(!out.failed && span_equal(span_bytes(out.data, out.len), bytes));
}

/* Keys whose secret the fuzzer does not have: what they signed is in the corpus, and is the one thing that they can have
 * signed. */
static void promise_unforged(const struct note *n)
{
	static const struct {
		const char *key, *text;
	} signers[] = {
		{ "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		  "If you think cryptography is the answer to your problem,\n"
		  "then you don't know what your problem is.\n" },
		{ "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
		  "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n" },
	};

	for (size_t i = 0; i < sizeof signers / sizeof signers[0]; i++) {
		uint64_t time = 0;
		struct vkey k;

		promise(vkey_parse(span_of(signers[i].key), &k, NULL) == 0);
		if (note_verify(n, &k, &time) == NOTE_GOOD)
			promise(span_equal(n->text, span_of(signers[i].text)) && time == (i == 1 ? 0x6a122120 : 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span bytes = span_bytes(data, size);
	struct err e = { .code = AMBIT_OK };
	struct note n;

	try_key(bytes);
	if (note_parse(bytes, &n, &e) < 0) {
		promise_place(&e);
		return 0;
	}
	promise_same(&n, bytes);
	try_checkpoint(n.text);
	promise_unforged(&n);
	return 0;
}
