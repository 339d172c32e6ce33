/* Any bytes as an index of git: what is read has names that git would take, in order. Then as two, with a line "====" between
 * them (without it the second is gone): a verdict has a reason or is inert, and what hides nothing loses nothing. */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "judge/gitindex.h"
#include "judge/judge.h"

static void read_one(const uint8_t *data, size_t size)
{
	char before[CHANGE_PATH_MAX] = "";
	struct gitindex g;
	size_t n = 0;

	if (!gitindex_init(&g, data, size)) {
		promise(g.mistake != NULL && !gitindex_next(&g));
		return;
	}
	promise(g.mistake == NULL);
	for (; gitindex_next(&g); n++) {
		promise(g.name_len > 0 && g.name_len < CHANGE_PATH_MAX && strlen(g.name) == g.name_len);
		promise(g.is_directory == (g.name[g.name_len - 1] == '/'));
		promise(strcmp(before, g.name) <= 0 && (strcmp(before, g.name) != 0 || g.stage > 1));
		promise(g.id >= data && g.id + g.id_len <= data + size);
		memcpy(before, g.name, g.name_len + 1);
		if (g.is_directory)
			g.name[g.name_len - 1] = 0;
		promise(change_path_is_good(g.name));
		if (g.is_directory)
			g.name[g.name_len - 1] = '/';
	}
	promise(g.mistake == NULL && n <= size / 62);
}

static void ask(struct judge_case *c)
{
	struct judge_verdict v;

	judge(c, &v);
	promise(v.inert == (v.why[0] == 0) && v.offset == 0);
	promise(text_is_utf8(v.why, strlen(v.why), NULL) && strchr(v.why, '\033') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n====\n";
	static const char hidden[] = "/w/.env\0/w/.npmrc\0/w/dir\0/w/t/server.pem";
	static const char *const paths[] = { ".git/index", "x.git/index", "x/.git/index", ".git/worktrees/w/index" };
	const uint8_t *end = size > 0 ? memmem(data, size, mark, sizeof mark - 1) : NULL;
	struct judge_case c = { .kind = JUDGE_GIT_INDEX, .had_old = true, .old = data, .old_len = size, .tree = "/w" };
	struct judge_verdict v;

	c.now = "";
	if (end != NULL) {
		c.old_len = (size_t)(end - data);
		c.now = end + sizeof mark - 1;
		c.now_len = size - c.old_len - (sizeof mark - 1);
		read_one(c.now, c.now_len);
	}
	read_one(data, c.old_len);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		c.path = paths[i];
		c.hidden = hidden;
		c.hidden_len = sizeof hidden;
		c.config = (const char *)data; /* of whose syntax there are other targets */
		c.config_len = c.old_len;
		ask(&c);
		c.config_len = 0;
		c.gitdir = (const char *)c.now;
		c.gitdir_len = c.now_len;
		ask(&c);
		c.gitdir_len = 0;
		ask(&c);
		c.hidden_len = 0;
		judge(&c, &v);
		promise(v.inert);
	}
	return 0;
}
