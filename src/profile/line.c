#include "profile/line.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "profile/words.h"

static bool is_usual(const char *label, size_t n)
{
	static const char *const words[] = { "", "-", "0", "benign", "good", "normal", "usual" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i]) == n && memcmp(words[i], label, n) == 0)
			return true;
	return false;
}

static bool is_plain(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return true;
}

static int take_name(struct trace_line *line, const char *what, size_t number, const char **ret, size_t *ret_length,
		     struct err *e)
{
	const char *tab = memchr(line->symbols, '\t', line->length);

	if (tab == NULL)
		return err_set(
			e, AMBIT_MALFORMED,
			"label, tab, key, tab, symbols; or symbols alone; facts and a tab may stand before the symbols",
			"line %zu has a label and no key", number);
	*ret = line->symbols;
	*ret_length = (size_t)(tab - line->symbols);
	if (*ret_length > LINE_NAME_MAX || !is_plain(*ret, *ret_length))
		return err_set(e, AMBIT_MALFORMED, NULL,
			       "line %zu: its %s is longer than %d bytes, or has control characters", number, what,
			       LINE_NAME_MAX);
	line->length -= *ret_length + 1;
	line->column += *ret_length + 1;
	line->symbols = tab + 1;
	return 0;
}

/* Of all amounts and of what is named, with a blank before each. */
static const char amount_names[] =
#define AMOUNT(name, word, text) " " word
#include "profile/amounts.def"
#undef AMOUNT
	;
static const char item_names[] =
#define DEED_NAME(name, number, word, text) " " word
	DEEDS(DEED_NAME)
#undef DEED_NAME
	;

static int bad_fact(size_t number, size_t n, const char *fact, struct err *e)
{
	char shown[64], hint[sizeof amount_names + sizeof item_names + 80];

	(void)snprintf(hint, sizeof hint, "one blank between; session=NAME, KIND=TEXT (%s), or NAME=NUMBER of these:%s",
		       item_names + strlen(" call "), amount_names);
	return err_set(e, AMBIT_MALFORMED, hint, "line %zu: '%s' is no fact of an event", number,
		       text_escape(shown, sizeof shown, fact, n));
}

static bool is_of(const char *fact, size_t n, const char *name)
{
	return strlen(name) == n && memcmp(fact, name, n) == 0;
}

/* Up to 2^53: what JSON can count. */
static bool take_amount(const char *digits, size_t n, uint64_t *ret)
{
	char text[24];

	if (n == 0 || n >= sizeof text)
		return false;
	memcpy(text, digits, n);
	text[n] = 0;
	return parse_u64(text, 0, UINT64_C(1) << 53, ret);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `KIND=TEXT`, as the item it is. Its text is bounded, and plain as a profile's are. */
static bool take_item(const char *fact, size_t n, struct deeds_item *ret)
{
	const char *is = memchr(fact, '=', n);
	char word[16] = "";
	size_t at = 0;

	if (is == NULL || (size_t)(is - fact) >= sizeof word)
		return false;
	memcpy(word, fact, (size_t)(is - fact));
	ret->kind = deed_of_word(word);
	for (const char *c = is + 1; c < fact + n && at < sizeof ret->text; c++) {
		const int high = *c == '%' && fact + n - c > 2 ? digit(c[1]) : -1, low = high >= 0 ? digit(c[2]) : -1;

		if (*c <= ' ' || *c > '~' || (*c == '%' && low < 0))
			return false;
		ret->text[at++] = (char)(low < 0 ? *c : high << 4 | low);
		c += low < 0 ? 0 : 2;
	}
	if (at == 0 || at >= sizeof ret->text)
		return false;
	ret->text[at] = 0;
	return ret->kind != 0 && ret->kind != DEED_CALL && text_is_plain(ret->text, at);
}

static bool take_fact(struct trace_line *line, uint32_t *seen, const char *fact, size_t n)
{
	const char *is = memchr(fact, '=', n);
	const size_t name = is != NULL ? (size_t)(is - fact) : 0, rest = is != NULL ? n - name - 1 : 0;

	if (is == NULL)
		return false;
	if (is_of(fact, name, "session")) {
		if (line->session_length > 0 || rest == 0 || rest > LINE_NAME_MAX || !is_plain(is + 1, rest))
			return false;
		line->session = is + 1;
		line->session_length = rest;
		return true;
	}
	for (unsigned i = 0; i < AMOUNTS; i++) {
		if (!is_of(fact, name, amount_word((enum amount)i)))
			continue;
		if ((*seen >> i & 1) != 0)
			return false;
		*seen |= 1u << i;
		line->has_amounts = true;
		return take_amount(is + 1, rest, &line->amounts[i]);
	}
	return take_item(fact, n, &(struct deeds_item){ .kind = 0 });
}

/* The next fact of n bytes at *at; behind it. */
static size_t next_fact(const char *at, size_t n)
{
	const char *blank = memchr(at, ' ', n);

	return blank != NULL ? (size_t)(blank - at) : n;
}

bool line_item(struct trace_line *line, struct deeds_item *ret)
{
	bool found = false;

	while (!found && line->facts_length > 0) {
		const size_t n = next_fact(line->facts, line->facts_length);
		const size_t whole = n + (n < line->facts_length);

		found = take_item(line->facts, n, ret);
		line->facts += whole;
		line->facts_length -= whole;
	}
	return found;
}

static int take_facts(struct trace_line *line, size_t number, struct err *e)
{
	const char *tab = memchr(line->symbols, '\t', line->length), *at = line->symbols;
	uint32_t seen = 0;

	if (tab == NULL)
		return 0;
	while (at < tab) {
		const char *end = at + next_fact(at, (size_t)(tab - at));

		if (!take_fact(line, &seen, at, (size_t)(end - at)))
			return bad_fact(number, (size_t)(end - at), at, e);
		at = end + (end < tab);
	}
	line->facts = line->symbols;
	line->facts_length = (size_t)(tab - line->symbols);
	line->column += (size_t)(tab + 1 - line->symbols);
	line->length -= (size_t)(tab + 1 - line->symbols);
	line->symbols = tab + 1;
	return 0;
}

int line_next(const char **text, size_t *n, size_t number, struct trace_line *ret, struct err *e)
{
	const char *end;
	int r = 0;

	if (*n == 0)
		return 0;
	end = memchr(*text, '\n', *n);
	*ret = (struct trace_line){ .label = "", .key = "", .session = "", .symbols = *text, .column = 1 };
	ret->length = end != NULL ? (size_t)(end - *text) : *n;
	*n -= ret->length + (end != NULL);
	*text += ret->length + (end != NULL);
	if (memchr(ret->symbols, '\t', ret->length) == NULL)
		return 1;
	ret->is_labelled = true;
	r = take_name(ret, "label", number, &ret->label, &ret->label_length, e);
	r = r < 0 ? r : take_name(ret, "key", number, &ret->key, &ret->key_length, e);
	r = r < 0 ? r : take_facts(ret, number, e);
	ret->is_attack = !is_usual(ret->label, ret->label_length);
	return r < 0 ? r : 1;
}

int line_symbol(struct trace_line *line, size_t number, const char **ret, size_t *ret_length, struct err *e)
{
	size_t blanks = 0, length = 0;

	while (blanks < line->length && line->symbols[blanks] == ' ')
		blanks++;
	line->symbols += blanks;
	line->length -= blanks;
	line->column += blanks;
	if (line->length == 0)
		return 0;
	while (length < line->length && line->symbols[length] != ' ')
		length++;
	if (!word_is(line->symbols, length))
		return err_set(e, AMBIT_MALFORMED, "1 to 128 printable ASCII characters, one blank between two",
			       "line %zu, column %zu: no symbol, or longer than %d bytes", number, line->column,
			       WORD_MAX);
	*ret = line->symbols;
	*ret_length = length;
	line->symbols += length;
	line->length -= length;
	line->column += length;
	return 1;
}

_Static_assert(AMOUNTS <= 32, "a bit for each");
