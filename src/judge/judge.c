#include "judge/judge.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "judge/kinds.h"

#define ABOUT_MAX 96 /* of a key or a line, escaped */

void hold(struct judge_verdict *ret, size_t offset, const char *what, const void *about, size_t n)
{
	char shown[ABOUT_MAX];

	ret->inert = false;
	ret->offset = (uint32_t)offset; /* within JUDGE_CONTENT_MAX */
	(void)text_escape(shown, sizeof shown, about, n);
	(void)snprintf(ret->why, sizeof ret->why, "%s%s%s", what, n > 0 ? ": " : "", n > 0 ? shown : "");
}

bool line_next(const char *content, size_t n, struct line *l)
{
	const char *end;

	if (l->next >= n)
		return false;
	l->offset = l->next;
	l->text = content + l->offset;
	end = memchr(l->text, '\n', n - l->offset);
	l->n = end != NULL ? (size_t)(end - l->text) : n - l->offset;
	l->next = l->offset + l->n + 1;
	if (l->n > 0 && l->text[l->n - 1] == '\r')
		l->n--;
	return true;
}

bool word_next(const struct line *l, const char *blanks, size_t *at, const char **ret_word, size_t *ret_n)
{
	size_t i = *at, start;

	while (i < l->n && strchr(blanks, l->text[i]) != NULL)
		i++;
	start = i;
	while (i < l->n && strchr(blanks, l->text[i]) == NULL)
		i++;
	*at = i;
	*ret_word = l->text + start;
	*ret_n = i - start;
	return i > start;
}

bool word_is(const char *word, size_t n, const char *what)
{
	return strlen(what) == n && memcmp(word, what, n) == 0;
}

static bool is_same(const struct judge_case *c)
{
	return c->had_old && c->old_len == c->now_len && (c->now_len == 0 || memcmp(c->old, c->now, c->now_len) == 0);
}

static void judge_by_kind(const struct judge_case *c, struct judge_verdict *ret)
{
	switch ((enum judge_kind)c->kind) {
	case JUDGE_GIT_CONFIG:
	case JUDGE_GIT_OPTS:
	case JUDGE_GIT_MODULES: judge_git_config(c, ret); break;
	case JUDGE_GIT_FILE: judge_git_file(c, ret); break;
	case JUDGE_GIT_COMMONDIR: judge_git_commondir(c, ret); break;
	case JUDGE_GIT_DIR: judge_git_dir(c, ret); break;
	case JUDGE_GIT_ATTRIBUTES: judge_git_attributes(c, ret); break;
	case JUDGE_GIT_TODO: judge_git_todo(c, ret); break;
	case JUDGE_GIT_AUTHOR: judge_git_author(c, ret); break;
	case JUDGE_GIT_WORD: judge_git_word(c, ret); break;
	case JUDGE_NPMRC: judge_npmrc(c, ret); break;
	case JUDGE_GIT_INDEX: break; /* no text: judge() saw to it */
	case JUDGE_NONE: break;
	}
}

void judge(const struct judge_case *c, struct judge_verdict *ret)
{
	const struct judge_case none_old = { .kind = c->kind,
					     .old = "",
					     .now = c->now_len > 0 ? c->now : "",
					     .now_len = c->now_len,
					     .tree = c->tree,
					     .path = c->path };
	struct judge_case plain = none_old;
	const void *nul;

	*ret = (struct judge_verdict){ .inert = true };
	if (!judge_kind_is_known(c->kind)) {
		hold(ret, 0, "no judge knows this kind of file", NULL, 0);
		return;
	}
	if (c->kind == JUDGE_GIT_INDEX) {
		if (c->old_len > JUDGE_INDEX_MAX || !is_same(c)) /* what is cut may differ behind that */
			judge_git_index(c, ret);
		return;
	}
	if (c->now_len > JUDGE_CONTENT_MAX) {
		hold(ret, 0, "too large to be judged", NULL, 0);
		return;
	}
	if (c->had_old && c->old_len > JUDGE_CONTENT_MAX) {
		hold(ret, 0, "what was there before is too large to be judged", NULL, 0);
		return;
	}
	if (is_same(c))
		return;
	nul = memchr(plain.now, 0, plain.now_len);
	if (nul != NULL) {
		hold(ret, (size_t)((const char *)nul - (const char *)plain.now), "holds a zero byte", NULL, 0);
		return;
	}
	if (c->had_old && c->old_len > 0) {
		plain.had_old = true;
		plain.old = c->old;
		plain.old_len = c->old_len;
	}
	judge_by_kind(&plain, ret);
}
