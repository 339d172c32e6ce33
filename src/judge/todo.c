/* What git is in the middle of: rebases and sequences of picks. */
#include <string.h>

#include "judge/kinds.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Commands of git-rebase(1) that run nothing: `exec` and `x` are not among them. */
static const char *const commands[] = {
	"pick",   "p", "reword", "r", "edit",  "e", "squash", "s", "fixup",      "f", "drop",  "d",
	"revert", "l", "label",  "t", "reset", "m", "merge",  "u", "update-ref", "b", "break", "noop",
};

static bool is_command(const char *word, size_t n)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (word_is(word, n, commands[i]))
			return true;
	return false;
}

/* Lines as git reads them: blanks in front are nothing, `#` is a comment (core.commentChar is not inert), and a lone CR is
 * no end of a line, so that a word with one in it is no command. */
void judge_git_todo(const struct judge_case *c, struct judge_verdict *ret)
{
	struct line l = { .text = NULL };

	while (line_next(c->now, c->now_len, &l)) {
		const char *word;
		size_t at = 0, n;

		if (!word_next(&l, " \t", &at, &word, &n) || word[0] == '#')
			continue;
		if (!is_command(word, n)) {
			hold(ret, l.offset + (size_t)(word - l.text), "not a line that only picks commits", l.text,
			     l.n);
			return;
		}
	}
}

/* A value in single quotes, where \' stands between two of them, up to the end of the line. */
static bool is_quoted(const char *s, size_t n)
{
	size_t i = 1;

	if (n < 2 || s[0] != '\'' || s[n - 1] != '\'')
		return false;
	while (i < n && s[i] != '\'')
		i++;
	while (i + 3 < n && memcmp(s + i, "'\\''", 4) == 0)
		for (i += 4; i < n && s[i] != '\'';)
			i++;
	return i == n - 1;
}

void judge_git_author(const struct judge_case *c, struct judge_verdict *ret)
{
	static const char *const names[] = { "GIT_AUTHOR_NAME=", "GIT_AUTHOR_EMAIL=", "GIT_AUTHOR_DATE=" };
	struct line l = { .text = NULL };

	while (line_next(c->now, c->now_len, &l)) {
		bool good = false;

		for (size_t i = 0; i < COUNT_OF(names); i++) {
			const size_t m = strlen(names[i]);

			good = good || (l.n > m && memcmp(l.text, names[i], m) == 0 && is_quoted(l.text + m, l.n - m));
		}
		if (!good) {
			hold(ret, l.offset, "not the quoted name, address or date of an author", l.text, l.n);
			return;
		}
	}
}

void judge_git_word(const struct judge_case *c, struct judge_verdict *ret)
{
	struct line l = { .text = NULL };

	while (line_next(c->now, c->now_len, &l)) {
		size_t n = 0;

		while (n < l.n && l.text[n] >= 'a' && l.text[n] <= 'z')
			n++;
		if (n < l.n || l.offset > 0) {
			hold(ret, l.offset, "not one plain word", l.text, l.n);
			return;
		}
	}
}
