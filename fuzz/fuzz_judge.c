/* Any bytes as the content of a protected file: a letter for the kind, the old content, a line "====", the new content
 * (without such a line all is new). A verdict has a reason or is inert, and what stays as it was is inert. */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "judge/judge.h"

static const uint8_t *find_mark(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n====\n";

	return size == 0 ? NULL : memmem(data, size, mark, sizeof mark - 1);
}

static void check(const struct judge_case *c)
{
	struct judge_verdict v;

	judge(c, &v);
	promise(v.inert == (v.why[0] == 0));
	promise(text_is_utf8(v.why, strlen(v.why), NULL) && strchr(v.why, '\033') == NULL);
	promise(v.inert ? v.offset == 0 : v.offset <= c->now_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "x",
					     ".git/config",
					     "sub/.git",
					     ".git/worktrees/w/commondir",
					     ".git/worktrees/w/gitdir",
					     ".gitattributes",
					     ".gitmodules" };
	struct judge_case c = { .tree = "/home/u/proj" };
	struct judge_verdict v;
	const uint8_t *mark;

	if (size == 0)
		return 0;
	c.kind = (uint8_t)(data[0] - 'a');
	c.path = paths[c.kind < sizeof paths / sizeof paths[0] ? c.kind : 0];
	c.now = data + 1;
	c.now_len = size - 1;
	mark = find_mark(data + 1, size - 1);
	if (mark != NULL) {
		c.had_old = true;
		c.old = data + 1;
		c.old_len = (size_t)(mark - data - 1);
		c.now = mark + 6;
		c.now_len = size - (size_t)(mark + 6 - data);
	}
	check(&c);
	c.had_old = true;
	c.old = c.now;
	c.old_len = c.now_len;
	judge(&c, &v);
	promise(v.inert == (judge_kind_is_known(c.kind) && c.now_len <= JUDGE_CONTENT_MAX));
	return 0;
}
