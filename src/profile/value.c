#include "profile/value.h"

#include <string.h>

#include "profile/letter.h"
#include "profile/tool.h"

/* Dates and times of day: digits with what parts them. */
static bool is_time(struct span s)
{
	size_t digits = 0, parts = 0, colons = 0;

	for (size_t i = 0; i < s.len; i++) {
		digits += letter_is_digit(s.at[i]);
		colons += s.at[i] == ':';
		parts += strchr("-:/", s.at[i]) != NULL;
		if (!letter_is_digit(s.at[i]) && strchr("-:/tz. +", s.at[i]) == NULL)
			return false;
	}
	return digits >= 3 && digits <= 20 && letter_is_digit(s.at[0]) && (parts >= 2 || colons == 1);
}

static bool is_number(struct span s)
{
	size_t digits = 0, dots = 0;

	for (size_t i = 0; i < s.len; i++) {
		digits += letter_is_digit(s.at[i]);
		dots += s.at[i] == '.' || s.at[i] == ',';
		if (!letter_is_digit(s.at[i]) && s.at[i] != '.' && s.at[i] != ',' &&
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

	for (struct span word; tool_word(&path, &word);)
		last = word;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		bool same = strlen(words[i]) == last.len;

		for (size_t k = 0; same && k < last.len; k++)
			same = letter_small(last.at[k]) == words[i][k];
		if (same)
			return true;
	}
	return false;
}

enum item_kind value_kind_of(struct span path, struct span form, size_t words, enum value_kind is)
{
	if (is == VALUE_SWITCH || span_equal(form, span_of("true")) || span_equal(form, span_of("false")))
		return ITEM_SWITCH;
	if (is == VALUE_NUMBER || is_number(form))
		return is_naming(path) ? ITEM_NAME : ITEM_NUMBER;
	if (is_time(form))
		return ITEM_TIME;
	return words == 1 ? ITEM_NAME : words <= 3 ? ITEM_WORDS : ITEM_TITLE;
}

struct span value_time(char *room, struct span s)
{
	if (s.len > 10 && room[10] == 't')
		room[10] = ' ';
	if (s.len > 0 && s.at[s.len - 1] == 'z')
		s.len--;
	if (s.len > 16 && room[10] == ' ' && span_equal(span_bytes(s.at + 16, s.len - 16), span_of(":00")))
		s.len = 16;
	return s;
}

struct span value_number(struct span s)
{
	size_t n = s.len;
	bool dot = memchr(s.at, '.', s.len) != NULL && memchr(s.at, 'e', s.len) == NULL;

	while (dot && n > 1 && s.at[n - 1] == '0')
		n--;
	if (dot && n > 1 && s.at[n - 1] == '.')
		n--;
	return dot ? span_bytes(s.at, n) : s;
}

bool value_form(struct span value, char room[CALL_TEXT_MIN], struct span *ret, size_t *ret_words)
{
	size_t n = 0, words = 0;

	for (size_t i = 0; i < value.len; i++) {
		const bool feed = value.at[i] == '\\' && i + 1 < value.len && strchr("nrt", value.at[i + 1]) != NULL;

		i += feed;
		if (feed || letter_is_blank(value.at[i])) {
			if (n > 0 && room[n - 1] != ' ' && n < CALL_TEXT_MIN)
				room[n++] = ' ';
			continue;
		}
		words += n == 0 || room[n - 1] == ' ';
		if (n == CALL_TEXT_MIN || words > CALL_WORDS_MAX)
			return false;
		room[n++] = letter_small(value.at[i]);
	}
	while (n > 0 && (room[n - 1] == ' ' || room[n - 1] == '.'))
		n--;
	*ret = span_bytes(room, n);
	*ret_words = words;
	return n < CALL_TEXT_MIN;
}
