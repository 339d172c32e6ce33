/* Undoing where somebody else changed since what the commit left: refused, or by a way that the person chose; with failures and deaths at every step. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "stage/commit.h"
#include "stage/recover.h"
#include "stage/sys.h"
#include "stage/undo.h"
#include "stage_world.h"

#define DIED 77

static struct {
	long steps; /* until it happens; 0: never */
	int error;  /* with which the call fails; 0: the process ends */
} trap;

int stage_step(const char *call)
{
	(void)call;
	if (trap.steps == 0 || --trap.steps > 0)
		return 0;
	if (trap.error == 0)
		_exit(DIED);
	return trap.error;
}

/* Models of the real tree afterwards, made of what it was before the event; NULL: refused. */
struct row {
	const char *name, *before, *program, *since, *theirs, *ours;
};

static const struct row rows[] = {
	{ "written", "f a 1; f b 1", "W a 2; W b 2", "f b 3", "W b 3", "" },
	{ "mode", "f a 1; f b 1", "W a 2; W b 2", "o b 600", "W b 2; O b 600", "" },
	{ "gone", "f a 1; f b 1", "W a 2; W b 2", "x b", "X b", "" },
	{ "replaced by a directory", "f a 1; f b 1", "W a 2; W b 2", "x b; d b; f b/x 1", "X b; D b; W b/x 1", "" },
	{ "new one gone", "f a 1", "W a 2; W b 2", "x b", "", "" },
	{ "new one written", "f a 1", "W a 2; W b 2", "f b 3", "W b 3", "" },
	{ "deleted one there again", "f a 1; f b 1", "W a 2; X b", "f b 3", "W b 3", "" },
	{ "in a new directory", "f a 1", "D d; D d/e; W a 2", "f d/e/x 1", "D d; D d/e; W d/e/x 1", "" },
	{ "in a new directory, written", "f a 1", "D d; W d/x 2; W d/y 2; W a 2", "f d/x 3", "D d; W d/x 3; W d/y 2",
	  "" },
	{ "in a new directory, mode", "f a 1", "D d; W d/x 2; W a 2", "o d/x 600", "D d; W d/x 2; O d/x 600", "" },
	{ "directory gone", "f a 1; d d; f d/b 1", "W a 2; W d/b 2", "x d", "X d", NULL },
	{ "renamed and written", "f a 1; f b hello", "W a 2; M b c", "f c 3", "W c 3", "" },
	{ "a directory that became a file", "f a 1; d t; f t/i 1", "W a 2; X t; W t 2", "f t 3", "X t; W t 3", "" },
	{ "a file that became a directory", "f a 1; f t 1", "W a 2; X t; D t; W t/i 2", "f t/i 3", "X t; D t; W t/i 3",
	  "" },
	{ "all of it", "f b 1", "W b 2", "f b 3", NULL, "" },
};

#define ROWS (sizeof rows / sizeof rows[0])

enum way { PLAIN, COPYING, PARTS, WAYS };

static const char *const way_names[] = { [PLAIN] = "whole", [COPYING] = "copied", [PARTS] = "in parts" };

static void must_commit(struct world *w, const struct commit_options *o, const struct row *r)
{
	struct commit_result result;
	struct err e = { .code = AMBIT_OK };

	if (stage_commit(&w->stage, w->meta, o, &result, &e) != 0)
		fail_msg("%s: commit: %s: %s", r->name, e.msg, e.why);
}

/* Until somebody else is done, too. */
static void prepare(struct world *w, const struct row *r, enum way way)
{
	static const struct selection_item a = { 0, "a" };
	static const struct selection only_a = { .take = &a, .n_take = 1 };
	const struct commit_options whole = { .copy = way == COPYING }, part = { .selection = &only_a };

	trap.steps = 0;
	assert_true(world_open(w, WORLD_FAST));
	scene(w, r->before);
	copy_all(w, "real", "start");
	world_stage(w);
	scene(w, r->program);
	if (way == PARTS && strstr(r->program, "W a") != NULL)
		must_commit(w, &part, r);
	must_commit(w, &whole, r);
	wait_tick(w);
	scene(w, r->since);
}

static void count(void *user, const struct undo_conflict *c)
{
	assert_true(c->how[0] != 0 && c->kind != 0);
	++*(uint64_t *)user;
}

static int undo(struct world *w, enum conflict_policy policy, uint64_t *told, struct undo_result *result, struct err *e)
{
	const struct undo_options o = { .conflicts = policy, .told = count, .user = told };

	*told = 0;
	return stage_undo(&w->stage, w->meta, &o, result, e);
}

/* Without the times of directories. */
static char *look(struct world *w, const char *dir)
{
	char *all = picture(w, dir);

	for (char *p = all; (p = strstr(p, " 40755 ")) != NULL; p += 7)
		memset(p + 7, '_', strcspn(p + 7, " \n"));
	return all;
}

static void check(struct world *w, const char *model, const char *label)
{
	auto_free char *now = look(w, "real"), *want = NULL;

	copy_all(w, "start", "want");
	scene_model(w, model, "want");
	want = look(w, "want");
	take(w, "want");
	assert_pictures(now, want, label);
	assert_false(is_there(w, "stage/journal"));
	assert_false(is_there(w, "stage/committed.0"));
	assert_false(is_there(w, "stage/0/undo.0"));
}

/* It is as it was before, and what changed since is still that. */
static void check_nothing(struct world *w, const char *then, const char *label)
{
	auto_free char *now = look(w, "real");
	struct undo_result result;
	uint64_t told;

	assert_pictures(now, then, label);
	assert_false(is_there(w, "stage/journal"));
	assert_true(is_there(w, "stage/committed.0"));
	if (undo(w, CONFLICT_FAIL, &told, &result, NULL) != -AMBIT_CONFLICT || told == 0)
		fail_msg("%s: it was forgotten that it has changed", label);
}

static void run(const struct row *r, enum way way, enum conflict_policy policy)
{
	const char *want = policy == CONFLICT_THEIRS ? r->theirs : policy == CONFLICT_OURS ? r->ours : NULL;
	auto_free char *then = NULL;
	struct undo_result result;
	struct err e = { .code = AMBIT_OK };
	struct world w;
	uint64_t told;
	char label[128];
	int got;

	(void)snprintf(label, sizeof label, "%s, %s, policy %u", r->name, way_names[way], policy);
	prepare(&w, r, way);
	then = look(&w, "real");
	got = undo(&w, policy, &told, &result, &e);
	if (got != (want == NULL ? -AMBIT_CONFLICT : 0))
		fail_msg("%s: %d: %s: %s", label, got, e.msg, e.why);
	if (want == NULL)
		check_nothing(&w, then, label);
	else
		check(&w, want, label);
	if (policy != CONFLICT_OURS || want == NULL)
		assert_true(told > 0);
	if (policy == CONFLICT_THEIRS && want != NULL)
		assert_int_equal(result.left, told);
	world_close(&w);
}

static void test_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		for (int way = 0; way < WAYS; way++) {
			run(&rows[i], (enum way)way, CONFLICT_FAIL);
			run(&rows[i], (enum way)way, CONFLICT_THEIRS);
			run(&rows[i], (enum way)way, CONFLICT_OURS);
		}
}

/* What is staged afterwards can be committed, over what stayed too. */
static void test_again(void **state)
{
	static const struct commit_options ours = { .conflicts = CONFLICT_OURS };
	struct undo_result result;
	struct commit_result again;
	struct world w;
	struct err e;
	uint64_t told;

	(void)state;
	prepare(&w, &rows[0], PLAIN);
	assert_int_equal(undo(&w, CONFLICT_THEIRS, &told, &result, &e), 0);
	assert_int_equal(stage_commit(&w.stage, w.meta, &ours, &again, &e), 0);
	assert_int_equal(again.done, 1); /* a; what b had went with its slot */
	world_close(&w);
}

/* True as long as step n exists. */
static bool fail_once(const struct row *r, enum way way, enum conflict_policy policy, long n, int error)
{
	const char *want = policy == CONFLICT_THEIRS ? r->theirs : r->ours;
	auto_free char *then = NULL;
	struct recover_result recovered;
	struct undo_result result;
	struct err e = { .code = AMBIT_OK };
	struct world w;
	uint64_t told;
	char label[128];
	bool hit;
	int got;

	(void)snprintf(label, sizeof label, "%s, %s, policy %u, step %ld", r->name, way_names[way], policy, n);
	prepare(&w, r, way);
	then = look(&w, "real");
	trap.steps = n;
	trap.error = error;
	got = undo(&w, policy, &told, &result, &e);
	hit = trap.steps == 0;
	trap.steps = 0;
	if (stage_recover(&w.stage, w.meta, NULL, NULL, &recovered, &e) != 0)
		fail_msg("%s: recover: %s: %s", label, e.msg, e.why);
	if (got != 0) {
		check_nothing(&w, then, label);
		got = undo(&w, policy, &told, &result, &e);
	}
	if (got != 0)
		fail_msg("%s: once more: %s: %s", label, e.msg, e.why);
	check(&w, want, label);
	world_close(&w);
	return hit;
}

/* In a child that dies at step n: whether it did. */
static bool die_once(const struct row *r, enum way way, enum conflict_policy policy, long n)
{
	const char *want = policy == CONFLICT_THEIRS ? r->theirs : r->ours;
	struct recover_result recovered;
	struct undo_result result;
	struct err e = { .code = AMBIT_OK };
	auto_free char *then = NULL;
	struct world w;
	uint64_t told;
	char label[128];
	int status = 0;
	pid_t child;

	(void)snprintf(label, sizeof label, "%s, %s, policy %u, dies at %ld", r->name, way_names[way], policy, n);
	prepare(&w, r, way);
	then = look(&w, "real");
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		trap.steps = n;
		trap.error = 0;
		_exit(-undo(&w, policy, &told, &result, NULL));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (stage_recover(&w.stage, w.meta, NULL, NULL, &recovered, &e) != 0)
		fail_msg("%s: recover: %s: %s", label, e.msg, e.why);
	if (is_there(&w, "stage/committed.0")) {
		check_nothing(&w, then, label);
		if (undo(&w, policy, &told, &result, &e) != 0)
			fail_msg("%s: once more: %s: %s", label, e.msg, e.why);
	}
	check(&w, want, label);
	world_close(&w);
	return WEXITSTATUS(status) == DIED;
}

/* Each row tries one step in five, of the ways that have more steps one in thirteen; AMBIT_SOAK tries all. */
static void every_step(enum conflict_policy policy)
{
	for (size_t i = 0; i < ROWS; i++)
		for (int way = 0; way < WAYS; way++) {
			const char *want = policy == CONFLICT_THEIRS ? rows[i].theirs : rows[i].ours;
			const long stride = getenv("AMBIT_SOAK") != NULL ? 1 : way == PLAIN ? 5 : 13;
			long n = 1 + (long)i % stride;

			if (want == NULL)
				continue;
			while (fail_once(&rows[i], (enum way)way, policy, n, n % 2 == 0 ? EIO : EPERM))
				n += stride;
			for (n = 1 + (long)i % stride; die_once(&rows[i], (enum way)way, policy, n);)
				n += stride;
		}
}

static void test_every_step_theirs(void **state)
{
	(void)state;
	every_step(CONFLICT_THEIRS);
}

static void test_every_step_ours(void **state)
{
	(void)state;
	every_step(CONFLICT_OURS);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_every_step_theirs),
		cmocka_unit_test(test_every_step_ours),
	};

	if (argc > 1) /* one of them alone */
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
