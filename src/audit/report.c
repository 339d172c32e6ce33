#include "audit/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/cosigned.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"

#define SHOWN_MAX 1200

/* ---- taking ---- */

__attribute__((format(printf, 3, 0))) static void fill(struct finding *f, const char *file, const char *fmt, va_list ap)
{
	char why[2 * sizeof f->why];

	*f = (struct finding){ .has_entry = false };
	if (file != NULL)
		(void)snprintf(f->file, sizeof f->file, "%s", file); /* cut: it is only shown */
	(void)vsnprintf(why, sizeof why, fmt, ap);
	(void)text_show(f->why, sizeof f->why, why, strlen(why)); /* so that it is text, also where it is cut */
}

/* NULL: there is no room. */
static struct finding *next_fault(struct report *r)
{
	if (r->n_faults < REPORT_FAULTS_MAX)
		return &r->faults[r->n_faults++];
	r->given_up = true;
	return NULL;
}

void report_fault(struct report *r, const char *file, const char *fmt, ...)
{
	struct finding *f = next_fault(r);
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, fmt);
	fill(f, file, fmt, ap);
	va_end(ap);
}

void report_entry(struct report *r, uint64_t entry, const char *file, const char *fmt, ...)
{
	struct finding *f = next_fault(r);
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, fmt);
	fill(f, file, fmt, ap);
	va_end(ap);
	f->has_entry = true;
	f->entry = entry;
}

void report_remark(struct report *r, const char *file, const char *fmt, ...)
{
	va_list ap;

	if (r->n_remarks == REPORT_REMARKS_MAX)
		return;
	va_start(ap, fmt);
	fill(&r->remarks[r->n_remarks++], file, fmt, ap);
	va_end(ap);
}

void report_copy(struct report *r, const struct finding *f, bool is_fault)
{
	struct finding *to = is_fault                            ? next_fault(r)
			     : r->n_remarks < REPORT_REMARKS_MAX ? &r->remarks[r->n_remarks++]
								 : NULL;

	if (to != NULL)
		*to = *f;
}

/* ---- saying, for people ---- */

static void put_shown(struct buf *out, const char *text, size_t n)
{
	char shown[SHOWN_MAX];

	buf_printf(out, "%s", text_show(shown, sizeof shown, text, n));
}

static void put_finding(struct buf *out, const char *lead, const struct finding *f)
{
	buf_printf(out, "%s", lead);
	if (f->has_entry)
		buf_printf(out, "entry %" PRIu64 "%s", f->entry, f->file[0] != 0 ? " (" : ": ");
	put_shown(out, f->file, strlen(f->file));
	if (f->file[0] != 0)
		buf_printf(out, f->has_entry ? "): " : ": ");
	put_shown(out, f->why, strlen(f->why));
	buf_printf(out, "\n");
}

static void put_verified(const struct report *r, const struct snapshot *s, struct buf *out)
{
	char from[TIMESTAMP_LEN + 1], to[TIMESTAMP_LEN + 1];

	buf_printf(out, "verified: %" PRIu64 " entr%s of ", s->size, s->size == 1 ? "y" : "ies");
	put_shown(out, s->key.name, strlen(s->key.name));
	if (r->first_ms != 0 && timestamp_write(r->first_ms, from) && timestamp_write(r->last_ms, to))
		buf_printf(out, ", %s to %s", from, to);
	buf_printf(out, "\n");
	if (r->has_saved)
		buf_printf(out, "  they begin with the %" PRIu64 " of the saved checkpoint\n", r->saved_size);
	if (r->has_payloads)
		buf_printf(out, "  %" PRIu64 " record%s beside the log %s what was recorded; %" PRIu64 " %s pruned",
			   r->payloads, text_plural(r->payloads), r->payloads == 1 ? "is" : "are", r->pruned,
			   r->pruned == 1 ? "was" : "were");
	if (r->lost > 0)
		buf_printf(out, "; %" PRIu64 " went with the machine's power, before %s on disk", r->lost,
			   r->lost == 1 ? "it was" : "they were");
	if (r->has_payloads)
		buf_printf(out, "\n");
}

static void put_key(struct buf *out, const struct vkey *k)
{
	auto_buf text = { .max = VKEY_TEXT_MAX + 1 };

	vkey_put(&text, k);
	put_shown(out, (const char *)text.data, text.len);
}

static void put_cosigned(const struct report *r, struct buf *out)
{
	bool found = false;

	for (size_t i = 0; i < r->n_cosigned; i++) {
		const struct report_cosigned *c = &r->cosigned[i];

		buf_printf(out, "  ");
		cosigned_say(c->name, c->time_s, out);
		buf_printf(out, ", %" PRIu64 " entr%s%s\n", c->size, c->size == 1 ? "y" : "ies",
			   c->given ? "" : ", by a key found beside the log");
		found |= !c->given;
	}
	if (found)
		buf_printf(
			out,
			"  who changes the log can cosign with a key of their own, too; name the witness's: --witness\n");
}

static void put_trust(const struct snapshot *s, struct buf *out)
{
	if (s->key_was_given)
		return;
	buf_printf(out,
		   "  trusted the key found beside the log, which who changes the log can change too; pin it: --key ");
	put_key(out, &s->key);
	buf_printf(out, "\n");
}

void report_text(const struct report *r, const struct snapshot *s, const struct chain *chain, struct buf *out)
{
	for (size_t i = 0; i < r->n_faults; i++)
		put_finding(out, "", &r->faults[i]);
	if (r->n_faults > 0)
		buf_printf(out,
			   "NOT verified: %zu fault%s%s; %" PRIu64 " of %" PRIu64
			   " entries are as the checkpoint says\n",
			   r->n_faults, text_plural(r->n_faults),
			   r->given_up ? " and more, and the rest was not looked at" : "", r->entries, s->size);
	else
		put_verified(r, s, out);
	if (chain != NULL)
		chain_text(chain, out);
	for (size_t i = 0; i < r->n_remarks; i++)
		put_finding(out, "  note: ", &r->remarks[i]);
	if (r->unsigned_entries > 0)
		buf_printf(out, "  %" PRIu64 " entr%s in the journal %s not signed yet\n", r->unsigned_entries,
			   r->unsigned_entries == 1 ? "y" : "ies", r->unsigned_entries == 1 ? "is" : "are");
	put_cosigned(r, out);
	put_trust(s, out);
}

/* ---- saying, for programs ---- */

static void json_finding(struct json *j, const struct finding *f)
{
	json_put_object(j);
	if (f->has_entry)
		json_put_count(json_put_key(j, "entry"), f->entry);
	else
		json_put_null(json_put_key(j, "entry"));
	json_put_name(json_put_key(j, "file"), f->file[0] != 0 ? f->file : NULL);
	json_put_name(json_put_key(j, "why"), f->why);
	json_put_object_end(j);
}

static void json_findings(struct json *j, const char *key, const struct finding *f, size_t n)
{
	json_put_array(json_put_key(j, key));
	for (size_t i = 0; i < n; i++)
		json_finding(j, &f[i]);
	json_put_array_end(j);
}

static void json_key(struct json *j, const struct snapshot *s)
{
	auto_buf text = { .max = VKEY_TEXT_MAX + 1 };

	vkey_put(&text, &s->key);
	json_put_object(json_put_key(j, "key"));
	json_put_bytes(json_put_key(j, "vkey"), text.data, text.len);
	json_put_bool(json_put_key(j, "given"), s->key_was_given);
	json_put_object_end(j);
}

static void json_root(struct json *j, const struct snapshot *s)
{
	auto_buf root = { .max = BASE64_LEN(HASH_BYTES) + 1 };

	base64_put(&root, &s->root, sizeof s->root);
	json_put_word(json_put_key(j, "root"), s->any_checkpoint ? buf_cstr(&root) : NULL);
}

static void json_payloads(struct json *j, const struct report *r)
{
	if (!r->has_payloads) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	json_put_count(json_put_key(j, "intact"), r->payloads);
	json_put_count(json_put_key(j, "lost"), r->lost);
	json_put_count(json_put_key(j, "pruned"), r->pruned);
	json_put_object_end(j);
}

static void json_cosigned(struct json *j, const struct report *r)
{
	json_put_array(j);
	for (size_t i = 0; i < r->n_cosigned; i++) {
		const struct report_cosigned *c = &r->cosigned[i];

		json_put_object(j);
		json_put_name(json_put_key(j, "name"), c->name);
		json_put_ms(json_put_key(j, "time"), timestamp_ms_of(c->time_s));
		json_put_count(json_put_key(j, "size"), c->size);
		json_put_bool(json_put_key(j, "given"), c->given);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

void report_json(const struct report *r, const struct snapshot *s, const struct chain *chain, struct buf *out)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_bool(json_put_key(&j, "verified"), r->n_faults == 0);
	json_put_bytes(json_put_key(&j, "origin"), s->origin.at, s->origin.len);
	json_put_count(json_put_key(&j, "size"), s->size);
	json_root(&j, s);
	json_key(&j, s);
	json_put_count(json_put_key(&j, "intact"), r->entries);
	json_put_count(json_put_key(&j, "unsigned"), r->unsigned_entries);
	json_put_ms(json_put_key(&j, "first"), r->first_ms);
	json_put_ms(json_put_key(&j, "last"), r->last_ms);
	if (r->has_saved)
		json_put_count(json_put_key(&j, "from"), r->saved_size);
	else
		json_put_null(json_put_key(&j, "from"));
	json_payloads(json_put_key(&j, "payloads"), r);
	json_cosigned(json_put_key(&j, "cosigned"), r);
	if (chain != NULL)
		chain_json(chain, &j);
	json_findings(&j, "faults", r->faults, r->n_faults);
	json_put_bool(json_put_key(&j, "given_up"), r->given_up);
	json_findings(&j, "notes", r->remarks, r->n_remarks);
	json_put_object_end(&j);
	buf_printf(out, "\n");
}
