#include "audit/cosigned.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/signed.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "ledger/head.h"
#include "ledger/layout.h"

/* ---- one of them ---- */

static void wrong(struct cosigned *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void wrong(struct cosigned *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->wrong, sizeof c->wrong, fmt, ap);
	va_end(ap);
}

/* The key in the name of the file, with the name that belongs to it: that of the signature whose id they give together. */
static bool find_name(struct cosigned *c)
{
	for (size_t i = 0; i < c->note.n_signatures; i++) {
		const struct note_signature *s = &c->note.signatures[i];
		struct vkey k;

		if (vkey_init(&k, VKEY_COSIGNATURE, s->name, c->key.public, NULL) == 0 && k.id == s->id) {
			c->key = k;
			return true;
		}
	}
	return false;
}

static void check_growth(struct cosigned *c, struct snapshot *s, const struct hash *root)
{
	struct err e;

	switch (signed_growth(s, c->size, root, &e)) {
	case GROWTH_GOOD: return;
	case GROWTH_CUT:
		wrong(c, "%s has cosigned %" PRIu64 " entries, and the log has %" PRIu64 ": it was rolled back, or cut",
		      c->key.name, c->size, s->size);
		return;
	case GROWTH_OTHER_ROOT:
		wrong(c, "%s has cosigned as many entries with another root: the log was rewritten", c->key.name);
		return;
	case GROWTH_UNKNOWN:
		wrong(c, "whether the log goes on from what %s has cosigned cannot be told: %s", c->key.name, e.msg);
		return;
	case GROWTH_OTHER:
		wrong(c,
		      "its first %" PRIu64 " entries are not those that %s has cosigned: the log was rewritten, or "
		      "damaged",
		      c->size, c->key.name);
	}
}

static void judge(struct cosigned *c, struct snapshot *s, int error)
{
	struct hash root;
	struct err e;

	if (error < 0)
		wrong(c, "%s", source_why(error));
	else if (note_parse(span_bytes(c->bytes.data, c->bytes.len), &c->note, &e) < 0)
		wrong(c, "it is no checkpoint: %s", e.msg);
	else if (head_take(&s->key, c->bytes.data, c->bytes.len, &c->size, &root, &e) < 0)
		wrong(c, "%s: it is of another log, or the key was changed", e.msg);
	else if (!find_name(c) || note_verify(&c->note, &c->key, &c->time_s) != NOTE_GOOD)
		wrong(c, "the witness of its name has not cosigned it");
	else
		check_growth(c, s, &root);
}

/* ---- all of them ---- */

/* The file of this witness; NULL: there is none. One that is wrong may have no name. */
static struct cosigned *file_of(struct cosigned_set *set, const struct vkey *k)
{
	for (size_t i = 0; i < set->n; i++) {
		struct cosigned *c = &set->of[i];

		if (memcmp(c->key.public, k->public, sizeof k->public) == 0 &&
		    (c->wrong[0] != 0 || strcmp(c->key.name, k->name) == 0))
			return c;
	}
	return NULL;
}

static int named(const struct audit_ask *ask, uint32_t i, struct vkey *ret, struct err *e)
{
	struct err why;

	if (vkey_parse(span_of(ask->witness[i]), ret, &why) < 0)
		return err_set(e, AMBIT_USAGE, NULL, "the key of a witness: %s", why.msg);
	return ret->type == VKEY_COSIGNATURE ? 0
					     : err_set(e, AMBIT_USAGE, "a witness signs with a key of the type 0x04",
						       "the key of %.200s is none of a witness", ret->name);
}

struct taking {
	struct cosigned_set *set;
	const struct source *dir;
	struct snapshot *s;
};

static void take_one(void *arg, const char *name)
{
	const struct taking *t = arg;
	struct cosigned_set *set = t->set;
	struct cosigned *c = &set->of[set->n];
	uint8_t material[1 + VKEY_PUBLIC_BYTES];

	if (name[0] == '.')
		return; /* ".", "..", and what is being written */
	if (!witness_file_take(name, material)) {
		(void)text_escape(set->strange, sizeof set->strange, name, strlen(name));
		return;
	}
	if (set->n == AUDIT_WITNESSES_MAX) {
		set->more = true;
		return;
	}
	set->n++;
	(void)snprintf(c->file, sizeof c->file, LEDGER_WITNESS "/%.*s", WITNESS_FILE_LEN,
		       name); /* it is of that length */
	memcpy(c->key.public, material + 1, sizeof c->key.public);
	buf_init(&c->bytes, NOTE_MAX);
	judge(c, t->s, source_read(t->dir, name, &c->bytes));
}

static int by_file(const void *a, const void *b)
{
	const struct cosigned *x = a, *y = b;

	return strcmp(x->file, y->file);
}

static int take_all(struct cosigned_set *set, const char *path, struct snapshot *s, struct err *e)
{
	struct source dir;
	struct taking t = { .set = set, .dir = &dir, .s = s };
	int r = source_open(path, &dir, e);

	if (r < 0)
		return r;
	r = source_names(&dir, take_one, &t);
	source_close(&dir);
	qsort(set->of, set->n, sizeof set->of[0], by_file);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot list what witnesses have cosigned") : 0;
}

static int mark_named(struct cosigned_set *set, const struct audit_ask *ask, struct err *e)
{
	for (uint32_t i = 0; i < ask->n_witnesses; i++) {
		struct vkey k;
		const int r = named(ask, i, &k, e);
		struct cosigned *c = r < 0 ? NULL : file_of(set, &k);

		if (r < 0)
			return r;
		if (c != NULL)
			c->required = true;
		set->missing += c == NULL || c->wrong[0] != 0;
	}
	return 0;
}

int cosigned_take(struct snapshot *s, const struct audit_ask *ask, struct cosigned_set **ret, struct err *e)
{
	struct cosigned_set *set = calloc(1, sizeof *set);
	int r = 0;

	if (set == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to read what witnesses have cosigned");
	if (ask->cosigned[0] != 0)
		r = take_all(set, ask->cosigned, s, e);
	r = r < 0 ? r : mark_named(set, ask, e);
	if (r < 0)
		cosigned_free(set);
	else
		*ret = set;
	return r;
}

void cosigned_free(struct cosigned_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->n; i++)
		buf_finish(&set->of[i].bytes);
	free(set);
}

/* ---- what is said of them ---- */

static void tell_one(const struct cosigned *c, struct report *report)
{
	struct report_cosigned *told = &report->cosigned[report->n_cosigned++];

	(void)text_copy(told->name, sizeof told->name, c->key.name); /* the same size */
	told->size = c->size;
	told->time_s = c->time_s;
	told->given = c->required;
}

static void report_missing(struct cosigned_set *set, const struct audit_ask *ask, struct report *report)
{
	for (uint32_t i = 0; i < ask->n_witnesses; i++) {
		struct vkey k;

		if (named(ask, i, &k, NULL) == 0 && file_of(set, &k) == NULL) /* it is a key, or was refused before */
			report_fault(report, NULL, "nothing is kept here that %s has cosigned", k.name);
	}
}

void cosigned_report(struct cosigned_set *set, const struct audit_ask *ask, struct report *report)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->of[i].wrong[0] != 0)
			report_fault(report, set->of[i].file, "%s", set->of[i].wrong);
		else
			tell_one(&set->of[i], report);
	if (ask->quorum == 0)
		report_missing(set, ask, report);
	else if (ask->n_witnesses - set->missing < ask->quorum)
		report_fault(report, NULL, "it is cosigned by %zu of the %u witnesses that were named, and not by %u",
			     ask->n_witnesses - set->missing, ask->n_witnesses, ask->quorum);
	if (set->strange[0] != 0)
		report_remark(report, set->strange, "it lies in " LEDGER_WITNESS "/ and is of no witness");
	if (set->more)
		report_remark(report, NULL, "more than %d witnesses have cosigned it: not all were looked at",
			      AUDIT_WITNESSES_MAX);
}

void cosigned_say(const char *name, uint64_t time_s, struct buf *out)
{
	char shown[2 * VKEY_NAME_MAX], at[TIMESTAMP_LEN + 1] = "";

	if (time_s < TIMESTAMP_END_MS / 1000)
		(void)timestamp_write(timestamp_ms_of(time_s), at); /* it was looked at */
	buf_printf(out, "cosigned by %s at %s", text_escape(shown, sizeof shown, name, strlen(name)),
		   at[0] != 0 ? at : "no time of ours");
}

/* ---- for proofs ---- */

static bool is_same_state(const struct cosigned *a, const struct cosigned *b)
{
	return a->wrong[0] == 0 && span_equal(a->note.text, b->note.text);
}

static void put_cosignature(const struct cosigned *c, struct buf *out)
{
	for (size_t i = 0; i < c->note.n_signatures; i++) {
		const struct note_signature *s = &c->note.signatures[i];

		if (s->id == c->key.id && span_equal(s->name, span_of(c->key.name)))
			buf_printf(out, "\xe2\x80\x94 %s %.*s\n", c->key.name, (int)s->base64.len, s->base64.at);
	}
}

int cosigned_newest(const struct cosigned_set *set, uint64_t index, struct buf *ret_note, uint64_t *ret_size,
		    struct hash *ret_root, struct err *e)
{
	const struct cosigned *newest = NULL;
	struct checkpoint c;

	*ret_size = 0;
	for (size_t i = 0; i < set->n; i++)
		if (set->of[i].wrong[0] == 0 && set->of[i].size > index &&
		    (newest == NULL || set->of[i].size > newest->size))
			newest = &set->of[i];
	if (newest == NULL || checkpoint_parse(newest->note.text, &c, e) < 0)
		return 0; /* the second was parsed before */
	buf_put(ret_note, newest->bytes.data, newest->bytes.len);
	for (size_t i = 0; i < set->n; i++)
		if (&set->of[i] != newest && is_same_state(&set->of[i], newest))
			put_cosignature(&set->of[i], ret_note);
	memcpy(ret_root, c.root, sizeof *ret_root);
	*ret_size = c.size;
	return ret_note->failed ? err_set(e, AMBIT_MEMORY, NULL, "no room for the cosignatures") : 0;
}

int cosigned_check(const struct note *n, const struct audit_ask *ask, struct buf *out, struct err *e)
{
	const uint32_t wanted = ask->quorum > 0 ? ask->quorum : ask->n_witnesses;
	char missing[2 * VKEY_NAME_MAX] = "";
	uint32_t good = 0;

	for (uint32_t i = 0; i < ask->n_witnesses; i++) {
		uint64_t time_s = 0;
		struct vkey k;
		const int r = named(ask, i, &k, e);
		const enum note_answer answer = r < 0 ? NOTE_UNSIGNED : note_verify(n, &k, &time_s);

		if (r < 0)
			return r;
		if (answer == NOTE_GOOD) {
			good++;
			cosigned_say(k.name, time_s, out);
			buf_printf(out, "\n");
		} else if (missing[0] == 0 || answer == NOTE_BAD) {
			(void)text_escape(missing, sizeof missing, k.name, strlen(k.name));
		}
		if (answer == NOTE_BAD)
			return err_set(e, AMBIT_MALFORMED, NULL, "what it has as a cosignature of %s is none of it",
				       missing);
	}
	if (good >= wanted)
		return 0;
	return err_set(e, AMBIT_MALFORMED,
		       "`ambit ledger witness` asks for cosignatures, and `prove` then puts them in",
		       ask->quorum > 0 ? "%u of the witnesses that were named have cosigned it, and not %u; not %s"
				       : "%u of the witnesses that must have cosigned it have, of %u; not %s",
		       good, wanted, missing);
}

int cosigned_verify(struct snapshot *s, const struct audit_ask *ask, struct report *report, struct err *e)
{
	struct cosigned_set *set = NULL;
	const int r = cosigned_take(s, ask, &set, e);

	if (r == 0 && set != NULL)
		cosigned_report(set, ask, report);
	cosigned_free(set);
	return r;
}
