#include "stage/recover.h"

#include "stage/finish.h"
#include "stage/run.h"

struct recovery {
	void (*told)(void *user, uint16_t tree, const char *path);
	void *user;
	struct recover_result *ret;
};

static void count(void *user, uint16_t tree, const char *path)
{
	struct recovery *r = user;

	r->ret->conflicts++;
	if (r->told != NULL)
		r->told(r->user, tree, path);
}

static int carry_on(struct recovery *r, const struct stage *s, const struct trees *t, struct deed *d, struct err *e)
{
	__attribute__((cleanup(moved_finish))) struct moved moved = { .n = 0 };
	const struct run run = {
		.trees = t, .deed = d, .moved = &moved, .backwards = d->way == DEED_UNDO, .found = true, .strict = true
	};
	const struct finish f = {
		.stage = s, .trees = t, .deed = d, .moved = &moved, .found = true, .told = count, .user = r
	};
	int result;

	moved_load(&moved, s->dir_fd);
	moved_begin(&moved, d, true); /* what happened to directories since it began nobody knows */
	result = d->turned ? -AMBIT_CONFLICT : run_deed(&run, e);

	if (result == 0)
		result = finish_done(&f, e);
	r->ret->what = result == 0 ? RECOVERED_FORWARD : RECOVERED_BACK;
	if (result == 0)
		return 0;
	result = finish_back(&f, e);
	return result == -AMBIT_CONFLICT ? 0 : result; /* told */
}

int stage_recover(const struct stage *s, const struct stage_meta *m,
		  void (*told)(void *user, uint16_t tree, const char *path), void *user, struct recover_result *ret,
		  struct err *e)
{
	__attribute__((cleanup(trees_finish))) struct trees t = { .n = 0 };
	__attribute__((cleanup(deed_finish))) struct deed d = { .way = 0 };
	struct recovery rec = { .told = told, .user = user, .ret = ret };
	int r = trees_open(s, m, &t, e), found;

	*ret = (struct recover_result){ .what = RECOVERED_NOTHING };
	if (r < 0)
		return r;
	found = deed_read(s->dir_fd, JOURNAL_NAME, &d, e);
	if (found < 0)
		return found;
	if (found == 0)
		(void)sys_unlink(s->dir_fd, JOURNAL_NAME, 0); /* torn, as good as none; mostly there is none */
	else
		r = carry_on(&rec, s, &t, &d, e);
	if (r == 0)
		r = finish_clean(s, &t, m->event, e);
	ret->state = deed_is_last(s->dir_fd) ? STAGE_COMMITTED : STAGE_KEPT;
	return r;
}
