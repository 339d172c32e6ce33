/* Undoing where somebody else changed since what the commit left: refused, or by a way that the person chose; with failures and deaths at every step.
 * Events that are undone one after the other, and kept ones around which others were: what Ambit itself moved has not changed. */
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
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "stage/commit.h"
#include "stage/moved.h"
#include "stage/recover.h"
#include "stage/sys.h"
#include "stage/undo.h"
#include "stage_world.h"

#define DIED 77

static struct {
	long steps;       /* until it happens; 0: never */
	int error;        /* with which the call fails; 0: the process ends */
	const char *only; /* such calls; NULL: any */
} trap;

/* Somebody else, right before a name is moved. */
static struct {
	long renames; /* until then; 0: never */
	int fd;
	void (*does)(int fd, const struct stat *was);
} meddler;

int stage_step(const char *call)
{
	struct stat was;

	if (meddler.renames > 0 && strcmp(call, "rename") == 0 && --meddler.renames == 0 &&
	    fstat(meddler.fd, &was) == 0)
		meddler.does(meddler.fd, &was);
	if (trap.steps == 0 || (trap.only != NULL && strcmp(trap.only, call) != 0) || --trap.steps > 0)
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
	{ "names of one file", "f a 1; f b 1", "W a 2; W b 2; N b c", "f c 3", "W b 3; N b c", "" },
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
	wait_tick();
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

#ifdef AMBIT_SANITIZED
#define RARELY 4 /* for its time */
#else
#define RARELY 1
#endif

/* Each row tries one step in five, of the ways that have more steps one in thirteen; AMBIT_SOAK tries all. */
static void every_step(enum conflict_policy policy)
{
	for (size_t i = 0; i < ROWS; i++)
		for (int way = 0; way < WAYS; way++) {
			const char *want = policy == CONFLICT_THEIRS ? rows[i].theirs : rows[i].ours;
			const long stride = getenv("AMBIT_SOAK") != NULL ? 1 : RARELY * (way == PLAIN ? 5 : 13);
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

/* --- several events of one store, each on the tree as the one before left it --- */

#define EVENTS 3

struct event {
	struct stage stage;
	struct stage_meta *meta; /* owned */
	char *before;            /* owned: the tree, before it was committed */
};

struct story {
	const char *name, *before, *programs[EVENTS];
};

static const struct story stories[] = {
	{ "a file", "f a 0; f z 0", { "W a 1; W z 1", "W a 22; W z 22", "W a 333; O z 600" } },
	{ "the same length and time", "f a 0; f z 0", { "W a 1", "W a 2", "W a 3" } },
	{ "new, changed, deleted", "f z 0", { "W a 1; W b 1", "W a 2; W b 2", "X a; X b" } },
	{ "deleted, made, deleted", "f a 0; f b 0; f z 0", { "X a; X b", "W a 1; W b 1", "X a; X b" } },
	{ "moved about", "f a hello; d d; f z 0", { "M a b", "M b d/c", "M d/c a" } },
	{ "modes", "f a 0; d d; f z 0", { "O a 600; O d 700", "O a 640; O d 711", "O a 400; O d 755" } },
	{ "links", "f a 0; l l a; f z 0", { "L l b", "X l", "L l c" } },
	{ "names of one file", "f a 0; n a b; f z 0", { "X b", "N a c", "X a; X c" } },
	{ "a new directory",
	  "f z 0",
	  { "D k; D k/sub; W k/sub/f 1; W k/g 1; D k/sub/e; W a 1", "W k/sub/f 2; W k/sub/n new; X k/sub/e; W a 2",
	    "X a; X k/sub/f; O k/sub 711; D k/sub/x; W k/sub/x/y 1" } },
	{ "in a directory",
	  "d d; d d/s; f d/s/x 1; f d/y 1; f z 0",
	  { "W d/s/x 2", "X d/y; W d/s/n 1", "O d 711; W d/q 1" } },
	{ "types", "f t 1; f z 0", { "X t; D t; W t/i 1", "X t; W t 2", "X t; L t z" } },
	{ "a directory that goes", "d d; d d/s; f d/s/x 1; f z 0", { "W d/s/x 2", "X d", "W d 1" } },
};

#define STORIES (sizeof stories / sizeof stories[0])

static uint64_t unix_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The event is over; what it changed is kept. The world may begin another one. */
static struct event event_run(struct world *w, const char *program, unsigned number)
{
	struct event event;
	char name[32];

	w->meta = NULL;
	world_stage(w);
	scene(w, program);
	(void)snprintf(w->meta->event, sizeof w->meta->event, "e_%u", number);
	(void)snprintf(name, sizeof name, "%s", w->meta->event);
	wait_tick();
	w->meta->ended_ns = unix_ns();
	event = (struct event){ .stage = w->stage, .meta = w->meta, .before = look(w, "real") };
	w->meta = NULL;
	if (renameat(w->other_fd, "stage", w->other_fd, name) < 0)
		fail_msg("%s: %s", name, strerror(errno));
	wait_tick();
	return event;
}

static void event_finish(struct event *event)
{
	fd_close(&event->stage.dir_fd);
	fd_close(&event->stage.part_fd[0]);
	free(event->meta);
	free(event->before);
}

/* With `parts` in two commits, where that goes: what it did to one name, and then the rest. */
static int event_commit_as(const struct event *event, bool parts, struct err *e)
{
	static const struct selection_item a = { 0, "a" };
	static const struct selection only_a = { .take = &a, .n_take = 1 };
	static const struct commit_options all, part = { .selection = &only_a };
	struct commit_result result;

	*e = (struct err){ .code = AMBIT_OK };
	if (parts && stage_commit(&event->stage, event->meta, &part, &result, e) == 0 &&
	    result.state == STAGE_COMMITTED)
		return 0;
	*e = (struct err){ .code = AMBIT_OK };
	return stage_commit(&event->stage, event->meta, &all, &result, e);
}

static int event_commit(const struct event *event, struct err *e)
{
	return event_commit_as(event, false, e);
}

static int event_undo(const struct event *event, enum conflict_policy policy, struct err *e)
{
	struct undo_result result;
	uint64_t told = 0;
	const struct undo_options o = { .conflicts = policy, .told = count, .user = &told };

	*e = (struct err){ .code = AMBIT_OK };
	return stage_undo(&event->stage, event->meta, &o, &result, e);
}

static void must(int r, const char *what, const char *name, size_t i, const struct err *e)
{
	if (r != 0)
		fail_msg("%s: %s %zu: %d: %s: %s", name, what, i, r, e->msg, e->why);
}

static void must_be(struct world *w, const char *want, const char *name, const char *what)
{
	auto_free char *now = look(w, "real");
	char label[128];

	(void)snprintf(label, sizeof label, "%s, %s", name, what);
	assert_pictures(now, want, label);
}

static void begin_story_as(struct world *w, const struct story *s, enum world_place place, bool parts,
			   struct event events[EVENTS])
{
	struct err e;

	trap.steps = 0;
	if (w->root_fd < 0)
		assert_true(world_open(w, place));
	scene(w, s->before);
	for (unsigned i = 0; i < EVENTS; i++) {
		events[i] = event_run(w, s->programs[i], i);
		must(event_commit_as(&events[i], parts, &e), "commit", s->name, i, &e);
	}
}

static void begin_story(struct world *w, const struct story *s, enum world_place place, struct event events[EVENTS])
{
	begin_story_as(w, s, place, false, events);
}

static void end_story(struct world *w, struct event events[EVENTS])
{
	for (size_t i = 0; i < EVENTS; i++)
		event_finish(&events[i]);
	w->meta = NULL;
	world_close(w);
}

/* Undone from the last to the first, brought back from the first to the last, and undone once more. */
static void tell_story(const struct story *s, enum world_place place, bool parts)
{
	struct event events[EVENTS];
	auto_free char *after = NULL;
	struct world w = { .root_fd = -1 };
	struct err e;

	begin_story_as(&w, s, place, parts, events);
	after = look(&w, "real");
	for (int round = 0; round < 2; round++) {
		for (size_t i = EVENTS; i-- > 0;) {
			wait_tick();
			must(event_undo(&events[i], CONFLICT_FAIL, &e), "undo", s->name, i, &e);
			must_be(&w, events[i].before, s->name, "undone");
		}
		for (size_t i = 0; i < EVENTS && round == 0; i++) {
			wait_tick();
			must_be(&w, events[i].before, s->name, "brought back");
			must(event_commit_as(&events[i], parts, &e), "commit again", s->name, i, &e);
		}
		if (round == 0)
			must_be(&w, after, s->name, "all of it brought back");
	}
	end_story(&w, events);
}

static void test_one_after_the_other(void **state)
{
	struct world w;

	(void)state;
	for (size_t i = 0; i < STORIES; i++)
		tell_story(&stories[i], WORLD_FAST, false);
	for (size_t i = 0; i < STORIES; i++)
		tell_story(&stories[i], WORLD_FAST, true);
	if (!world_open(&w, WORLD_TWO)) {
		print_message("# no second file system: not tried\n");
		return;
	}
	world_close(&w);
	/* There, a directory that comes back is a copy, with all that is in it. */
	for (size_t i = 0; i < STORIES; i++)
		if (strstr(stories[i].name, "goes") == NULL && strstr(stories[i].name, "new dir") == NULL &&
		    strstr(stories[i].name, "names of") == NULL && strstr(stories[i].name, "types") == NULL)
			tell_story(&stories[i], WORLD_TWO, i % 2 == 0);
}

/* What is undone in between goes back and forth, and is always the same. */
static void test_back_and_forth(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		const struct story *s = &stories[i];
		struct event events[EVENTS];
		struct world w = { .root_fd = -1 };
		struct err e;

		begin_story(&w, s, WORLD_FAST, events);
		for (size_t n = 0; n < 3; n++) {
			wait_tick();
			must(event_undo(&events[2], CONFLICT_FAIL, &e), "undo", s->name, n, &e);
			wait_tick();
			must(event_commit(&events[2], &e), "commit again", s->name, n, &e);
		}
		for (size_t n = EVENTS; n-- > 0;) {
			wait_tick();
			must(event_undo(&events[n], CONFLICT_FAIL, &e), "undo at last", s->name, n, &e);
			must_be(&w, events[n].before, s->name, "undone at last");
		}
		end_story(&w, events);
	}
}

/* --- what somebody else did is found, at any moment and whatever is set back --- */

struct meddling {
	const char *name;
	size_t story, undone; /* how many of its events are undone before */
	const char *path;
	void (*does)(int fd, const struct stat *was);
	bool early; /* by who opened it before the last commit took it away, when that has done so */
};

static void set_back(int fd, const struct stat *was)
{
	const struct timespec times[2] = { was->st_atim, was->st_mtim };

	assert_int_equal(futimens(fd, times), 0);
}

static void writes(int fd, const struct stat *was)
{
	char byte;

	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	byte = (char)(byte ^ 1);
	assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
	set_back(fd, was);
}

static void changes_mode(int fd, const struct stat *was)
{
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(fchmod(fd, was->st_mode & 07777), 0);
}

static void adds_attribute(int fd, const struct stat *was)
{
	assert_int_equal(fsetxattr(fd, "user.theirs", "x", 1, 0), 0);
	set_back(fd, was);
}

static void makes_name(int fd, const struct stat *was)
{
	assert_int_equal(mkdirat(fd, "theirs", 0755), 0);
	set_back(fd, was);
}

static const struct meddling meddlings[] = {
	{ "written", 0, 1, "a", writes, false },
	{ "written, between the last two", 0, 2, "a", writes, false },
	{ "mode", 0, 1, "a", changes_mode, false },
	{ "attribute", 0, 1, "a", adds_attribute, false },
	{ "touched", 0, 1, "a", set_back, false },
	{ "deep in a new directory", 8, 1, "k/sub/f", writes, false },
	{ "beside it", 8, 2, "k/g", writes, false },
	{ "of a directory, attribute", 8, 2, "k/sub", adds_attribute, false },
	{ "of a directory, name", 8, 2, "k/sub", makes_name, false },
	{ "of a directory, mode", 8, 2, "k/sub", changes_mode, false },
	{ "while it lay in a stage", 0, 1, "a", writes, true },
	{ "while it lay in a stage, in a directory", 8, 1, "k/sub/f", writes, true },
	{ "by one of its names", 7, 1, "a", writes, false },
	{ "by another of its names", 7, 1, "c", writes, false },
	{ "mode, by one of its names", 7, 1, "c", changes_mode, false },
};

static void meddle(const struct meddling *m, enum world_place place)
{
	const struct story *s = &stories[m->story];
	struct event events[EVENTS];
	auto_free char *then = NULL;
	auto_fd int fd = -1;
	char path[64];
	struct world w;
	struct stat was;
	struct err e;

	trap.steps = 0;
	assert_true(world_open(&w, place));
	(void)snprintf(path, sizeof path, "real/%s", m->path);
	scene(&w, s->before);
	for (unsigned i = 0; i < EVENTS; i++) {
		events[i] = event_run(&w, s->programs[i], i);
		if (m->early && i + 1 == EVENTS)
			fd = openat(w.root_fd, path, O_RDWR | O_CLOEXEC);
		must(event_commit(&events[i], &e), "commit", m->name, i, &e);
	}
	wait_tick();
	if (m->early) {
		assert_int_equal(fstat(fd, &was), 0);
		m->does(fd, &was);
		wait_tick();
	}
	for (size_t i = 0; i < m->undone; i++) {
		must(event_undo(&events[EVENTS - 1 - i], CONFLICT_FAIL, &e), "undo", m->name, i, &e);
		wait_tick();
	}
	if (!m->early) {
		fd = openat(w.root_fd, path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = openat(w.root_fd, path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(fstat(fd, &was), 0);
		m->does(fd, &was);
	}
	then = look(&w, "real");
	if (event_undo(&events[EVENTS - 1 - m->undone], CONFLICT_FAIL, &e) != -AMBIT_CONFLICT)
		fail_msg("%s: it was not found", m->name);
	must_be(&w, then, m->name, "refused");
	end_story(&w, events);
}

static void test_somebody_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof meddlings / sizeof meddlings[0]; i++)
		meddle(&meddlings[i], WORLD_FAST);
}

/* While the last one is undone, in a directory where it has moved something and not yet set the time: at its third move, which is of
 * another directory. (Between the look at a directory and the move in it, a few microseconds, nobody could tell.) */
static void test_somebody_else_meanwhile(void **state)
{
	const struct story *s = &stories[8];

	(void)state;
	for (int meddles = 0; meddles < 2; meddles++) {
		struct event events[EVENTS];
		struct world w = { .root_fd = -1 };
		struct err e;

		begin_story(&w, s, WORLD_FAST, events);
		wait_tick();
		meddler.fd = openat(w.root_fd, "real/k/sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		meddler.does = adds_attribute;
		meddler.renames = meddles * 3;
		must(event_undo(&events[2], CONFLICT_FAIL, &e), "undo", s->name, 2, &e);
		assert_int_equal(meddler.renames, 0);
		fd_close(&meddler.fd);
		wait_tick();
		must(event_undo(&events[1], CONFLICT_FAIL, &e), "undo", s->name, 1, &e);
		if (event_undo(&events[0], CONFLICT_FAIL, &e) != (meddles != 0 ? -AMBIT_CONFLICT : 0))
			fail_msg("it was %sfound", meddles != 0 ? "not " : "");
		end_story(&w, events);
	}
}

/* --- a kept stage, around which others were committed and undone --- */

struct around {
	const char *name, *before, *kept, *committed, *since;
	enum {
		BEFORE,
		AFTER,
		LIVING,
		OVERLAPPING,
		WRITTEN
	} kept_began; /* the kept one, than the commit of the other */
	int result;
};

static const struct around arounds[] = {
	{ "a file", "f w 1", "W w 22", "W w 333", "", BEFORE, 0 },
	{ "two lines of it", "f w 1", "X w", "X w", "", BEFORE, 0 },
	{ "a directory that it removes", "d d; d d/s; f d/s/x 1", "X d", "W d/s/x 2; W d/n 1", "", BEFORE, 0 },
	{ "the mode of a directory", "d d; f d/x 1", "O d 700", "W d/n 1; X d/x", "", BEFORE, 0 },
	{ "a directory that it replaces", "d d; f d/x 1", "X d; W d 1", "O d 711; W d/x 2", "", BEFORE, 0 },
	{ "what it saw is not there", "f w 1", "W w 22", "W w 333", "", AFTER, -AMBIT_CONFLICT },
	{ "nobody knows when it ended", "f w 1", "W w 22", "W w 333", "", LIVING, -AMBIT_CONFLICT },
	{ "it still ran", "f w 1", "W w 22", "W w 333", "", OVERLAPPING, -AMBIT_CONFLICT },
	{ "written before the other began", "f w 1", "W w 22", "W w 333", "", WRITTEN, -AMBIT_CONFLICT },
	{ "written since", "f w 1", "W w 22", "W w 333", "f w 4", BEFORE, -AMBIT_CONFLICT },
	{ "in a directory, since", "d d; d d/s; f d/s/x 1", "X d", "W d/s/x 2", "f d/s/y 4", BEFORE, -AMBIT_CONFLICT },
	{ "mode of a directory, since", "d d; f d/x 1", "O d 700", "W d/n 1; X d/x", "o d 711", BEFORE,
	  -AMBIT_CONFLICT },
};

static void test_kept_around(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof arounds / sizeof arounds[0]; i++) {
		const struct around *a = &arounds[i];
		struct event kept = { .meta = NULL }, other;
		struct world w;
		struct err e;
		int r;

		trap.steps = 0;
		assert_true(world_open(&w, WORLD_FAST));
		scene(&w, a->before);
		wait_tick();
		if (a->kept_began != AFTER)
			kept = event_run(&w, a->kept, 0);
		if (a->kept_began == WRITTEN)
			scene(&w, "f w 4");
		other = event_run(&w, a->committed, 1);
		must(event_commit(&other, &e), "commit", a->name, 1, &e);
		if (a->kept_began == AFTER)
			kept = event_run(&w, a->kept, 0);
		if (a->kept_began == LIVING && kept.meta != NULL)
			kept.meta->ended_ns = 0;
		if (a->kept_began == OVERLAPPING && kept.meta != NULL)
			kept.meta->ended_ns = unix_ns();
		wait_tick();
		must(event_undo(&other, CONFLICT_FAIL, &e), "undo", a->name, 1, &e);
		wait_tick();
		scene(&w, a->since);
		r = event_commit(&kept, &e);
		if (r != a->result)
			fail_msg("%s: %d: %s: %s", a->name, r, e.msg, e.why);
		event_finish(&kept);
		event_finish(&other);
		world_close(&w);
	}
}

/* --- what somebody else did is still that when Ambit has moved it away and back --- */

static int event_commit_by(const struct event *event, const struct commit_options *o, struct err *e)
{
	struct commit_result result;

	*e = (struct err){ .code = AMBIT_OK };
	return stage_commit(&event->stage, event->meta, o, &result, e);
}

static void open_meddled(struct world *w, const char *path, long renames, void (*does)(int fd, const struct stat *was))
{
	meddler.fd = openat(w->root_fd, path, O_RDWR | O_CLOEXEC);
	if (meddler.fd < 0)
		meddler.fd = openat(w->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(meddler.fd >= 0);
	meddler.does = does;
	meddler.renames = renames;
}

static void close_meddled(void)
{
	assert_int_equal(meddler.renames, 0);
	fd_close(&meddler.fd);
}

/* A conflict that was overruled once, and the commit taken back. */
static void test_overruled_is_not_forgotten(void **state)
{
	static const struct {
		const char *before, *program, *since;
	} cases[] = {
		{ "f w 1", "W w 2", "f w 4" },
		{ "f w 1", "X w", "f w 4" },
		{ "f z 1", "W w 2", "f w 4" },
		{ "d d; f d/x 1", "X d", "f d/y 4" },
		{ "d d; f d/x 1", "O d 700", "o d 711" },
	};
	static const struct commit_options ours = { .conflicts = CONFLICT_OURS };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		auto_free char *then = NULL;
		struct event event;
		struct world w;
		struct err e;

		assert_true(world_open(&w, WORLD_FAST));
		scene(&w, cases[i].before);
		wait_tick();
		event = event_run(&w, cases[i].program, 0);
		scene(&w, cases[i].since);
		then = look(&w, "real");
		wait_tick();
		assert_int_equal(event_commit(&event, &e), -AMBIT_CONFLICT);
		must(event_commit_by(&event, &ours, &e), "commit", "ours", i, &e);
		wait_tick();
		must(event_undo(&event, CONFLICT_FAIL, &e), "undo", "ours", i, &e);
		must_be(&w, then, "ours", "undone");
		if (event_commit(&event, &e) != -AMBIT_CONFLICT)
			fail_msg("case %zu: it was forgotten that it has changed", i);
		must_be(&w, then, "ours", "refused");
		must(event_commit_by(&event, &ours, &e), "once more", "ours", i, &e);
		event_finish(&event);
		world_close(&w);
	}
}

/* While a commit moves other names: it is turned back, and the next finds what was written. */
static void test_written_while_committed(void **state)
{
	auto_free char *then = NULL;
	struct event event;
	struct world w;
	struct err e;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "f a 1; f b 1; f c 1");
	wait_tick();
	event = event_run(&w, "W a 2; W b 2; W c 2", 0);
	open_meddled(&w, "real/c", 1, writes);
	assert_int_equal(event_commit(&event, &e), -AMBIT_CONFLICT);
	close_meddled();
	then = look(&w, "real");
	wait_tick();
	if (event_commit(&event, &e) != -AMBIT_CONFLICT)
		fail_msg("it was forgotten that it has changed");
	must_be(&w, then, "written", "refused");
	event_finish(&event);
	world_close(&w);
}

/* By who had it open before it was committed away: it comes back so, and is not what the event saw. */
static void test_written_in_the_stage(void **state)
{
	auto_free char *then = NULL;
	auto_fd int fd = -1;
	struct event event;
	struct world w;
	struct stat was;
	struct err e;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "f a 1");
	wait_tick();
	event = event_run(&w, "W a 2", 0);
	fd = openat(w.root_fd, "real/a", O_RDWR | O_CLOEXEC);
	must(event_commit(&event, &e), "commit", "a", 0, &e);
	wait_tick();
	assert_int_equal(fstat(fd, &was), 0);
	writes(fd, &was);
	must(event_undo(&event, CONFLICT_FAIL, &e), "undo", "a", 0, &e);
	then = look(&w, "real");
	wait_tick();
	if (event_commit(&event, &e) != -AMBIT_CONFLICT)
		fail_msg("what was written is overwritten");
	must_be(&w, then, "written in the stage", "refused");
	event_finish(&event);
	world_close(&w);
}

/* In a directory: what has its name by now. */
static void writes_there(int fd, const struct stat *was)
{
	auto_fd int file = openat(fd, "a", O_RDWR | O_CLOEXEC);
	struct stat now;

	(void)was;
	assert_true(file >= 0);
	assert_int_equal(fstat(file, &now), 0);
	writes(file, &now);
}

/* After the last name was moved, and before it is written down what was left there: of an event that goes on. */
static void test_written_before_it_is_described(void **state)
{
	static const struct commit_options living = { .copy = true };
	auto_free char *then = NULL;
	struct commit_result result;
	struct world w;
	struct err e = { .code = AMBIT_OK };

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "f a 1");
	wait_tick();
	world_stage(&w);
	scene(&w, "W a 2");
	open_meddled(&w, "real", 2, writes_there);
	must(stage_commit(&w.stage, w.meta, &living, &result, &e), "commit", "a", 0, &e);
	close_meddled();
	then = look(&w, "real");
	wait_tick();
	scene(&w, "W a 44");
	if (stage_commit(&w.stage, w.meta, &living, &result, &e) != -AMBIT_CONFLICT)
		fail_msg("what was written is overwritten");
	must_be(&w, then, "written before it is described", "refused");
	world_close(&w);
}

/* A commit dies, and somebody writes what it has put there before it is finished. */
static void test_written_before_it_is_recovered(void **state)
{
	static const char *const moments[] = { "rename", "create" };
	unsigned written = 0;

	(void)state;
	for (long n = 1; n <= 4; n++)
		for (size_t i = 0; i < 2; i++) {
			auto_free char *then = NULL;
			struct recover_result recovered;
			struct event event;
			struct world w;
			struct err e;
			int status = 0;
			pid_t child;

			assert_true(world_open(&w, WORLD_FAST));
			scene(&w, "f a 1; f b 1");
			wait_tick();
			event = event_run(&w, "W a 22; W b 22", 0);
			child = fork();
			assert_true(child >= 0);
			if (child == 0) {
				trap.steps = n;
				trap.error = 0;
				trap.only = moments[i];
				_exit(-event_commit(&event, &e));
			}
			assert_int_equal(waitpid(child, &status, 0), child);
			then = look(&w, "real");
			if (WIFEXITED(status) && WEXITSTATUS(status) == DIED && strcmp(then, event.before) != 0) {
				scene(&w, "f a 5");
				wait_tick();
				must(stage_recover(&event.stage, event.meta, NULL, NULL, &recovered, &e), "recover",
				     "a", 0, &e);
				if (recovered.what == RECOVERED_FORWARD &&
				    event_undo(&event, CONFLICT_FAIL, &e) != -AMBIT_CONFLICT)
					fail_msg("%s %ld: what was written is taken back", moments[i], n);
				written += recovered.what == RECOVERED_FORWARD;
			}
			event_finish(&event);
			world_close(&w);
		}
	assert_true(written > 0);
}

static unsigned rows_of_kind(struct world *w, enum moved_kind kind)
{
	auto_fd int fd = openat(w->other_fd, MOVED_NAME, O_RDONLY | O_CLOEXEC);
	uint8_t row[MOVED_ROW_BYTES];
	unsigned n = 0;

	while (fd >= 0 && read(fd, row, sizeof row) == (ssize_t)sizeof row)
		n += row[0] == kind;
	return n;
}

static void fails(int fd, const struct stat *was)
{
	(void)fd;
	(void)was;
	trap.steps = 1;
	trap.error = EIO;
}

/* What did not go through says nothing of directories. */
static void test_failed_ones_record_no_directory(void **state)
{
	(void)state;
	for (int undoes = 0; undoes < 2; undoes++) {
		struct event event;
		struct world w;
		struct err e;

		assert_true(world_open(&w, WORLD_FAST));
		scene(&w, "d d; f d/x 1; d e; f e/x 1");
		wait_tick();
		event = event_run(&w, "W d/x 2; W e/x 2", 0);
		if (undoes != 0) {
			must(event_commit(&event, &e), "commit", "d", 0, &e);
			assert_true(rows_of_kind(&w, MOVED_DIR) >= 2);
		}
		open_meddled(&w, "real", 2, fails);
		assert_int_equal(undoes != 0 ? event_undo(&event, CONFLICT_FAIL, &e) : event_commit(&event, &e),
				 -AMBIT_SYSTEM);
		close_meddled();
		assert_int_equal(rows_of_kind(&w, undoes != 0 ? MOVED_BACK : MOVED_DIR), 0);
		assert_true(rows_of_kind(&w, MOVED_OUT) > 0);
		event_finish(&event);
		world_close(&w);
	}
}

/* Two commits of one event, of which only the second was recorded: no directory is again what it was between the two. */
static void test_a_part_that_was_not_recorded(void **state)
{
	static const struct selection_item first[] = { { 0, "d/m" }, { 0, "e/m" } };
	static const struct selection only_first = { .take = first, .n_take = 2 };
	static const struct commit_options part = { .selection = &only_first };

	(void)state;
	for (int meddles = 0; meddles < 2; meddles++) {
		struct event event, kept;
		struct world w;
		struct err e;

		assert_true(world_open(&w, WORLD_FAST));
		scene(&w, "d d; d e; f d/x 1");
		wait_tick();
		event = event_run(&w, "W d/m 1; W e/m 1; W d/n 1", 0);
		if (meddles != 0)
			open_meddled(&w, "real/d", 2, adds_attribute);
		must(event_commit_by(&event, &part, &e), "commit", "d/m", 0, &e);
		if (meddles != 0)
			close_meddled();
		wait_tick();
		kept = event_run(&w, "O d 700", 1);
		must(event_commit(&event, &e), "commit", "d/n", 0, &e);
		wait_tick();
		must(event_undo(&event, CONFLICT_FAIL, &e), "undo", "d", 0, &e);
		wait_tick();
		if (event_commit(&kept, &e) != -AMBIT_CONFLICT)
			fail_msg("meddled %d: the directory has no d/m any more", meddles);
		event_finish(&event);
		event_finish(&kept);
		world_close(&w);
	}
}

/* --- it fails, or the process dies, at every step of the undo of the last: at worst the next is refused, and nothing is lost --- */

static int undo_last(const struct event *event, bool dies, long n, bool *ret_hit)
{
	struct recover_result recovered;
	struct err e;
	int status = 0, r = 0;
	pid_t child;

	trap.steps = n;
	trap.error = dies ? 0 : n % 2 == 0 ? EIO : ENOSPC;
	if (!dies) {
		r = event_undo(event, CONFLICT_FAIL, &e);
		*ret_hit = trap.steps == 0;
	} else {
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(-event_undo(event, CONFLICT_FAIL, &e));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		*ret_hit = WEXITSTATUS(status) == DIED;
		r = -WEXITSTATUS(status);
	}
	trap.steps = 0;
	if (stage_recover(&event->stage, event->meta, NULL, NULL, &recovered, &e) != 0)
		fail_msg("recover, step %ld: %s: %s", n, e.msg, e.why);
	return r;
}

static bool break_once(const struct story *s, bool dies, long n, unsigned *refused)
{
	struct event events[EVENTS];
	struct world w = { .root_fd = -1 };
	struct stat done;
	struct err e;
	bool hit;
	int r;

	begin_story(&w, s, WORLD_FAST, events);
	wait_tick();
	r = undo_last(&events[2], dies, n, &hit);
	if (!hit)
		must(r, "undo", s->name, (size_t)n, &e);
	wait_tick();
	if (fstatat(events[2].stage.dir_fd, "committed.0", &done, 0) == 0)
		must(event_undo(&events[2], CONFLICT_FAIL, &e), "once more", s->name, (size_t)n, &e);
	must_be(&w, events[2].before, s->name, "the last");
	wait_tick();
	r = event_undo(&events[1], CONFLICT_FAIL, &e);
	if (!hit)
		must(r, "the next", s->name, (size_t)n, &e);
	if (r != 0) {
		++*refused;
		assert_int_equal(r, -AMBIT_CONFLICT);
		must_be(&w, events[2].before, s->name, "refused");
		must(event_undo(&events[1], CONFLICT_OURS, &e), "all the same", s->name, (size_t)n, &e);
	}
	must_be(&w, events[1].before, s->name, "the next");
	end_story(&w, events);
	return hit;
}

static void test_every_step_of_the_last(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++)
		for (int dies = 0; dies < 2; dies++) {
			const long stride = getenv("AMBIT_SOAK") != NULL ? 1 : 7;
			unsigned refused = 0, tried = 0;

			for (long n = 1 + (long)i % stride; break_once(&stories[i], dies != 0, n, &refused);
			     n += stride)
				tried++;
			assert_true(tried >= 2);
			if (dies == 0 && refused > 2) /* but where the records themselves cannot be written or named */
				fail_msg("%s: %u of %u refused after a failure", stories[i].name, refused, tried);
		}
}

/* --- the file of records --- */

static void put_bytes(struct world *w, const char *name, size_t n, bool behind)
{
	auto_fd int fd = openat(w->other_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | (behind ? O_APPEND : O_TRUNC),
				0600);
	auto_free char *zeroes = calloc(1, n + 1);

	assert_true(fd >= 0 && zeroes != NULL);
	assert_int_equal(write(fd, zeroes, n), (ssize_t)n);
}

static void test_records(void **state)
{
	enum { TORN, TOO_LONG, GONE, GARBLED, DIRECTORY, CASES };

	(void)state;
	for (int which = 0; which < CASES; which++) {
		const struct story *s = &stories[0];
		const bool lost = which == GONE || which == GARBLED || which == DIRECTORY;
		struct event events[EVENTS];
		struct world w = { .root_fd = -1 };
		struct stat st;
		struct err e;
		int r;

		if (which == TOO_LONG) {
			assert_true(world_open(&w, WORLD_FAST));
			put_bytes(&w, MOVED_NAME, (size_t)MOVED_MAX * MOVED_ROW_BYTES, false);
		}
		begin_story(&w, s, WORLD_FAST, events);
		wait_tick();
		if (which == TORN)
			put_bytes(&w, MOVED_NAME, 50, true);
		if (which == TOO_LONG) { /* the first of them made room */
			assert_int_equal(fstatat(w.other_fd, MOVED_NAME, &st, 0), 0);
			assert_in_range(st.st_size, (MOVED_MAX / 2 + 1) * MOVED_ROW_BYTES,
					(MOVED_MAX / 2 + 16) * MOVED_ROW_BYTES);
		}
		must(event_undo(&events[2], CONFLICT_FAIL, &e), "undo", s->name, 2, &e);
		wait_tick();
		if (lost)
			assert_int_equal(unlinkat(w.other_fd, MOVED_NAME, 0), 0);
		if (which == GARBLED)
			put_bytes(&w, MOVED_NAME, 1000, false);
		if (which == DIRECTORY)
			assert_int_equal(mkdirat(w.other_fd, MOVED_NAME, 0700), 0);
		r = event_undo(&events[1], CONFLICT_FAIL, &e);
		if (r != (lost ? -AMBIT_CONFLICT : 0))
			fail_msg("records, case %d: %d: %s", which, r, e.msg);
		if (lost)
			must(event_undo(&events[1], CONFLICT_OURS, &e), "all the same", s->name, 1, &e);
		must_be(&w, events[1].before, s->name, "records");
		end_story(&w, events);
	}
}

/* The disk is full when room is made in it: nothing is left of that, and it is as it was. */
static void test_records_without_room(void **state)
{
	const off_t full = (off_t)MOVED_MAX * MOVED_ROW_BYTES;
	bool hit = true;

	(void)state;
	for (long n = 1; hit; n++) {
		struct world w;
		struct event event;
		struct stat st;
		struct err e;

		trap.steps = 0;
		assert_true(world_open(&w, WORLD_FAST));
		put_bytes(&w, MOVED_NAME, (size_t)full, false);
		scene(&w, "f a 1");
		event = event_run(&w, "W a 2", 0);
		trap = (__typeof__(trap)){ .steps = n, .error = ENOSPC, .only = "write" };
		(void)event_commit(&event, &e);
		hit = trap.steps == 0;
		trap = (__typeof__(trap)){ .steps = 0 };
		assert_false(faccessat(w.other_fd, MOVED_NAME ".new", F_OK, 0) == 0);
		assert_int_equal(fstatat(w.other_fd, MOVED_NAME, &st, 0), 0);
		assert_true(st.st_size == full || st.st_size < full / 2 + 20000);
		event_finish(&event);
		world_close(&w);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_every_step_theirs),
		cmocka_unit_test(test_every_step_ours),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_back_and_forth),
		cmocka_unit_test(test_somebody_else),
		cmocka_unit_test(test_somebody_else_meanwhile),
		cmocka_unit_test(test_kept_around),
		cmocka_unit_test(test_overruled_is_not_forgotten),
		cmocka_unit_test(test_written_while_committed),
		cmocka_unit_test(test_written_in_the_stage),
		cmocka_unit_test(test_written_before_it_is_described),
		cmocka_unit_test(test_written_before_it_is_recovered),
		cmocka_unit_test(test_failed_ones_record_no_directory),
		cmocka_unit_test(test_a_part_that_was_not_recorded),
		cmocka_unit_test(test_every_step_of_the_last),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_records_without_room),
	};

	if (argc > 1) /* one of them alone */
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
