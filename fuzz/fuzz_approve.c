/* Any bytes, behind a letter that says which: the statement of an approval, a signature in both forms, a key's blob, the file of a key, a message. What is taken is
 * in bounds, and written again is the same. */
#include <string.h>

#include "approve/key.h"
#include "fuzz.h"

static uint8_t room[4096];

static void again(const struct buf *out, const uint8_t *data, size_t size)
{
	promise(!out->failed && out->len == size && memcmp(out->data, data, size) == 0);
}

static bool statement(const uint8_t *data, size_t size, struct buf *out)
{
	struct statement s;

	if (statement_take(span_bytes(data, size), &s, NULL) < 0)
		return false;
	statement_put(out, &s);
	return true;
}

static bool binary(const uint8_t *data, size_t size, struct buf *out)
{
	struct sshsig s;

	if (sshsig_take(span_bytes(data, size), SSHSIG_APPROVAL, &s, NULL) < 0)
		return false;
	(void)sshsig_check(&s, SSHSIG_APPROVAL, span_of("nothing"), NULL);
	sshsig_put(out, SSHSIG_APPROVAL, &s);
	return true;
}

/* Its lines may be of other lengths than ours: what is in it comes back. */
static void armored(const uint8_t *data, size_t size)
{
	static uint8_t first[SSHSIG_ARMORED_MAX], text[2 * SSHSIG_ARMORED_MAX], second[SSHSIG_ARMORED_MAX];
	struct buf one, written, two;

	buf_init_in(&one, first, sizeof first);
	buf_init_in(&written, text, sizeof text);
	buf_init_in(&two, second, sizeof second);
	if (sshsig_take_armored(&one, span_bytes(data, size), NULL) < 0 || one.len > SSHSIG_MAX)
		return;
	sshsig_put_armored(&written, span_bytes(one.data, one.len));
	promise(!written.failed && sshsig_take_armored(&two, span_bytes(written.data, written.len), NULL) == 0);
	promise(buf_is_same(&one, &two));
}

static bool blob(const uint8_t *data, size_t size, struct buf *out)
{
	uint8_t key[SSHSIG_KEY_BYTES];

	if (!sshsig_take_key(span_bytes(data, size), key))
		return false;
	sshsig_put_key(out, key);
	return true;
}

static void file(const uint8_t *data, size_t size)
{
	struct key_file f;

	if (key_take(data, size, &f, NULL) < 0)
		return;
	promise(approve_name_is_good(f.head.name) && size <= KEY_FILE_MAX);
	promise(f.head.kind == APPROVE_BY_AGENT ||
		(f.kib <= KEY_KIB_MAX && f.passes <= KEY_PASSES_MAX && f.sealed.len == KEY_SEALED_BYTES));
}

static bool message(uint8_t which, const uint8_t *data, size_t size, struct buf *out)
{
	static struct approve_check check;
	struct approve_enroll enroll;
	struct approve_ask ask;
	struct approve_key key;
	struct rbuf in;

	rbuf_init(&in, data, size);
	if (which == 'e' && approve_take_enroll(&in, &enroll))
		approve_put_enroll(out, &enroll);
	else if (which == 'q' && approve_take_ask(&in, &ask))
		approve_put_ask(out, &ask);
	else if (which == 'c' && approve_take_check(&in, &check))
		approve_put_check(out, &check);
	else if (which == 'k' && approve_take_key(&in, &key))
		approve_put_key(out, &key);
	else
		return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out;
	bool taken = false;

	if (size == 0)
		return 0;
	buf_init_in(&out, room, sizeof room);
	switch (data[0]) {
	case 's': taken = statement(data + 1, size - 1, &out); break;
	case 'b': taken = binary(data + 1, size - 1, &out); break;
	case 'a': armored(data + 1, size - 1); break;
	case 'p': taken = blob(data + 1, size - 1, &out); break;
	case 'f': file(data + 1, size - 1); break;
	default: taken = message(data[0], data + 1, size - 1, &out);
	}
	if (taken)
		again(&out, data + 1, size - 1);
	return 0;
}
