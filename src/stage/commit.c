#include "stage/commit.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "stage/again.h"
#include "stage/allowed.h"
#include "stage/build.h"
#include "stage/finish.h"
#include "stage/run.h"

static int check_free(const struct stage *s, struct err *e)
{
	__attribute__((cleanup(deed_finish))) struct deed d = { .way = 0 };
	const int r = deed_read(s->dir_fd, JOURNAL_NAME, &d, e);

	if (r == 1)
		return err_set(e, AMBIT_CONFLICT, "let it be finished first (recover)",
			       "a commit or undo of this stage was cut short");
	if (r == 0)
		(void)sys_unlink(s->dir_fd, JOURNAL_NAME, 0); /* torn, as good as none; mostly there is none */
	return r;
}

/* The new content before any name of it, and with it the rest of those file systems: also the journal, where the stage lies on
 * one of them. An event's own syncs reach no disk (its overlay is `volatile`): for what it wrote this is the only one. */
static int sync_data(int stage_fd, const struct trees *t, bool *ret_with_stage, uint32_t *ret_disk, struct err *e)
{
	struct look stage;
	int r = sys_look(stage_fd, "", &stage);

	*ret_with_stage = false;
	for (uint32_t i = 0; i < t->n && r == 0; i++) {
		auto_fd int real = t->far[i] ? sys_open_beneath(t->real[i], "", O_RDONLY | O_DIRECTORY) : -1;
		struct look a, b;
		const bool known = sys_look(t->part[i], "", &a) == 0;
		const bool again = i > 0 && known && sys_look(t->part[i - 1], "", &b) == 0 && a.id.dev == b.id.dev;

		r = again ? 0 : sys_sync_all(t->upper[i]);
		if (r < 0)
			*ret_disk = STAGE_DISK_FAILED;
		if (r == 0 && t->far[i])
			r = real < 0 ? real : sys_sync_all(real);
		*ret_with_stage = *ret_with_stage || (known && a.id.dev == stage.id.dev);
	}
	if (r == 0)
		*ret_disk = STAGE_DISK_ALL;
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "look at the health of the file system; nothing was changed",
			       "write the changes to disk")
		     : 0;
}

/* From a deed that is built to one that is done. */
static int carry_out(const struct finish *f, const struct stage_meta *m, const struct commit_options *o,
		     uint32_t *ret_disk, struct err *e)
{
	const struct run run = { .trees = f->trees, .deed = f->deed, .moved = f->moved, .fresh = true, .strict = true };
	const int dir = f->stage->dir_fd;
	bool with_stage = false;
	int r = allowed_check(f->deed, f->trees, m, e);

	r = r < 0 ? r : stop_check(o->stopped, o->stopped_user, e);
	r = r < 0 ? r : deed_prepare(dir, JOURNAL_NAME, f->deed, e);
	if (r == 0) {
		r = sync_data(dir, f->trees, &with_stage, ret_disk, e);
		r = r < 0 ? r : stop_check(o->stopped, o->stopped_user, e); /* for the last time */
		r = r < 0 ? r : deed_seal(dir, JOURNAL_NAME, with_stage, e);
		if (r < 0)
			(void)sys_unlink(dir, JOURNAL_NAME, 0); /* not sealed, and as good as none */
	}
	if (r < 0) {
		(void)build_drop(f->deed, f->trees, f->deed->batch, true, true); /* else found by stage_recover() */
		return r;
	}
	moved_watch(f->moved, f->deed);
	r = run_deed(&run, e);
	if (r == 0)
		r = finish_done(f, e);
	return r < 0 ? finish_failed(f, r, e) : 0;
}

static bool is_far(const struct trees *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->far[i])
			return true;
	return false;
}

static int commit_chosen(const struct stage *s, struct build *b, const struct commit_options *o, uint32_t *ret_disk,
			 struct err *e)
{
	__attribute__((cleanup(moved_finish))) struct moved moved = { .n = 0 };
	const struct finish f = { .stage = s, .trees = b->trees, .deed = b->deed, .moved = &moved };
	struct look baseline;
	int r;

	if (sys_look(s->dir_fd, "baseline", &baseline) == 0)
		moved_load(&moved, s->dir_fd); /* what was committed before may come in again */
	moved_begin(&moved, b->deed, moved.n > 0 || is_far(b->trees));
	b->moved = &moved;
	r = build_deed(b, e);
	if (r < 0) {
		(void)build_drop(b->deed, b->trees, b->deed->batch, true, true); /* else found by stage_recover() */
		return r;
	}
	if (b->deed->moves.n == 0 && b->deed->dirs.n == 0)
		return 0;
	return carry_out(&f, b->meta, o, ret_disk, e);
}

/* What is to be done: looked for now, or as it was found before. */
static int find(const struct stage *s, const struct stage_meta *m, const struct trees *t,
		const struct commit_options *o, struct plan *ret, struct err *e)
{
	if (o->plan == NULL)
		return walk_plan(s, m, t, o->calls, ret, e);
	*ret = *o->plan;
	*o->plan = (struct plan){ .entries = NULL };
	return again_look(s, m, t, o->calls, ret, e);
}

int stage_commit(const struct stage *s, const struct stage_meta *m, const struct commit_options *o,
		 struct commit_result *ret, struct err *e)
{
	__attribute__((cleanup(trees_finish))) struct trees t = { .n = 0 };
	__attribute__((cleanup(plan_finish))) struct plan p = { .entries = NULL };
	__attribute__((cleanup(deed_finish))) struct deed d = { .way = DEED_COMMIT, .batch = deed_count(s->dir_fd) };
	struct build b = { .meta = m,
			   .trees = &t,
			   .plan = &p,
			   .copy = o->copy,
			   .deed = &d,
			   .stopped = o->stopped,
			   .stopped_user = o->stopped_user };
	struct choice choice;
	int r = check_free(s, e);

	*ret = (struct commit_result){ .state = STAGE_KEPT, .unmatched = -1 };
	memcpy(d.event, m->event, sizeof d.event);
	if (r == 0)
		r = trees_open(s, m, &t, e);
	if (r == 0)
		r = find(s, m, &t, o, &p, e);
	if (r < 0)
		return r;
	r = selection_choose(&p, o->selection, o->conflicts, o->accept, o->told, o->user, &choice, e);
	ret->held = choice.blocked;
	ret->unmatched = choice.unmatched;
	if (r < 0)
		return r;
	b.partial = choice.partial != 0;
	d.left = o->copy || choice.left > 0 || choice.dropped > 0;
	r = commit_chosen(s, &b, o, &ret->disk, e);
	if (r < 0)
		return r;
	ret->state = d.left != 0 ? STAGE_KEPT : STAGE_COMMITTED;
	ret->done = choice.taken;
	ret->left = choice.left;
	ret->dropped = choice.dropped;
	return 0;
}
