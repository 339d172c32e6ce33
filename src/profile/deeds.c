#include "profile/deeds.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fnv.h"
#include "base/text.h"

#define MAGIC 0x73656564u /* "deed" */

const char *amount_word(enum amount a)
{
	static const char *const words[] = {
#define AMOUNT(name, word, text) word,
#include "profile/amounts.def"
#undef AMOUNT
	};

	return words[a];
}

const char *amount_text(enum amount a)
{
	static const char *const texts[] = {
#define AMOUNT(name, word, text) text,
#include "profile/amounts.def"
#undef AMOUNT
	};

	return texts[a];
}

bool amount_adds_up(enum amount a)
{
	static const bool are[AMOUNTS] = {
		[AMOUNT_DENIED] = true,       [AMOUNT_DELETES] = true,      [AMOUNT_MODES] = true,
		[AMOUNT_DESTINATIONS] = true, [AMOUNT_CONNECTIONS] = true,  [AMOUNT_REQUESTS] = true,
		[AMOUNT_UP_BYTES] = true,     [AMOUNT_WRITTEN_BYTES] = true
	};

	return are[a];
}

const char *deed_word(unsigned kind)
{
	switch (kind) {
#define DEED_CASE(name, number, word, text)                                                                            \
	case number: return word;
		DEEDS(DEED_CASE)
#undef DEED_CASE
	default: return NULL;
	}
}

const char *deed_text(unsigned kind)
{
	switch (kind) {
#define DEED_CASE(name, number, word, text)                                                                            \
	case number: return text;
		DEEDS(DEED_CASE)
#undef DEED_CASE
	default: return "";
	}
}

uint8_t deed_of_word(const char *word)
{
	for (unsigned kind = 1; kind < DEED_KINDS; kind++) {
		const char *of_kind = deed_word(kind);

		if (of_kind != NULL && strcmp(of_kind, word) == 0)
			return (uint8_t)kind;
	}
	return 0;
}

void deeds_finish(struct deeds *d)
{
	trace_finish(&d->trace);
	free(d->items);
	d->items = NULL;
	d->n_items = 0;
}

/* Its place, or the free one where it would be: there are twice as many as items. */
static uint16_t *slot_of(struct deeds *d, uint8_t kind, const char *text)
{
	const uint64_t hash = fnv(fnv(FNV_BASIS, &kind, 1), text, strlen(text));

	for (size_t at = (size_t)hash;; at++) {
		uint16_t *slot = &d->slots[at % (2 * DEEDS_ITEMS_MAX)];
		const struct deeds_item *there = *slot > 0 ? &d->items[*slot - 1] : NULL;

		if (there == NULL || (there->kind == kind && strcmp(there->text, text) == 0))
			return slot;
	}
}

bool deeds_add(struct deeds *d, uint8_t kind, const char *text, size_t n)
{
	char shown[DEED_TEXT_MAX];
	uint16_t *slot;

	(void)text_escape(shown, sizeof shown, text, n);
	slot = slot_of(d, kind, shown);
	if (*slot == 0 && shown[0] != 0 && d->n_items >= DEEDS_ITEMS_MAX - DEED_KINDS) {
		(void)text_copy(shown, sizeof shown, DEED_MORE); /* fits; there is room for one of each kind */
		slot = slot_of(d, kind, shown);
	}
	if (*slot != 0 || shown[0] == 0)
		return true;
	if ((d->n_items & (d->n_items - 1)) == 0) { /* a power of two is full, or nothing is */
		struct deeds_item *more = realloc(d->items, (d->n_items == 0 ? 1 : 2 * d->n_items) * sizeof *more);

		if (more == NULL)
			return false;
		d->items = more;
	}
	d->items[d->n_items].kind = kind;
	(void)text_copy(d->items[d->n_items].text, DEED_TEXT_MAX, shown); /* of the same size */
	*slot = (uint16_t)++d->n_items;
	return true;
}

bool deeds_firsts(const struct deeds *d, struct deeds *ret)
{
	*ret = (struct deeds){ .shape = d->shape, .untrusted = d->untrusted, .acted = d->acted };
	memcpy(ret->agent, d->agent, sizeof ret->agent);
	memcpy(ret->tool, d->tool, sizeof ret->tool);
	memcpy(ret->principal, d->principal, sizeof ret->principal);
	for (size_t i = 0; i < d->n_items; i++) {
		const struct deeds_item *item = &d->items[i];

		if ((item->kind == DEED_PROGRAM || item->kind == DEED_DESTINATION) &&
		    !deeds_add(ret, item->kind, item->text, strlen(item->text))) {
			deeds_finish(ret);
			return false;
		}
	}
	return true;
}

bool deeds_join(struct deeds *d, const struct deeds *of)
{
	for (size_t i = 0; i < of->n_items; i++)
		if (!deeds_add(d, of->items[i].kind, of->items[i].text, strlen(of->items[i].text)))
			return false;
	for (size_t i = 0; i < AMOUNTS; i++)
		d->amounts[i] = d->amounts[i] > UINT64_MAX - of->amounts[i] ? UINT64_MAX
									    : d->amounts[i] + of->amounts[i];
	d->untrusted = d->untrusted || of->untrusted;
	d->acted = d->acted || of->acted;
	return true;
}

/* ---- the form ---- */

void deeds_encode(const struct deeds *d, struct buf *out)
{
	auto_buf trace = { .max = TRACE_BYTES_MAX };

	buf_put_u32(out, MAGIC);
	buf_put_str(out, d->agent);
	buf_put_str(out, d->tool);
	buf_put_str(out, d->program);
	buf_put_u64(out, d->shape);
	buf_put_u64(out, d->place);
	buf_put_str(out, d->principal);
	buf_put_u8(out, d->untrusted);
	buf_put_u8(out, d->acted);
	buf_put_u32(out, AMOUNTS);
	for (size_t i = 0; i < AMOUNTS; i++)
		buf_put_u64(out, d->amounts[i]);
	buf_put_u32(out, (uint32_t)d->n_items);
	for (size_t i = 0; i < d->n_items; i++) {
		buf_put_u8(out, d->items[i].kind);
		buf_put_str(out, d->items[i].text);
	}
	if (d->form == NULL && d->trace.n_steps > 0)
		trace_encode(&d->trace, &trace);
	out->failed = out->failed || trace.failed;
	if (d->form != NULL)
		buf_put_bytes(out, d->form->data, d->form->len);
	else
		buf_put_bytes(out, trace.data, trace.len);
}

static bool is_plain(const char *text)
{
	return text_is_plain(text, strlen(text));
}

static bool take_items(struct rbuf *in, struct deeds *d)
{
	const uint32_t n = rbuf_u32(in);

	if (n > DEEDS_ITEMS_MAX)
		return false;
	if (n == 0)
		return true;
	d->items = calloc(DEEDS_ITEMS_MAX, sizeof *d->items);
	if (d->items == NULL)
		return false;
	for (d->n_items = 0; d->n_items < n; d->n_items++) {
		struct deeds_item *item = &d->items[d->n_items];

		item->kind = rbuf_u8(in);
		rbuf_str(in, item->text, sizeof item->text);
		if (in->failed || deed_word(item->kind) == NULL || item->text[0] == 0 || !is_plain(item->text) ||
		    *slot_of(d, item->kind, item->text) != 0)
			return false; /* or it is there twice */
		*slot_of(d, item->kind, item->text) = (uint16_t)(d->n_items + 1);
	}
	return true;
}

static bool take_head(struct rbuf *in, struct deeds *d)
{
	const bool good = rbuf_u32(in) == MAGIC;

	rbuf_str(in, d->agent, sizeof d->agent);
	rbuf_str(in, d->tool, sizeof d->tool);
	rbuf_str(in, d->program, sizeof d->program);
	d->shape = rbuf_u64(in);
	d->place = rbuf_u64(in);
	rbuf_str(in, d->principal, sizeof d->principal);
	return good && !in->failed;
}

bool deeds_whose(const void *bytes, size_t n, char ret[DEEDS_NAME_MAX])
{
	struct deeds d = { .items = NULL };
	struct rbuf in;

	rbuf_init(&in, bytes, n);
	if (!take_head(&in, &d) || !is_plain(d.principal))
		return false;
	memcpy(ret, d.principal, sizeof d.principal); /* of the same size */
	return true;
}

static bool take(struct rbuf *in, struct deeds *d)
{
	bool good = take_head(in, d);

	d->untrusted = rbuf_bool(in);
	d->acted = rbuf_bool(in);
	good = good && rbuf_u32(in) == AMOUNTS;
	for (size_t i = 0; i < AMOUNTS; i++)
		d->amounts[i] = rbuf_u64(in);
	return good && !in->failed && is_plain(d->agent) && is_plain(d->tool) && is_plain(d->program) &&
	       is_plain(d->principal) && take_items(in, d) && !in->failed;
}

int deeds_decode(const void *bytes, size_t n, struct deeds *ret, struct err *e)
{
	const uint8_t *trace;
	struct rbuf in;
	uint32_t length;
	int r = 0;

	*ret = (struct deeds){ .items = NULL };
	rbuf_init(&in, bytes, n);
	if (!take(&in, ret)) {
		deeds_finish(ret);
		return err_set(e, AMBIT_MALFORMED, NULL, "what an event did is malformed at byte %zu", in.at);
	}
	length = rbuf_u32(&in);
	trace = rbuf_bytes(&in, length);
	if (!rbuf_done(&in))
		r = err_set(e, AMBIT_MALFORMED, NULL, "what an event did is malformed at byte %zu", in.at);
	if (r == 0 && length > 0)
		r = trace_decode(trace, length, &ret->trace, e);
	if (r < 0)
		deeds_finish(ret);
	return r;
}
