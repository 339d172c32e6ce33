#include "profile/call.h"

#include <string.h>

#include <sodium.h>

#include "base/span.h"
#include "profile/address.h"

_Static_assert(CALL_KEY_SIZE == crypto_shorthash_KEYBYTES, "the key is SipHash's");
_Static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES, "and so is the hash");

enum { DOMAIN_TOOL = 1, DOMAIN_PLACE, DOMAIN_ITEM, DOMAIN_LONG };

uint64_t call_hash(const uint8_t key[CALL_KEY_SIZE], uint64_t domain, uint64_t a, uint64_t b, const void *bytes,
		   size_t n)
{
	struct {
		uint64_t domain, a, b, n;
		uint8_t bytes[CALL_FORM_MAX];
	} in = { .domain = domain, .a = a, .b = b, .n = n };
	uint64_t ret;

	if (n > sizeof in.bytes) {
		(void)crypto_shorthash((unsigned char *)&in.n, bytes, n, key); /* cannot fail */
		in.domain = domain + ((uint64_t)DOMAIN_LONG << 32);
		n = 0;
	} else if (n > 0) {
		memcpy(in.bytes, bytes, n);
	}
	(void)crypto_shorthash((unsigned char *)&ret, (const unsigned char *)&in, offsetof(typeof(in), bytes) + n, key);
	return ret;
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_wordly(char c) /* also a byte of a letter that is not ASCII */
{
	return is_digit(c) || (small(c) >= 'a' && small(c) <= 'z') || (unsigned char)c >= 0x80;
}

size_t prompt_form(const char *text, size_t n, char *ret)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_blank(text[i]))
			ret[len++] = small(text[i]);
		else if (len > 0 && ret[len - 1] != ' ')
			ret[len++] = ' ';
	return len > 0 && ret[len - 1] == ' ' ? len - 1 : len;
}

bool prompt_names(const struct prompt *p, const char *value, size_t n)
{
	if (p == NULL || p->text == NULL || n == 0)
		return false;
	for (size_t at = 0; at + n <= p->n;) {
		const char *hit = memmem(p->text + at, p->n - at, value, n);
		const size_t i = hit != NULL ? (size_t)(hit - p->text) : 0;

		if (hit == NULL)
			return false;
		if ((i == 0 || !is_wordly(hit[-1]) || !is_wordly(value[0])) &&
		    (i + n == p->n || !is_wordly(hit[n]) || !is_wordly(value[n - 1])))
			return true;
		at = i + 1;
	}
	return false;
}

/* --- does it act --- */

enum verb { VERB_NONE, VERB_READS, VERB_ACTS, VERB_LINKS };

static enum verb verb_of(struct span word)
{
	static const struct {
		const char *word;
		enum verb verb;
	} rows[] = {
#define VERB(word, does) { #word, VERB_##does },
#include "profile/verbs.def"
#undef VERB
		{ "and", VERB_LINKS },
		{ "or", VERB_LINKS },
		{ "then", VERB_LINKS },
	};
	char room[16];

	if (word.len == 0 || word.len >= sizeof room)
		return VERB_NONE;
	for (size_t i = 0; i < word.len; i++)
		room[i] = small(word.at[i]);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].word) == word.len && memcmp(rows[i].word, room, word.len) == 0)
			return rows[i].verb;
	return VERB_NONE;
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The next word of a name; false: no more. HTMLPage is two. */
static bool next_word(struct span *name, struct span *ret)
{
	size_t from = 0, to;

	while (from < name->len && !is_wordly(name->at[from]))
		from++;
	for (to = from; to < name->len && is_wordly(name->at[to]); to++)
		if (to > from && is_capital(name->at[to]) &&
		    (!is_capital(name->at[to - 1]) ||
		     (to + 1 < name->len && name->at[to + 1] >= 'a' && name->at[to + 1] <= 'z')))
			break;
	*ret = span_bytes(name->at + from, to - from);
	*name = span_bytes(name->at + to, name->len - to);
	return ret->len > 0;
}

static enum verb part_verb(struct span name)
{
	enum verb is = VERB_NONE;
	bool linked = false;

	for (struct span word; next_word(&name, &word);) {
		const enum verb v = verb_of(word);

		if (is == VERB_NONE && v != VERB_LINKS)
			is = v;
		else if (linked && v == VERB_ACTS)
			is = VERB_ACTS;
		linked = v == VERB_LINKS;
	}
	return is;
}

static bool parts_at(struct span name, size_t i, size_t *ret_len)
{
	*ret_len = name.at[i] == '_' ? 2 : 1;
	return strchr("/.:", name.at[i]) != NULL || (i > 0 && name.at[i] == '_' && name.at[i - 1] == '_');
}

enum call_told call_name_tells(const char *tool, size_t n)
{
	struct span left = span_bytes(tool, n);

	while (left.len > 0) {
		size_t from = left.len, gap = 0;
		enum verb v;

		while (from > 0 && !parts_at(left, from - 1, &gap))
			from--;
		v = part_verb(span_bytes(left.at + from, left.len - from));
		if (v != VERB_NONE)
			return v == VERB_READS ? CALL_READS : CALL_ACTS;
		if (from == 0)
			break;
		left.len = from - (gap < from ? gap : from);
	}
	return CALL_UNTOLD;
}

/* --- items --- */

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
	if (c->n > CALL_ITEMS_MAX)
		return;
	if (c->n == CALL_ITEMS_MAX) {
		kind = ITEM_MORE;
		value = span_of("more than can be looked at");
	}
	*item = (struct item){ .mark = { .item = hash, .place = place, .kind = (uint8_t)kind, .from = from } };
	if (kind == ITEM_MORE)
		item->mark.item = call_hash(c->key, DOMAIN_ITEM, c->tool_hash, ITEM_MORE, NULL, 0);
	cut(item->place, sizeof item->place, path.at, path.len);
	cut(item->value, sizeof item->value, value.at, value.len);
	c->n++;
}

void call_begin(struct call *c, const uint8_t key[CALL_KEY_SIZE], const struct prompt *prompt, const char *tool,
		size_t n, enum call_told told)
{
	c->key = key;
	c->prompt = prompt;
	c->n = 0;
	if (told == CALL_UNTOLD)
		told = call_name_tells(tool, n);
	c->acts = told != CALL_READS;
	c->step = c->tool_hash = call_hash(key, DOMAIN_TOOL, 0, 0, tool, n);
	cut(c->tool, sizeof c->tool, tool, n);
	if (c->acts)
		put(c, told == CALL_ACTS ? ITEM_TOOL : ITEM_TOOL_UNSURE, span_of(""), span_of(""), 0);
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
	for (struct address a; address_next(&s, &a) && c->n <= CALL_ITEMS_MAX;)
		if (c->acts)
			put_address(c, ITEM_INSIDE, path, &a, 0);
		else if (a.kind == ADDRESS_URL)
			put_address(c, ITEM_FETCH, path, &a, 0);
}

/* --- values --- */

/* Dates and times of day: digits with what parts them. */
static bool is_time(struct span s)
{
	size_t digits = 0, parts = 0, colons = 0;

	for (size_t i = 0; i < s.len; i++) {
		digits += is_digit(s.at[i]);
		colons += s.at[i] == ':';
		parts += strchr("-:/", s.at[i]) != NULL;
		if (!is_digit(s.at[i]) && strchr("-:/tz. +", s.at[i]) == NULL)
			return false;
	}
	return digits >= 3 && digits <= 20 && is_digit(s.at[0]) && (parts >= 2 || colons == 1);
}

static bool is_number(struct span s)
{
	size_t digits = 0, dots = 0;

	for (size_t i = 0; i < s.len; i++) {
		digits += is_digit(s.at[i]);
		dots += s.at[i] == '.' || s.at[i] == ',';
		if (!is_digit(s.at[i]) && s.at[i] != '.' && s.at[i] != ',' &&
		    (i > 0 || (s.at[i] != '-' && s.at[i] != '+' && s.at[i] != '$')))
			return false;
	}
	return digits > 0 && dots <= 4;
}

/* Whether a number there names something: file_id, accountNumber, refs. */
static bool is_naming(struct span path)
{
	static const char *const words[] = { "account", "accounts", "card",  "code", "iban",      "id",
					     "ids",     "issue",    "key",   "no",   "nr",        "number",
					     "numbers", "phone",    "pin",   "ref",  "reference", "refs",
					     "tel",     "ticket",   "token", "uuid", "zip" };
	struct span last = { .at = NULL };

	for (struct span word; next_word(&path, &word);)
		last = word;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		bool same = strlen(words[i]) == last.len;

		for (size_t k = 0; same && k < last.len; k++)
			same = small(last.at[k]) == words[i][k];
		if (same)
			return true;
	}
	return false;
}

static enum item_kind kind_of(struct span path, struct span form, size_t words, enum value_kind is)
{
	if (is == VALUE_SWITCH || span_equal(form, span_of("true")) || span_equal(form, span_of("false")))
		return ITEM_SWITCH;
	if (is == VALUE_NUMBER || is_number(form))
		return is_naming(path) ? ITEM_NAME : ITEM_NUMBER;
	if (is_time(form))
		return ITEM_TIME;
	return words == 1 ? ITEM_NAME : words <= 3 ? ITEM_WORDS : ITEM_TITLE;
}

/* Seconds that are none, and the T between, are ways to write the same. */
static struct span plain_time(char *room, struct span s)
{
	if (s.len > 10 && room[10] == 't')
		room[10] = ' ';
	if (s.len > 0 && s.at[s.len - 1] == 'z')
		s.len--;
	if (s.len > 16 && room[10] == ' ' && span_equal(span_bytes(s.at + 16, s.len - 16), span_of(":00")))
		s.len = 16;
	return s;
}

/* A number that a program wrote, 10.0, is the 10 of another. */
static struct span plain_number(struct span s)
{
	size_t n = s.len;
	bool dot = memchr(s.at, '.', s.len) != NULL && memchr(s.at, 'e', s.len) == NULL;

	while (dot && n > 1 && s.at[n - 1] == '0')
		n--;
	if (dot && n > 1 && s.at[n - 1] == '.')
		n--;
	return dot ? span_bytes(s.at, n) : s;
}

/* In small letters, with single blanks; "\n" as models write it is one. *ret_words is how many. false: it is a text. */
static bool form_of(struct span value, char room[CALL_TEXT_MIN], struct span *ret, size_t *ret_words)
{
	size_t n = 0, words = 0;

	for (size_t i = 0; i < value.len; i++) {
		const bool feed = value.at[i] == '\\' && i + 1 < value.len && strchr("nrt", value.at[i + 1]) != NULL;

		i += feed;
		if (feed || is_blank(value.at[i])) {
			if (n > 0 && room[n - 1] != ' ' && n < CALL_TEXT_MIN)
				room[n++] = ' ';
			continue;
		}
		words += n == 0 || room[n - 1] == ' ';
		if (n == CALL_TEXT_MIN || words > CALL_WORDS_MAX)
			return false;
		room[n++] = small(value.at[i]);
	}
	while (n > 0 && (room[n - 1] == ' ' || room[n - 1] == '.'))
		n--;
	*ret = span_bytes(room, n);
	*ret_words = words;
	return n < CALL_TEXT_MIN;
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
		covered += is_blank(value.at[i]) || strchr(",;", value.at[i]) != NULL;
	if (n < 2 || covered != value.len)
		return false;
	address_begin(&s, value.at, value.len);
	for (struct address a; address_next(&s, &a);)
		put_address(c, ITEM_ADDRESS, path, &a, from);
	return true;
}

static struct span bare(struct span s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s = span_bytes(s.at + 1, s.len - 1);
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
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
	if (!form_of(value, room, &form, &words)) {
		if (!c->acts || !put_mails(c, path, value, from))
			put_inside(c, path, value);
		return;
	}
	if (c->acts && put_mails(c, path, value, from))
		return;
	kind = kind_of(path, form, words, is);
	if (kind == ITEM_TIME)
		form = plain_time(room, form);
	if (is == VALUE_NUMBER)
		form = plain_number(form);
	if (c->acts && form.len > 0)
		put(c, kind, path, form, from_of(c, form, from));
	if (kind == ITEM_NAME || kind == ITEM_WORDS || kind == ITEM_TITLE)
		put_inside(c, path, value);
}
