#include "stage/unseen_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "judge/input.h"
#include "stage/sys.h"
#include "stage/unseen.h"

static bool is_ours(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strncmp(slash != NULL ? slash + 1 : path, STORE_PREFIX, sizeof STORE_PREFIX - 1) == 0;
}

/* What is shown empty has nothing of its own, but what lies in it was not seen. */
static bool is_unseen(const struct role *role, uint32_t tree, struct mask_entry entry)
{
	auto_fd int fd = -1;

	if (entry.kind == MASK_NOTHING || entry.kind == MASK_ON_THE_WAY || is_ours(entry.path))
		return false;
	fd = sys_open_beneath(role->trees.real[tree], entry.path, O_PATH | O_NOFOLLOW);
	return fd != -ENOENT && fd != -ENOTDIR; /* what cannot be looked at, or is mounted there now, is there */
}

static void put(const struct role *role, uint32_t tree, const char *path, struct buf *ret)
{
	const char *real = role->meta->trees[tree].real;

	buf_put(ret, real, strcmp(real, "/") == 0 ? 0 : strlen(real));
	if (path[0] != 0)
		buf_put_u8(ret, '/');
	buf_put(ret, path, strlen(path));
	buf_put_u8(ret, 0);
}

static int by_text(const void *a, const void *b)
{
	return judge_hidden_order(*(const char *const *)a, *(const char *const *)b);
}

/* Those of one tree come in order, those of several do not. */
static int sort(const struct buf *paths, uint32_t n, struct buf *ret)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	auto_free const char **list = calloc(n, sizeof *list);
	const char *at = (const char *)paths->data;

	if (list == NULL)
		return -AMBIT_MEMORY;
	for (uint32_t i = 0; i < n; i++, at += strlen(at) + 1)
		list[i] = at;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	qsort(list, n, sizeof *list, by_text);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || strcmp(list[i - 1], list[i]) != 0) /* one tree may lie in another */
			buf_put(ret, list[i], strlen(list[i]) + 1);
	return ret->failed ? -AMBIT_MEMORY : 0;
}

/* Those of trees that were only read, of which a repository may be granted for writing alone. */
static int add_elsewhere(const struct role *role, struct buf *ret, uint32_t *n)
{
	auto_buf all = { .max = 0 };
	const char *at, *end;
	int r;

	buf_init(&all, JUDGE_HIDDEN_MAX);
	r = unseen_read_elsewhere(role->stage.dir_fd, &all);
	if (r < 0)
		return r;
	at = (const char *)all.data;
	end = at + all.len;
	for (size_t len; at < end; at += len + 1) {
		struct stat st;

		len = strlen(at);
		if (at[0] != '/' || is_ours(at) || (lstat(at, &st) < 0 && (errno == ENOENT || errno == ENOTDIR)))
			continue;
		buf_put(ret, at, len + 1);
		(*n)++;
	}
	return 0;
}

int unseen_list(const struct role *role, struct buf *ret)
{
	auto_buf paths = { .max = 0 };
	uint32_t n = 0;

	buf_init(ret, JUDGE_HIDDEN_MAX);
	buf_init(&paths, JUDGE_HIDDEN_MAX);
	for (uint32_t t = 0; t < role->meta->n_trees; t++) {
		const struct mask_list *l = &role->unseen[t].list;

		for (uint32_t i = 0; i < l->n && !paths.failed; i++) {
			const struct mask_entry entry = mask_list_entry(l, i);

			if (is_unseen(role, t, entry)) {
				put(role, t, entry.path, &paths);
				n++;
			}
		}
	}
	if (add_elsewhere(role, &paths, &n) < 0 || paths.failed)
		return -AMBIT_LIMIT; /* or memory: not known either way */
	return n == 0 ? 0 : sort(&paths, n, ret);
}
