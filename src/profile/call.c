#include "profile/call.h"

#include <string.h>

#include <sodium.h>

#include "base/span.h"
#include "profile/address.h"
#include "profile/letter.h"
#include "profile/value.h"

_Static_assert(CALL_KEY_SIZE == crypto_shorthash_KEYBYTES, "the key is SipHash's");
_Static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES, "and so is the hash");

enum { DOMAIN_TOOL = 1, DOMAIN_PLACE, DOMAIN_ITEM, DOMAIN_LONG };

static uint64_t hash_of(const uint8_t key[CALL_KEY_SIZE], const void *bytes, size_t n)
{
	uint64_t ret;

	(void)crypto_shorthash((unsigned char *)&ret, bytes, n, key); /* cannot fail */
	return ret;
}

struct hashed {
	uint64_t domain, a, b, n;
	uint8_t bytes[CALL_FORM_MAX];
};

uint64_t call_hash(const uint8_t key[CALL_KEY_SIZE], uint64_t domain, uint64_t a, uint64_t b, const void *bytes,
		   size_t n)
{
	struct hashed in;
	const uint64_t none[] = { domain, a, b, 0 }, far[] = { domain + ((uint64_t)DOMAIN_LONG << 32), a, b, n };

	if (n == 0)
		return hash_of(key, none, sizeof none);
	if (n > sizeof in.bytes)
		return hash_of(key, (uint64_t[]){ hash_of(key, far, sizeof far), hash_of(key, bytes, n) },
			       2 * sizeof(uint64_t));
	in.domain = domain;
	in.a = a;
	in.b = b;
	in.n = n;
	memcpy(in.bytes, bytes, n);
	return hash_of(key, &in, offsetof(struct hashed, bytes) + n);
}

static void cut(char *ret, size_t size, const char *text, size_t n)
{
	const size_t len = n < size ? n : size - 1;

	memcpy(ret, text, len);
	ret[len] = 0;
	if (n >= size)
		memcpy(ret + size - 4, "...", 3);
}

static uint64_t place_of(const struct call *c, struct span path, enum item_kind kind)
{
	/* what stands inside a text, and a site, have a place of their own beside the argument's */
	const bool apart = kind == ITEM_INSIDE || kind == ITEM_SITE;

	return call_hash(c->key, DOMAIN_PLACE, c->tool_hash, apart ? (uint64_t)kind : 0, path.at, path.len);
}

void mark_join(struct mark *m, uint8_t from)
{
	const unsigned nowhere = m->from & from & ITEM_OF_NOWHERE;

	m->from = (uint8_t)(((m->from | from) & ~(unsigned)ITEM_OF_NOWHERE) | nowhere);
}

/* What there is no room for makes one item together, so that another value among it is another item. */
static void put_more(struct call *c, uint64_t hash)
{
	struct item *more = &c->items[CALL_ITEMS_MAX];

	if (c->n == CALL_ITEMS_MAX) {
		c->n++;
		*more = (struct item){ .mark = { .place = c->tool_hash, .kind = ITEM_MORE } };
	}
	more->mark.item += hash;
}

static void put(struct call *c, enum item_kind kind, struct span path, struct span value, uint8_t from)
{
	const uint64_t place = place_of(c, path, kind);
	const uint64_t hash = call_hash(c->key, DOMAIN_ITEM, place, 0, value.at, value.len);
	struct item *item = &c->items[c->n];

	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].mark.item == hash) {
			mark_join(&c->items[i].mark, from);
			return;
		}
	if (c->n >= CALL_ITEMS_MAX) {
		put_more(c, hash);
		return;
	}
	*item = (struct item){ .mark = { .item = hash, .place = place, .kind = (uint8_t)kind, .from = from } };
	cut(item->place, sizeof item->place, path.at, path.len);
	cut(item->value, sizeof item->value, value.at, value.len);
	c->n++;
}

void call_begin(struct call *c, const uint8_t key[CALL_KEY_SIZE], const struct prompt *prompt, const char *tool,
		size_t n, enum tool_told told)
{
	c->key = key;
	c->prompt = prompt;
	c->n = 0;
	if (told == TOOL_UNTOLD)
		told = tool_tells(tool, n);
	c->acts = told != TOOL_READS;
	c->step = c->tool_hash = call_hash(key, DOMAIN_TOOL, 0, 0, tool, n);
	cut(c->tool, sizeof c->tool, tool, n);
	if (c->acts)
		put(c, told == TOOL_ACTS ? ITEM_TOOL : ITEM_TOOL_UNSURE, span_of(""), span_of(""), 0);
}

static uint8_t from_of(const struct call *c, struct span value, uint8_t from)
{
	return prompt_names(c->prompt, value.at, value.len) ? from | ITEM_OF_PROMPT : from;
}

/* One address, and the place that it is at. */
static void put_address(struct call *c, enum item_kind kind, struct span path, const struct address *a, uint8_t from)
{
	char room[CALL_FORM_MAX];
	const size_t n = address_write(a, room, sizeof room);
	const struct span form = n <= sizeof room ? span_bytes(room, n) : a->at; /* a long one as it was written */
	const struct span site = address_place(a->kind, form);

	if (n == 0)
		return;
	put(c, kind, path, form, from_of(c, form, from));
	if (site.len > 0 && !(site.at == form.at && site.len == form.len))
		put(c, ITEM_SITE, path, site, from_of(c, site, from));
}

static void put_inside(struct call *c, struct span path, struct span text)
{
	struct address_search s;

	address_begin(&s, text.at, text.len);
	for (struct address a; address_next(&s, &a);)
		if (c->acts)
			put_address(c, ITEM_INSIDE, path, &a, 0);
		else if (a.kind == ADDRESS_URL)
			put_address(c, ITEM_FETCH, path, &a, 0);
}

/* ann@a.test, bob@b.test: each by itself. */
static bool put_mails(struct call *c, struct span path, struct span value, uint8_t from)
{
	struct address_search s;
	size_t covered = 0, n = 0;

	address_begin(&s, value.at, value.len);
	for (struct address a; address_next(&s, &a); n++) {
		if (a.kind != ADDRESS_MAIL)
			return false;
		covered += a.at.len;
	}
	for (size_t i = 0; i < value.len; i++)
		covered += letter_is_blank(value.at[i]) || strchr(",;", value.at[i]) != NULL;
	if (n < 2 || covered != value.len)
		return false;
	address_begin(&s, value.at, value.len);
	for (struct address a; address_next(&s, &a);)
		put_address(c, ITEM_ADDRESS, path, &a, from);
	return true;
}

static struct span bare(struct span s)
{
	while (s.len > 0 && letter_is_blank(s.at[0]))
		s = span_bytes(s.at + 1, s.len - 1);
	while (s.len > 0 && letter_is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

void call_argument(struct call *c, const char *path_at, size_t path_n, const char *value_at, size_t n,
		   enum value_kind is, uint8_t from)
{
	const struct span path = span_bytes(path_at, path_n), value = bare(span_bytes(value_at, n));
	const struct address whole = { .kind = is == VALUE_TEXT ? address_whole(value.at, value.len) : ADDRESS_NONE,
				       .at = value };
	char room[CALL_TEXT_MIN];
	struct span form;
	size_t words = 0;
	enum item_kind kind;

	if (value.len == 0)
		return;
	if (whole.kind != ADDRESS_NONE) {
		if (c->acts || whole.kind == ADDRESS_URL)
			put_address(c, c->acts ? ITEM_ADDRESS : ITEM_FETCH, path, &whole, from);
		return;
	}
	if (!value_form(value, room, &form, &words)) {
		if (!c->acts || !put_mails(c, path, value, from))
			put_inside(c, path, value);
		return;
	}
	if (c->acts && put_mails(c, path, value, from))
		return;
	kind = value_kind_of(path, form, words, is);
	if (kind == ITEM_TIME)
		form = value_time(room, form);
	if (is == VALUE_NUMBER)
		form = value_number(form);
	if (c->acts && form.len > 0)
		put(c, kind, path, form, from_of(c, form, from));
	if (kind == ITEM_NAME || kind == ITEM_WORDS || kind == ITEM_TITLE)
		put_inside(c, path, value);
}
