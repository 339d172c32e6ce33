#include "secret/words.h"

#include <stdbool.h>
#include <string.h>

#define SHELLS "|&;<>$`()"
#define SHELL_HINT "no shell reads it: quote it, or name one: sh -c '...'"

struct splitting {
	char quote;   /* ' or ", 0: outside of quotes */
	bool escaped; /* the byte before was a backslash */
	bool within;  /* a word has begun */
	size_t words, n;
	char *out;
};

/* As it stands. */
static void take(struct splitting *s, char c)
{
	s->within = true;
	s->out[s->n++] = c;
}

static void end_word(struct splitting *s)
{
	if (!s->within)
		return;
	s->within = false;
	s->words++;
	s->out[s->n++] = 0;
}

static void take_quoted(struct splitting *s, char c)
{
	if (c == s->quote)
		s->quote = 0;
	else if (c == '\\' && s->quote == '"')
		s->escaped = true;
	else
		take(s, c);
}

/* A word, also if there is nothing between them. */
static void begin_quote(struct splitting *s, char c)
{
	s->within = true;
	s->quote = c;
}

static int take_plain(struct splitting *s, char c, struct err *e)
{
	if (c == ' ' || c == '\t')
		end_word(s);
	else if (c == '\\')
		s->escaped = true;
	else if (c == '\'' || c == '"')
		begin_quote(s, c);
	else if (strchr(SHELLS, c) != NULL)
		return err_set(e, AMBIT_MALFORMED, SHELL_HINT, "the command has a '%c' in it", c);
	else
		take(s, c);
	return 0;
}

static int take_byte(struct splitting *s, char c, struct err *e)
{
	if (s->escaped) {
		s->escaped = false;
		take(s, c);
		return 0;
	}
	if (s->quote != 0) {
		take_quoted(s, c);
		return 0;
	}
	return take_plain(s, c, e);
}

static int check(const struct splitting *s, struct err *e)
{
	if (s->quote != 0 || s->escaped)
		return err_set(e, AMBIT_MALFORMED, SHELL_HINT, "the command ends within %s",
			       s->escaped ? "a backslash" : "quotes");
	if (s->words == 0 || s->out[0] == 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "the command has no program");
	if (s->words > WORDS_MAX)
		return err_set(e, AMBIT_LIMIT, "put it into a script", "the command has more than %d words", WORDS_MAX);
	if (strchr(s->out, '/') != NULL && s->out[0] != '/')
		return err_set(e, AMBIT_MALFORMED, "name it by its whole path",
			       "the command's program is named by a path that depends on where it starts");
	return (int)s->n; /* at most one more than the text has */
}

int words_split(const char *text, size_t n, char *ret, struct err *e)
{
	struct splitting s = { .out = ret };
	int r = 0;

	if (n > WORDS_BYTES_MAX)
		return err_set(e, AMBIT_LIMIT, "put it into a script", "the command is longer than %d bytes",
			       WORDS_BYTES_MAX);
	for (size_t i = 0; i < n && r == 0; i++)
		r = text[i] == 0 ? err_set(e, AMBIT_MALFORMED, NULL, "the command has a NUL in it")
				 : take_byte(&s, text[i], e);
	if (r < 0)
		return r;
	end_word(&s);
	return check(&s, e);
}
