#include "audit/prove.h"

#include <inttypes.h>
#include <string.h>

#include "audit/cosigned.h"
#include "audit/event.h"
#include "audit/line.h"
#include "audit/walk.h"
#include "base/base64.h"
#include "base/text.h"
#include "ledger/entry.h"

static const char damaged_hint[] = "`ambit ledger verify` says where it is not as it was signed";

/* ---- which entry ---- */

struct last_of {
	const char *event; /* borrowed */
	uint64_t index, result;
	bool any, any_result, later; /* later: it has entries that are not signed yet */
};

static int look_for(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct last_of *l = arg;
	struct entry entry;
	struct err e;

	if (entry_take(bytes, n, &entry, &e) < 0 || strcmp(entry.event, l->event) != 0)
		return 0;
	if (!is_signed) {
		l->later = true;
		return 0;
	}
	if (!l->any)
		l->index = index;
	l->any = true;
	if (entry.type == ENTRY_RESULT) {
		l->any_result = true;
		l->result = index;
	}
	return l->any_result || entry.type == ENTRY_REQUEST; /* what is before is none */
}

static int not_signed(struct err *e, const char *what)
{
	return err_set(e, AMBIT_CONFLICT, "the ledger signs when it has nothing else to do; try again",
		       "%s not signed yet", what);
}

static int index_of(struct snapshot *s, const struct audit_ask *ask, uint64_t *ret, struct err *e)
{
	char event[ID_TEXT_MAX];
	struct last_of l = { .event = event };
	struct walk_result ignored;
	int r;

	if ((ask->flags & AUDIT_BY_SEQ) != 0) {
		*ret = ask->seq;
		return 0;
	}
	r = event_find(s, ask->event, event, e);
	if (r < 0)
		return r;
	if (walk_back(s, look_for, &l, &ignored) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look for %s", event);
	if (!l.any)
		return l.later ? not_signed(e, "its entries are")
			       : err_set(e, AMBIT_NOT_FOUND, "`ambit ledger show` lists what there is",
					 "there is no entry of %s in the log", event);
	*ret = l.any_result ? l.result : l.index;
	return 0;
}

static uint64_t unsigned_entries(const struct snapshot *s)
{
	struct snapshot_journal j;
	struct journal_group g;
	uint64_t n = 0;

	if (snapshot_journal_begin(s, &j))
		while (snapshot_journal_next(&j, &g))
			n += g.n;
	return n;
}

static int no_entry(const struct snapshot *s, uint64_t index, struct err *e)
{
	if (index < s->size)
		return err_set(e, AMBIT_MALFORMED, damaged_hint, "entry %" PRIu64 " cannot be read", index);
	if (index < s->size + unsigned_entries(s))
		return not_signed(e, "it is");
	return err_set(e, AMBIT_NOT_FOUND, "the first is 0",
		       "there is no entry %" PRIu64 ", but %" PRIu64 " are signed", index, s->size);
}

/* ---- the proof ---- */

int prove_signature(const struct snapshot *s, struct err *e)
{
	return s->signature.code == AMBIT_OK
		       ? 0
		       : err_set(e, AMBIT_MALFORMED, damaged_hint, "%s",
				 s->checkpoint.len == 0 ? "there is no checkpoint" : s->signature.msg);
}

/* In the tree of the first `size` entries. */
static int prove_in(struct snapshot *s, uint64_t size, const struct hash *root, const uint8_t *entry, size_t n,
		    struct proof *ret, struct err *e)
{
	const struct tile_source source = snapshot_tiles(s);
	struct hash leaf, hashes[MERKLE_PROOF_MAX];
	size_t n_hashes = 0;
	int r = merkle_prove(ret->index, size, &source, hashes, &n_hashes, e);

	if (r < 0)
		return r;
	merkle_leaf(entry, n, &leaf);
	if (n_hashes > PROOF_HASHES_MAX || !merkle_check(&leaf, ret->index, size, hashes, n_hashes, root))
		return err_set(e, AMBIT_MALFORMED, damaged_hint, "entry %" PRIu64 " is not what was signed",
			       ret->index);
	memcpy(ret->hashes, hashes, n_hashes * sizeof *hashes);
	ret->n_hashes = n_hashes;
	return 0;
}

int prove_inclusion(struct snapshot *s, uint64_t index, const uint8_t *entry, size_t n, struct proof *ret,
		    struct err *e)
{
	ret->index = index;
	ret->signed_checkpoint = span_bytes(s->checkpoint.data, s->checkpoint.len);
	return prove_in(s, s->size, &s->root, entry, n, ret, e);
}

/* Against the newest checkpoint with a cosignature that has the entry, and else against the log's own. */
static int prove_cosigned(struct snapshot *s, const struct audit_ask *ask, const uint8_t *entry, size_t n,
			  struct buf *note, struct proof *ret, struct err *e)
{
	struct cosigned_set *set = NULL;
	struct hash root;
	uint64_t size = 0;
	int r = cosigned_take(s, ask, &set, e);

	r = r < 0 ? r : cosigned_newest(set, ret->index, note, &size, &root, e);
	cosigned_free(set);
	if (r < 0 || size == 0)
		return r < 0 ? r : prove_inclusion(s, ret->index, entry, n, ret, e);
	ret->signed_checkpoint = span_bytes(note->data, note->len);
	return prove_in(s, size, &root, entry, n, ret, e);
}

_Static_assert(PROOF_HASH_BYTES == HASH_BYTES, "a hash of a proof is one of the tree");

static int put(const struct proof *p, const uint8_t *entry, size_t n, struct buf *out, struct err *e)
{
	auto_buf extra = { .max = BASE64_LEN(ENTRY_MAX) };
	struct proof with = *p;

	base64_put(&extra, entry, n);
	with.extra = span_bytes(extra.data, extra.len);
	if (extra.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the proof");
	return proof_put(out, &with, e) == 0
		       ? 0
		       : proof_put(out, p, e); /* the longest entry has no room beside many signatures */
}

int prove_entry(struct snapshot *s, const struct audit_ask *ask, struct buf *out, struct err *e)
{
	__attribute__((cleanup(walk_room_finish))) struct walk_room room = { .holds = false };
	auto_buf note = { .max = NOTE_MAX };
	struct proof p = { .index = 0 };
	const uint8_t *entry;
	uint64_t index = 0;
	size_t n;
	int r;

	r = prove_signature(s, e);
	r = r < 0 ? r : index_of(s, ask, &index, e);
	if (r < 0)
		return r;
	entry = walk_to(s, index, &room, &n);
	if (entry == NULL)
		return no_entry(s, index, e);
	p.index = index;
	r = prove_cosigned(s, ask, entry, n, &note, &p, e);
	return r < 0 ? r : put(&p, entry, n, out, e);
}

/* ---- the check ---- */

static int judge(const struct proof *p, const struct vkey *key, const struct buf *entry, struct err *e)
{
	struct hash leaf, root;
	char name[400];

	if (note_verify(&p->note, key, NULL) != NOTE_GOOD)
		return err_set(e, AMBIT_MALFORMED, "check that it is the key of this log", "it is not signed by %s",
			       text_escape(name, sizeof name, key->name, strlen(key->name)));
	if (!span_equal(p->checkpoint.origin, span_of(key->name)))
		return err_set(e, AMBIT_MALFORMED, NULL, "it is of another log than %s",
			       text_escape(name, sizeof name, key->name, strlen(key->name)));
	merkle_leaf(entry->data, entry->len, &leaf);
	memcpy(&root, p->checkpoint.root, sizeof root);
	if (!merkle_check(&leaf, p->index, p->checkpoint.size, (const struct hash *)(const void *)p->hashes,
			  p->n_hashes, &root))
		return err_set(e, AMBIT_MALFORMED, NULL, "the entry in it is not entry %" PRIu64 " of the signed log",
			       p->index);
	return 0;
}

static void say(const struct proof *p, const struct vkey *key, const struct entry *entry, const struct buf *cosigners,
		struct buf *out)
{
	char name[2 * VKEY_NAME_MAX];
	size_t others = p->note.n_signatures - 1;

	for (size_t i = 0; i < cosigners->len && others > 0; i++)
		others -= cosigners->data[i] == '\n'; /* a line for each that was */

	line_put(out, entry, NULL);
	buf_printf(out, "proved: this is entry %" PRIu64 " of the %" PRIu64 " that %s has signed", p->index,
		   p->checkpoint.size, text_escape(name, sizeof name, key->name, strlen(key->name)));
	if (others > 0)
		buf_printf(out, "; %zu more signature%s not looked at", others, others == 1 ? " was" : "s were");
	buf_printf(out, "\n");
	buf_put(out, cosigners->data, cosigners->len);
}

int prove_check(const struct audit_ask *ask, struct buf *out, struct err *e)
{
	auto_buf bytes = { .max = ENTRY_MAX + 3 }, cosigners = { .max = 32768 };
	struct entry entry;
	struct proof p;
	struct err wrong;
	struct vkey key;
	int r = vkey_parse(span_of(ask->key), &key, &wrong);

	if (r < 0)
		return err_set(e, AMBIT_USAGE, NULL, "--key: %s", wrong.msg);
	r = proof_parse(ask->given, &p, e);
	if (r < 0)
		return r;
	if (p.extra.len == 0)
		return err_set(e, AMBIT_USAGE, "`ambit ledger prove` puts it there",
			       "the proof does not have its entry with it");
	if (!base64_take(&bytes, p.extra.at, p.extra.len) || bytes.failed)
		return err_set(e, AMBIT_MALFORMED, NULL, "what is with the proof is longer than an entry");
	r = judge(&p, &key, &bytes, e);
	r = r < 0 ? r : cosigned_check(&p.note, ask, &cosigners, e);
	if (r < 0)
		return r;
	if (entry_take(bytes.data, bytes.len, &entry, e) < 0)
		return err_context(e, -AMBIT_MALFORMED, "it is signed, and is no entry");
	if (entry.seq != p.index)
		return err_set(e, AMBIT_MALFORMED, NULL,
			       "it is signed as entry %" PRIu64 ", and says that it is %" PRIu64, p.index, entry.seq);
	if ((ask->flags & AUDIT_JSON) != 0) {
		buf_put(out, bytes.data, bytes.len);
		buf_put(out, "\n", 1);
	} else {
		say(&p, &key, &entry, &cosigners, out);
	}
	return 0;
}
