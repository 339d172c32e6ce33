/* Every call that changes something fails once, and the process dies once before each: the tree is wholly as before or wholly as after,
 * and the stage knows which. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "prop.h"
#include "stage/commit.h"
#include "stage/recover.h"
#include "stage/sys.h"
#include "stage/undo.h"
#include "stage_world.h"

#define DIED 77

static struct {
	long steps;       /* until it happens; 0: never */
	int error;        /* with which the call fails; 0: the process ends */
	const char *only; /* then all calls of this name fail from there on, and no others; NULL: that call alone */
	char call[16];
	unsigned synced; /* file systems, so far */
	bool syncs_only; /* steps are counted of no other call */
} trap;

int stage_step(const char *call)
{
	const bool syncs = strcmp(call, "syncfs") == 0;

	trap.synced += syncs;
	if ((trap.syncs_only && !syncs) || trap.steps == 0 || (trap.only != NULL && strcmp(call, trap.only) != 0) ||
	    (trap.steps > 1 && trap.steps-- > 0))
		return 0;
	trap.steps = trap.only != NULL ? 1 : 0;
	(void)snprintf(trap.call, sizeof trap.call, "%s", call);
	if (trap.error == 0)
		_exit(DIED);
	return trap.error;
}

static const char before_scene[] =
	"f a one; f b two; o b 444; d d; f d/x 1; f d/y 2; d d/sub; f d/sub/z 3; f d/sub/v 5; d gone; d gone/e; f gone/e/g g; l l a;"
	"f h hh; d ro; f ro/f x; o ro 555; f ren hello; f t file; d t2; f t2/i x";
static const char program[] =
	"W a ONE; O b 400; X d/x; W d/n new; D d/new; W d/new/q q; O d/new/q 400; D d/new/r; N d/n d/new/link; X gone; X l; L l b;"
	"W h HH; M ren d/moved; X d/sub; D d/sub; W d/sub/z 4; W d/sub/w w; O ro 755; W ro/f y; W ro/m m; O ro 555; X t; D t; W t/i i;"
	"X t2; W t2 file; O d 711; A d user.k";

static const struct selection_item left[] = { { 0, "d/new/r" }, { 0, "a" }, { 0, "d/sub/v" }, { 0, "t/i" } };
static const struct selection some = { .leave = left, .n_leave = sizeof left / sizeof left[0] };

struct way {
	const char *name;
	enum world_place place;
	struct commit_options options;
	long stride; /* 10: only each tenth step, for its time on a real disk; AMBIT_SOAK tries all */
};

static const struct way ways[] = {
	{ "moving", WORLD_FAST, { .copy = false }, 2 },
	{ "a part", WORLD_FAST, { .selection = &some }, 2 },
	{ "copying", WORLD_FAST, { .copy = true }, 2 },
	{ "to another file system", WORLD_TWO, { .copy = false }, 10 },
};

/* The same times in every world. */
static void fix_times(struct world *w, const char *dir, int64_t time)
{
	char inside[600];
	const struct dirent *entry;
	const int root = strncmp(dir, "stage/", 6) == 0 ? w->other_fd : w->root_fd;
	const int fd = openat(root, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		(void)snprintf(inside, sizeof inside, "%s/%s", dir, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			fix_times(w, inside, time);
	}
	(void)closedir(d);
	put_mtime(w, dir, time);
}

static bool make(struct world *w, const struct way *way)
{
	trap.steps = 0;
	trap.only = NULL;
	if (!world_open(w, way->place))
		return false;
	scene(w, before_scene);
	if (way->place != WORLD_TWO) /* there, undoing gives each name a file of its own */
		scene(w, "n h h2");
	fix_times(w, "real", 1000);
	world_stage(w);
	scene(w, program);
	fix_times(w, "stage/0/upper", 2000);
	return true;
}

static int commit(struct world *w, const struct way *way, struct err *e)
{
	struct commit_result result;

	return stage_commit(&w->stage, w->meta, &way->options, &result, e);
}

static int undo(struct world *w, struct err *e)
{
	struct undo_result result;

	return stage_undo(&w->stage, w->meta, NULL, &result, e);
}

static int recover(struct world *w, struct recover_result *ret, struct err *e)
{
	return stage_recover(&w->stage, w->meta, NULL, NULL, ret, e);
}

static void must(int result, const struct err *e, const char *what, long n)
{
	if (result != 0)
		fail_msg("%s, step %ld (%s): %s: %s", what, n, trap.call, e->msg, e->why);
}

struct pictures {
	char *before, *after; /* owned */
	bool without_times;   /* of directories */
};

static void pictures_take(const struct way *way, struct pictures *ret)
{
	struct world w;
	struct err e;

	assert_true(make(&w, way));
	ret->before = picture(&w, "real");
	must(commit(&w, way, &e), &e, way->name, 0);
	ret->after = picture(&w, "real");
	must(undo(&w, &e), &e, way->name, 0);
	world_close(&w);
}

/* Takes the times of directories out. Such a line is "PATH 40755 1000.000005000 ...". */
static void forget_times(char *lines)
{
	char *to = lines, *at = lines;

	while (*at != 0) {
		const size_t path = strcspn(at, " \n");
		const bool is_dir = strncmp(at + path, " 4", 2) == 0 && at[path + 6] == ' ';
		const size_t head = path + (is_dir ? 7 : 0), line = strcspn(at, "\n") + 1;
		const size_t skip = is_dir ? strcspn(at + head, " \n") : 0;

		memmove(to, at, head);
		memmove(to + head, at + head + skip, line - head - skip);
		to += line - skip;
		at += line;
	}
	*to = 0;
}

static void pictures_forget_times(struct pictures *p)
{
	p->without_times = true;
	forget_times(p->before);
	forget_times(p->after);
}

static void pictures_finish(struct pictures *p)
{
	free(p->before);
	free(p->after);
}

/* Exactly one of the two. */
static bool is_after(struct world *w, const struct pictures *p, const char *what, long n)
{
	auto_free char *now = picture(w, "real");
	char label[128];

	if (p->without_times)
		forget_times(now);
	(void)snprintf(label, sizeof label, "%s, step %ld (%s)", what, n, trap.call);
	if (strcmp(now, p->after) == 0)
		return true;
	if (strcmp(now, p->before) != 0 && getenv("AMBIT_AFTER") != NULL)
		assert_pictures(now, p->after, label); /* which of the two was meant is for the reader to say */
	assert_pictures(now, p->before, label);
	return false;
}

/* The stage must be fit for what comes next, both ways. */
static void go_on(struct world *w, const struct way *way, const struct pictures *p, bool after, long n)
{
	struct err e;

	trap.steps = 0;
	assert_false(is_there(w, "stage/journal"));
	assert_false(is_there(w, "real/.ambit-e_test.0"));
	assert_int_equal(is_there(w, "stage/committed.0"), after);
	if (!after)
		assert_false(is_there(w, "stage/0/undo.0"));
	if (!after)
		must(commit(w, way, &e), &e, "committing again", n);
	assert_true(is_after(w, p, "committing again", n));
	must(undo(w, &e), &e, "taking back", n);
	assert_false(is_after(w, p, "taking back", n));
	must(commit(w, way, &e), &e, "committing once more", n);
	assert_true(is_after(w, p, "committing once more", n));
}

enum what { COMMIT, UNDO, RECOVER };

/* In a child that dies at step n: whether it did. */
static bool dies(struct world *w, const struct way *way, enum what what, long n)
{
	struct recover_result result;
	int status = 0;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		trap.steps = n;
		trap.error = 0;
		_exit(what == COMMIT ? -commit(w, way, NULL)
		      : what == UNDO ? -undo(w, NULL)
				     : -recover(w, &result, NULL));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != DIED)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) == DIED;
}

static bool crash_once(const struct way *way, const struct pictures *p, enum what what, long n)
{
	struct recover_result result;
	struct world w;
	struct err e;
	bool died, after;

	assert_true(make(&w, way));
	if (what == UNDO)
		must(commit(&w, way, &e), &e, way->name, n);
	died = dies(&w, way, what, n);
	if (died && n % 3 == 0)
		(void)dies(&w, way, RECOVER, 1 + n * 7 % 23); /* and once more while it recovers */
	must(recover(&w, &result, &e), &e, way->name, n);
	assert_int_equal(result.conflicts, 0);
	after = is_after(&w, p, way->name, n);
	if (way->options.selection == NULL && !way->options.copy)
		assert_int_equal(result.state, after ? STAGE_COMMITTED : STAGE_KEPT);
	/* Once the journal is there, it goes on. */
	if (!died || result.what == RECOVERED_FORWARD)
		assert_int_equal(after, what == COMMIT);
	assert_int_not_equal(result.what, RECOVERED_BACK);
	go_on(&w, way, p, after, n);
	world_close(&w);
	return died;
}

static long stride_of(const struct way *way)
{
#ifdef AMBIT_SANITIZED
	const long slow = 4;
#else
	const long slow = 1;
#endif

	return getenv("AMBIT_SOAK") != NULL ? 1 : slow * way->stride;
}

/* Which ones: others in each run. */
static long first_of(const struct way *way)
{
	static uint64_t seed;

	if (seed == 0) {
		seed = prop_env("AMBIT_SEED", 1 + (uint64_t)time(NULL));
		print_message("# AMBIT_SEED=%llu\n", (unsigned long long)seed);
	}
	return 1 + (long)(seed % (uint64_t)stride_of(way));
}

static void crash(enum what what)
{
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct pictures p = { .before = NULL };
		struct world w;
		long n = first_of(&ways[i]);

		if (!world_open(&w, ways[i].place)) {
			print_message("# no second file system: not tried\n");
			continue;
		}
		world_close(&w);
		pictures_take(&ways[i], &p);
		while (crash_once(&ways[i], &p, what, n))
			n += stride_of(&ways[i]);
		print_message("# %s: %ld steps\n", ways[i].name, n - 1);
		assert_true(n > 20);
		pictures_finish(&p);
	}
}

static void test_crash_in_commit(void **state)
{
	(void)state;
	crash(COMMIT);
}

static void test_crash_in_undo(void **state)
{
	(void)state;
	crash(UNDO);
}

/* True as long as step n exists. error: 0 for those of a disk in turn. */
static bool fail_once(const struct way *way, const struct pictures *p, enum what what, long n, int error)
{
	struct recover_result result;
	struct err e = { .code = AMBIT_OK }, other;
	struct world w;
	bool after, hit;
	int r;

	assert_true(make(&w, way));
	if (what == UNDO)
		must(commit(&w, way, &e), &e, way->name, n);
	trap.steps = n;
	trap.error = error != 0 ? error : n % 2 == 0 ? EIO : ENOSPC;
	r = what == COMMIT ? commit(&w, way, &e) : undo(&w, &e);
	hit = trap.steps == 0;
	trap.steps = 0;
	if (r == 0) /* but perhaps for the end of the journal */
		must(recover(&w, &result, &other), &other, way->name, n);
	after = is_after(&w, p, way->name, n);
	if (r == 0 ? after != (what == COMMIT) : after != (what == UNDO))
		fail_msg("%s, step %ld (%s): says %d, but the tree is as %s", way->name, n, trap.call, r,
			 after ? "after" : "before");
	if (r != 0) {
		assert_true(e.msg[0] != 0 && e.hint[0] != 0);
		assert_false(is_there(&w, "stage/journal"));
	}
	must(recover(&w, &result, &other), &other, way->name, n); /* leftovers that could not be removed */
	go_on(&w, way, p, after, n);
	world_close(&w);
	return hit;
}

static void fail_all(enum what what, int error)
{
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct pictures p = { .before = NULL };
		struct world w;
		long n = first_of(&ways[i]);

		if (!world_open(&w, ways[i].place))
			continue;
		world_close(&w);
		pictures_take(&ways[i], &p);
		if (error == EPERM) /* times that may not be set stay as they are */
			pictures_forget_times(&p);
		while (fail_once(&ways[i], &p, what, n, error))
			n += stride_of(&ways[i]) * (error == 0 || ways[i].place == WORLD_FAST ? 1 : 3);
		assert_true(n > 20);
		pictures_finish(&p);
	}
}

/* What an event wrote is on no disk before the commit syncs it, once. If that fails it is lost, and the tree as it was; a sync of
 * the tree's own file system, where that is another, loses nothing. */
static void test_failing_sync(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		for (long n = 1; n <= 2; n++) {
			struct commit_result result;
			auto_free char *before = NULL;
			auto_free char *now = NULL;
			struct err e = { .code = AMBIT_OK };
			struct world w;
			int r;

			if (!make(&w, &ways[i]))
				continue;
			before = picture(&w, "real");
			trap.syncs_only = true;
			trap.synced = 0;
			trap.steps = n;
			trap.error = EIO;
			r = stage_commit(&w.stage, w.meta, &ways[i].options, &result, &e);
			trap.steps = 0;
			trap.syncs_only = false;
			now = picture(&w, "real");
			if (n == 2 && ways[i].place != WORLD_TWO) {
				assert_int_equal(r, 0);
				assert_int_equal(trap.synced, 1);
			} else {
				assert_int_equal(r, -AMBIT_SYSTEM);
				assert_int_equal(e.sys_errno, EIO);
				assert_pictures(now, before, ways[i].name);
			}
			if (result.disk != (n == 1 ? STAGE_DISK_FAILED : r == 0 ? STAGE_DISK_ALL : STAGE_DISK_NOT_YET))
				fail_msg("%s, sync %ld: disk %u", ways[i].name, n, result.disk);
			world_close(&w);
		}
}

static void test_failure_in_commit(void **state)
{
	(void)state;
	fail_all(COMMIT, 0);
}

static void test_failure_in_undo(void **state)
{
	(void)state;
	fail_all(UNDO, 0);
}

/* Owners, modes, and what chattr says. */
static void test_refusal_in_commit(void **state)
{
	(void)state;
	fail_all(COMMIT, EPERM);
}

static void test_refusal_in_undo(void **state)
{
	(void)state;
	fail_all(UNDO, EPERM);
}

/* In directories of somebody else, who lets others write there. */
static void test_times_may_not_be_set(void **state)
{
	struct pictures p = { .before = NULL };
	struct world w;
	struct err e;

	(void)state;
	pictures_take(&ways[0], &p);
	pictures_forget_times(&p);
	assert_true(make(&w, &ways[0]));
	trap.only = "utimens";
	trap.error = EPERM;
	trap.steps = 1;
	must(commit(&w, &ways[0], &e), &e, "no times", 0);
	assert_string_equal(trap.call, "utimens"); /* it was tried */
	assert_true(is_after(&w, &p, "no times", 0));
	must(undo(&w, &e), &e, "no times, back", 0);
	assert_false(is_after(&w, &p, "no times, back", 0));
	world_close(&w);
	pictures_finish(&p);
}

/* What fails, and cannot be turned back either: the person heard that it is not committed, so nobody commits it later; and when the cause is gone it
 * is turned back to the end. */
static void test_stuck(void **state)
{
	struct recover_result result;
	struct pictures p = { .before = NULL };
	long n = 2, stuck = 0;

	(void)state;
	pictures_take(&ways[0], &p);
	for (bool hit = true; hit; n++) {
		struct err e = { .code = AMBIT_OK }, other = { .code = AMBIT_OK };
		struct world w;

		assert_true(make(&w, &ways[0]));
		trap.only = "rename";
		trap.error = n % 2 == 0 ? EPERM : EACCES;
		trap.steps = n;
		hit = commit(&w, &ways[0], &e) != 0;
		if (hit && is_there(&w, "stage/journal")) {
			stuck++;
			assert_non_null(strstr(e.why, strerror(trap.error)));
			assert_non_null(strstr(e.why, "could not be turned back"));
			assert_non_null(strstr(e.hint, "ambit stage recover"));
			assert_int_not_equal(recover(&w, &result, &other), 0); /* as long as the cause is there */
			assert_true(is_there(&w, "stage/journal"));
			assert_false(is_there(&w, "stage/committed.0"));
		}
		trap.steps = 0;
		must(recover(&w, &result, &other), &other, "stuck", n);
		assert_int_equal(is_after(&w, &p, "stuck", n), !hit);
		go_on(&w, &ways[0], &p, !hit, n);
		world_close(&w);
	}
	assert_true(stuck > 3);
	pictures_finish(&p);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash_in_commit), cmocka_unit_test(test_crash_in_undo),
		cmocka_unit_test(test_failing_sync),    cmocka_unit_test(test_failure_in_commit),
		cmocka_unit_test(test_failure_in_undo), cmocka_unit_test(test_refusal_in_commit),
		cmocka_unit_test(test_refusal_in_undo), cmocka_unit_test(test_times_may_not_be_set),
		cmocka_unit_test(test_stuck),
	};

	if (argc > 1) /* one of them alone */
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
