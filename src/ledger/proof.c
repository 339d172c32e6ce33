#include "ledger/proof.h"

#include <inttypes.h>

#include "base/base64.h"

#define HEAD "c2sp.org/tlog-proof@v1"
#define EXTRA "extra "
#define INDEX "index "

static int refuse(struct err *e, size_t line, const char *what)
{
	return err_set(e, AMBIT_MALFORMED, NULL, "line %zu: %s", line, what);
}

/* The number of the line that has the index. */
static size_t index_line(const struct proof *p)
{
	return p->extra.len > 0 ? 3 : 2;
}

static bool is_base64(struct span s)
{
	size_t n;

	return base64_is(s.at, s.len, &n) && n > 0;
}

/* Gives what is wrong with the line taken last, or the one that is missing; NULL if nothing. */
static const char *take_hashes(struct lines *l, struct proof *p)
{
	struct span line;

	while (lines_next(l, &line)) {
		if (line.len == 0)
			return NULL;
		if (p->n_hashes == PROOF_HASHES_MAX)
			return "a proof has at most 63 hashes";
		if (!span_base64(line, p->hashes[p->n_hashes], PROOF_HASH_BYTES))
			return "a hash is 32 bytes in base64";
		p->n_hashes++;
	}
	l->number++;
	return "no empty line before the checkpoint";
}

/* The lines before the checkpoint. */
static const char *take_head(struct lines *l, struct proof *p)
{
	struct span line = { .at = NULL };

	if (!lines_next(l, &line) || !span_equal(line, span_of(HEAD))) {
		l->number = 1;
		return "no proof: it begins with " HEAD;
	}
	if (!lines_next(l, &line)) {
		l->number++;
		return "no index";
	}
	if (span_skip(&line, EXTRA)) {
		if (!is_base64(line))
			return "extra data is base64, and not empty";
		p->extra = line;
		line = span_of("");
		if (!lines_next(l, &line))
			l->number++;
	}
	if (!span_skip(&line, INDEX) || !span_decimal(line, CHECKPOINT_SIZE_MAX, &p->index))
		return "not \"index \" and a number below 2^63, in digits alone and without zeroes before it";
	return take_hashes(l, p);
}

static int take_checkpoint(const struct lines *l, struct proof *p, struct err *e)
{
	int rc;

	p->signed_checkpoint = l->left;
	rc = note_parse(l->left, &p->note, e);
	if (rc == 0)
		rc = checkpoint_parse(p->note.text, &p->checkpoint, e);
	return rc < 0 ? err_context(e, rc, "checkpoint from line %zu", l->number + 1) : 0;
}

int proof_parse(struct span bytes, struct proof *ret, struct err *e)
{
	struct lines l = { .left = bytes };
	struct proof p = { .index = 0 };
	const char *wrong;
	int rc;

	if (bytes.len > PROOF_MAX)
		return err_set(e, AMBIT_MALFORMED, NULL, "byte %u: a proof has at most 131072 bytes", PROOF_MAX);
	wrong = take_head(&l, &p);
	if (wrong != NULL)
		return refuse(e, l.number, wrong);
	rc = take_checkpoint(&l, &p, e);
	if (rc < 0)
		return rc;
	if (p.index >= p.checkpoint.size)
		return refuse(e, index_line(&p), "the tree of the checkpoint has no entry of this index");
	*ret = p;
	return 0;
}

static void put(struct buf *out, const struct proof *p)
{
	buf_printf(out, HEAD "\n");
	if (p->extra.len > 0) {
		buf_printf(out, EXTRA);
		buf_put(out, p->extra.at, p->extra.len);
		buf_put(out, "\n", 1);
	}
	buf_printf(out, INDEX "%" PRIu64 "\n", p->index);
	for (size_t i = 0; i < p->n_hashes; i++) {
		base64_put(out, p->hashes[i], PROOF_HASH_BYTES);
		buf_put(out, "\n", 1);
	}
	buf_put(out, "\n", 1);
	buf_put(out, p->signed_checkpoint.at, p->signed_checkpoint.len);
}

int proof_put(struct buf *out, const struct proof *p, struct err *e)
{
	const size_t before = out->len;
	struct proof parsed;
	int rc;

	/* What could end a line of its own accord is looked at before it is written; the rest when it is. */
	if (p->extra.len > 0 && !is_base64(p->extra))
		return refuse(e, 2, "extra data is base64, and not empty");
	if (p->n_hashes > PROOF_HASHES_MAX)
		return refuse(e, index_line(p) + PROOF_HASHES_MAX + 1, "a proof has at most 63 hashes");
	put(out, p);
	rc = out->failed ? err_set(e, AMBIT_MEMORY, NULL, "no room for a proof")
			 : proof_parse(span_bytes(out->data + before, out->len - before), &parsed, e);
	if (rc < 0)
		out->len = before;
	return rc;
}
