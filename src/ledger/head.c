#include "ledger/head.h"

#include <string.h>

#include "ledger/checkpoint.h"

#define TEXT_MAX (VKEY_NAME_MAX + 128) /* three lines */

_Static_assert(CHECKPOINT_ROOT_BYTES == HASH_BYTES, "a root is a hash");

int head_put(struct buf *out, const struct log_key *key, uint64_t size, const struct hash *root, struct err *e)
{
	uint8_t room[TEXT_MAX], line_room[NOTE_MAX / 64];
	struct buf text, line;
	int r;

	buf_init_in(&text, room, sizeof room);
	buf_init_in(&line, line_room, sizeof line_room);
	r = checkpoint_put(&text, span_of(key->public.name), size, root->bytes, e);
	if (r == 0)
		r = note_put_signature(&line, span_bytes(text.data, text.len), &key->public, key->secret, 0, e);
	if (r < 0)
		return r;
	buf_put(out, text.data, text.len);
	buf_put(out, "\n", 1);
	buf_put(out, line.data, line.len);
	return out->failed ? err_set(e, AMBIT_MEMORY, NULL, "out of memory") : 0;
}

int head_take(const struct vkey *key, const void *bytes, size_t n, uint64_t *ret_size, struct hash *ret_root,
	      struct err *e)
{
	struct checkpoint c;
	struct note note;
	int r = note_parse(span_bytes(bytes, n), &note, e);

	if (r < 0)
		return r;
	if (note_verify(&note, key, NULL) != NOTE_GOOD)
		return err_set(e, AMBIT_MALFORMED, "check that it is the key of this log",
			       "the checkpoint is not signed by %s", key->name);
	r = checkpoint_parse(note.text, &c, e);
	if (r < 0)
		return r;
	if (!span_equal(c.origin, span_of(key->name)))
		return err_set(e, AMBIT_MALFORMED, NULL, "the checkpoint is of another log than %s", key->name);
	*ret_size = c.size;
	memcpy(ret_root->bytes, c.root, sizeof ret_root->bytes);
	return 0;
}
