#include "profile/line.h"

#include <string.h>

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
		return err_set(e, AMBIT_MALFORMED, "label, tab, key, tab, symbols; or symbols alone",
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

int line_next(const char **text, size_t *n, size_t number, struct trace_line *ret, struct err *e)
{
	const char *end;
	int r = 0;

	if (*n == 0)
		return 0;
	end = memchr(*text, '\n', *n);
	*ret = (struct trace_line){ .label = "", .key = "", .symbols = *text, .column = 1 };
	ret->length = end != NULL ? (size_t)(end - *text) : *n;
	*n -= ret->length + (end != NULL);
	*text += ret->length + (end != NULL);
	if (memchr(ret->symbols, '\t', ret->length) == NULL)
		return 1;
	ret->is_labelled = true;
	r = take_name(ret, "label", number, &ret->label, &ret->label_length, e);
	r = r < 0 ? r : take_name(ret, "key", number, &ret->key, &ret->key_length, e);
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
