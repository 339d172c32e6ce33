/* Commits and undos, where nothing fails: the real tree afterwards is what the event saw, then what it was before. */
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

#include "base/buf.h"
#include "base/cleanup.h"
#include "prop.h"
#include "stage/commit.h"
#include "stage/recover.h"
#include "stage/undo.h"
#include "stage_world.h"

/* Something that happens right before a call of the engine's: another program, or a crash. */
static struct {
	const char *call;
	long times; /* at the nth call of that name; 0: never */
	const char *scene;
	struct world *w;
} between;

int stage_step(const char *call)
{
	const char *scene_then = between.scene;

	if (between.times == 0 || strcmp(call, between.call) != 0 || --between.times > 0)
		return 0;
	if (scene_then == NULL)
		_exit(77);
	scene(between.w, scene_then);
	return 0;
}

static const struct commit_options plain = { .conflicts = CONFLICT_FAIL };
static const struct commit_options copying = { .copy = true };

static struct commit_result must_commit(struct world *w, const struct commit_options *o, const char *what)
{
	static bool is_found; /* every other one that can have its plan handed over has */
	__attribute__((cleanup(trees_finish))) struct trees t = { .n = 0 };
	__attribute__((cleanup(plan_finish))) struct plan plan = { .entries = NULL };
	struct commit_options with_plan = *o;
	struct commit_result result;
	struct err e = { .code = AMBIT_OK };

	is_found = !is_found && !o->copy;
	if (is_found) {
		with_plan.plan = &plan;
		assert_int_equal(trees_open(&w->stage, w->meta, &t, &e), 0);
		if (walk_plan(&w->stage, w->meta, &t, o->calls, &plan, &e) != 0)
			fail_msg("%s: walk: %s: %s", what, e.msg, e.why);
	}
	if (stage_commit(&w->stage, w->meta, &with_plan, &result, &e) != 0)
		fail_msg("%s: commit: %s: %s", what, e.msg, e.why);
	assert_false(is_there(w, "stage/journal"));
	assert_false(is_there(w, "real/.ambit-e_test.0"));
	return result;
}

static void must_undo(struct world *w, const char *what)
{
	struct undo_result result;
	struct err e = { .code = AMBIT_OK };

	if (stage_undo(&w->stage, w->meta, NULL, &result, &e) != 0)
		fail_msg("%s: undo: %s: %s", what, e.msg, e.why);
	assert_false(is_there(w, "stage/journal"));
	assert_false(is_there(w, "stage/committed.0"));
	assert_false(is_there(w, "stage/0/undo.0"));
	assert_false(is_there(w, "real/.ambit-e_test.0"));
}

static void check(struct world *w, const char *want, const char *what)
{
	auto_free char *now = picture(w, "real");

	assert_pictures(now, want, what);
}

/* Directories' times come from upper, where the model has its own. */
static void model_times(struct world *w, const char *like, const char *path)
{
	char upper[600], model[600], inside[600];
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT } };
	const struct dirent *entry;
	struct stat st;
	DIR *d;
	int fd;

	(void)snprintf(upper, sizeof upper, "%s/%s", like, path);
	(void)snprintf(model, sizeof model, "want/%s", path);
	fd = openat(like[0] == 's' ? w->other_fd : w->root_fd, upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	d = fdopendir(fd);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		(void)snprintf(inside, sizeof inside, "%s%s%s", path, path[0] != 0 ? "/" : "", entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			model_times(w, like, inside);
	}
	(void)closedir(d);
	t[1] = st.st_mtim;
	assert_int_equal(utimensat(w->root_fd, model, t, 0), 0);
}

/* The model starts as a copy of the real tree, in which the names of one file are one again. */
static void model_start(struct world *w)
{
	copy_all(w, "real", "want");
}

static void model_same_times(struct world *w)
{
	model_times(w, "stage/0/upper", "");
}

/* --- scenes --- */

struct row {
	const char *name, *before, *program;
};

static const struct row rows[] = {
	{ "nothing", "f a one", "" },
	{ "new", "", "W a x; D d; W d/b y; L d/s /etc; D d/e; D d/e/f" },
	{ "new beside old", "d d; f d/a x; f b y", "W d/n x; D d/e; W d/e/m y" },
	{ "new names of one file", "d d", "W a x; N a d/b; N a c" },
	{ "another name of an old file", "f a x", "N a b" },
	{ "replaced", "f a one; d d; f d/b two; l l a", "W a ONE; W d/b TWO; X l; L l b" },
	{ "one of two names replaced", "f a one; n a b", "W a two" },
	{ "both of two names replaced", "f a one; n a b", "W a two; W b three" },
	{ "both of two names gone", "f a one; n a b", "X a; X b" },
	{ "gone", "f a one; d d; d d/e; f d/e/f x; f d/g y", "X a; X d" },
	{ "mode and attributes", "f a one; d d; d e", "O a 600; O d 711; A a user.k; A d user.k; A e user.m; O . 750" },
	{ "read only", "f a one; o a 444; d d; f d/b x", "O a 400; W d/n x; O d/n 400; O d 755; N d/n d/m" },
	{ "file over directory", "d d; f d/a x", "X d; W d x" },
	{ "directory over file", "f d x", "X d; D d; W d/a x" },
	{ "replaced directory", "d d; f d/a x; f d/b y; f d/c z", "X d; D d; W d/a X; W d/b y; W d/n n" },
	{ "renamed", "d d; f d/a hello", "M d/a b" },
	{ "renamed over another", "d d; f d/a hello; f b x", "M d/a b" },
	{ "swapped", "f a hello; f b x", "M a c; M b a; M c b" },
};

/* One row, by one way of committing. The model is what the program would have done to the real tree. */
static void run_row(const struct row *r, enum world_place place, const struct commit_options *o)
{
	auto_free char *before = NULL, *want = NULL;
	struct world w;

	if (!world_open(&w, place)) {
		print_message("# no second file system: not tried\n");
		return;
	}
	scene(&w, r->before);
	scene(&w, "t . 7");
	before = picture(&w, "real");
	model_start(&w);
	world_stage(&w);
	scene(&w, r->program);
	if (strstr(r->before, "n a b") != NULL)
		scene_model(&w, "x b; n a b", "want"); /* copying parted them */
	scene_model(&w, r->program, "want");
	model_same_times(&w);
	want = picture(&w, "want");
	(void)must_commit(&w, o, r->name);
	check(&w, want, r->name);
	if (is_there(&w, "stage/committed.0"))
		must_undo(&w, r->name);
	check(&w, before, r->name);
	(void)must_commit(&w, o, r->name);
	check(&w, want, r->name);
	world_close(&w);
}

static void test_moving(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		run_row(&rows[i], WORLD_FAST, &plain);
}

static void test_copying(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		run_row(&rows[i], WORLD_FAST, &copying);
}

static void test_far(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strstr(rows[i].before, "n a b") == NULL) /* there, what is put back is a file for each name */
			run_row(&rows[i], WORLD_TWO, &plain);
}

/* --- random trees, random programs --- */

static const char *const names[] = { "a", "b", "c", "d", "e", "a.b" };

static void append(char *room, size_t size, const char *text)
{
	const size_t n = strlen(room);

	assert_true(n + strlen(text) < size);
	memcpy(room + n, text, strlen(text) + 1); /* just measured */
}

static void append_both(char *room, size_t size, const char *text, const char *end)
{
	append(room, size, text);
	append(room, size, end);
}

static void random_path(struct prop *p, char room[32])
{
	const uint32_t depth = 1 + prop_below(p, 3);

	room[0] = 0;
	for (uint32_t i = 0; i < depth; i++) {
		append(room, 32, i > 0 ? "/" : "");
		append(room, 32, names[prop_below(p, sizeof names / sizeof names[0])]);
	}
}

static bool type_in(struct world *w, const char *dir, const char *path, mode_t *ret)
{
	char room[64];
	struct stat st;

	(void)snprintf(room, sizeof room, "%s%s%s", dir, path[0] != 0 ? "/" : "", path);
	if (fstatat(w->root_fd, room, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	*ret = st.st_mode & S_IFMT;
	return true;
}

static bool parent_is_dir(struct world *w, const char *dir, const char *path)
{
	char room[32];
	mode_t type;
	char *slash;

	(void)snprintf(room, sizeof room, "%s", path);
	slash = strrchr(room, '/');
	if (slash == NULL)
		return true;
	*slash = 0;
	return type_in(w, dir, room, &type) && type == S_IFDIR;
}

/* A command that can be done to what the program sees, which is `dir`. False: this roll gave none. */
static bool random_command(struct prop *p, struct world *w, const char *dir, bool program, char room[96])
{
	static const char kinds[] = "WWWWDDLXXNMOAC";
	char a[32], b[32];
	mode_t type = 0, other = 0;
	const char kind = kinds[prop_below(p, sizeof kinds - 1)];
	bool there, there_b;

	random_path(p, a);
	random_path(p, b);
	there = type_in(w, dir, a, &type);
	there_b = type_in(w, dir, b, &other);
	if (!parent_is_dir(w, dir, a) || !parent_is_dir(w, dir, b))
		return false;
	switch (kind) {
	case 'W':
		if (there && type != S_IFREG)
			return false;
		(void)snprintf(room, 96, "%c %s %s%s", program ? 'W' : 'f', a, program ? "p" : "",
			       names[prop_below(p, 5)]);
		return true;
	case 'D':
	case 'L':
		if (there)
			return false;
		(void)snprintf(room, 96, "%c %s %s", program ? kind : kind | 0x20, a, kind == 'L' ? b : "");
		return true;
	case 'X': (void)snprintf(room, 96, "%c %s", program ? 'X' : 'x', a); return there;
	case 'N':
	case 'M':
		(void)snprintf(room, 96, "%c %s %s", program ? kind : 'n', a, b);
		return there && type == S_IFREG && !there_b && (program || kind == 'N');
	case 'O':
		(void)snprintf(room, 96, "%c %s %s", program ? 'O' : 'o', a,
			       type == S_IFDIR ? (prop_below(p, 2) == 0 ? "711" : "1755")
			       : program       ? "640"
					       : "444");
		return there && type != S_IFLNK;
	case 'A':
		(void)snprintf(room, 96, "%c %s user.%s%s", program ? 'A' : 'a', a, program ? "p" : "",
			       names[prop_below(p, 3)]);
		return there && type != S_IFLNK;
	default: (void)snprintf(room, 96, "C %s", a); return there && program && type == S_IFREG;
	}
}

/* The real tree's joined names, in the model too. */
static void model_join(struct world *w, const char *links)
{
	scene_model(w, links, "want");
}

static void random_round(uint64_t round, enum world_place place, const struct commit_options *o)
{
	struct prop p = prop_round(round);
	auto_free char *before = NULL, *want = NULL;
	char links[1024] = "", program[2048] = "", command[96];
	struct world w;

	if (!world_open(&w, place))
		return;
	for (int i = 0; i < 40; i++)
		if (random_command(&p, &w, "real", false, command) && (place != WORLD_TWO || command[0] != 'n')) {
			scene(&w, command);
			if (command[0] == 'n')
				append_both(links, sizeof links, command, ";");
			if (command[0] == 'x')
				links[0] = 0; /* too clever: a removed name may have been one of several */
		}
	before = picture(&w, "real");
	model_start(&w);
	if (strstr(before, " = ") != NULL && links[0] == 0) {
		world_close(&w);
		return;
	}
	for (char *at = links, *end; (end = strchr(at, ';')) != NULL; at = end + 1) {
		char name[32];

		(void)snprintf(command, sizeof command, "%.*s", (int)(end - at), at);
		(void)sscanf(command, "n %*31s %31s", name);
		(void)snprintf(program, sizeof program, "x %s;%s", name, command);
		model_join(&w, program);
	}
	model_times(&w, "real", ""); /* joining changed them */
	program[0] = 0;
	world_stage(&w);
	for (int i = 0; i < 30; i++)
		if (random_command(&p, &w, "want", true, command)) {
			scene(&w, command);
			scene_model(&w, command, "want");
			append_both(program, sizeof program, command, "; ");
		}
	model_same_times(&w);
	want = picture(&w, "want");
	if (getenv("AMBIT_SEED") != NULL)
		print_message("# %s\n%s\n", before, program);
	(void)snprintf(command, sizeof command, "AMBIT_SEED=%" PRIu64, p.seed);
	(void)must_commit(&w, o, command);
	check(&w, want, command);
	if (is_there(&w, "stage/committed.0"))
		must_undo(&w, command);
	check(&w, before, command);
	(void)must_commit(&w, o, command);
	check(&w, want, command);
	world_close(&w);
}

static void test_random(void **state)
{
	const uint64_t rounds = prop_rounds(120);

	(void)state;
	for (uint64_t i = 0; i < rounds; i++)
		random_round(i, WORLD_FAST, &plain);
	for (uint64_t i = 0; i < rounds; i++)
		random_round(i, WORLD_FAST, &copying);
	for (uint64_t i = 0; i < rounds / 10; i++)
		random_round(i, WORLD_TWO, &plain);
}

/* --- parts --- */

struct part {
	const char *name, *before, *program;
	const char *take, *leave; /* NULL: none */
	const char *want;         /* what the real tree then is, as a scene of the whole program's */
	uint64_t done, left;
};

static const struct part parts[] = {
	{ "one file", "f a 1; f b 1", "W a 2; W b 2", "a", NULL, "W a 2", 1, 1 },
	{ "all but one", "f a 1; f b 1", "W a 2; X b", NULL, "b", "W a 2", 1, 1 },
	{ "a pattern", "d d", "W d/x.c 2; W d/y.h 2; W z.c 2", "*.c", NULL, "W z.c 2", 1, 2 },
	{ "a pattern with a directory", "d d", "W d/x.c 2; W d/y.h 2; W z.c 2", "d/*.c", NULL, "W d/x.c 2", 1, 2 },
	{ "a directory with all in it", "d d; f d/g 1", "W d/x 2; X d/g; W z 2", "d", NULL, "W d/x 2; X d/g", 2, 1 },
	{ "a name that looks like a pattern", "", "W [a] 2; W a 2", "[a]", NULL, "W [a] 2; W a 2", 2, 0 },
	{ "what is in a new directory", "", "D d; D d/e; W d/e/x 2; W d/y 2", "d/e/x", NULL, "D d; D d/e; W d/e/x 2", 1,
	  1 },
	{ "not what is in a new directory", "", "D d; W d/x 2; W d/y 2", NULL, "d/y", "D d; W d/x 2", 2, 1 },
	{ "of a replaced directory", "d d; f d/a 1; f d/b 1; f d/c 1", "X d; D d; W d/a 2; W d/n 2", "d/[bn]", NULL,
	  "X d/b; W d/n 2", 2, 2 },
	{ "of a directory that was a file", "f d 1", "X d; D d; W d/x 2; W d/y 2", "d/x", NULL, "X d; D d; W d/x 2", 2,
	  1 },
	{ "a deleted directory", "d d; f d/a 1; f z 1", "X d; X z", "d", NULL, "X d", 1, 1 },
	{ "a renamed file", "d d; f d/a hello; f z 1", "M d/a b; X z", "b", NULL, "M d/a b", 1, 1 },
	{ "a renamed file by its old name", "d d; f d/a hello; f z 1", "M d/a b; X z", "d/a", NULL, "M d/a b", 1, 1 },
};

/* Names, types, modes and contents; the times of directories are those of several commits. */
static void check_scene(struct world *w, const char *program, const char *what)
{
	auto_free char *now = NULL, *want = NULL;

	copy_all(w, "start", "want");
	scene_model(w, program, "want");
	now = picture(w, "real");
	want = picture(w, "want");
	for (char *p = now; (p = strstr(p, " 40755 ")) != NULL; p += 7)
		memset(p + 7, '_', strcspn(p + 7, " \n"));
	for (char *p = want; (p = strstr(p, " 40755 ")) != NULL; p += 7)
		memset(p + 7, '_', strcspn(p + 7, " \n"));
	assert_pictures(now, want, what);
	take(w, "want");
}

static void run_part(const struct part *r)
{
	const struct selection_item take = { -1, r->take }, leave = { 0, r->leave };
	const struct selection some = {
		.take = &take, .n_take = r->take != NULL, .leave = &leave, .n_leave = r->leave != NULL
	};
	const struct commit_options o = { .selection = &some };
	auto_free char *before = NULL;
	struct commit_result result;
	struct world w;

	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, r->before);
	before = picture(&w, "real");
	copy_all(&w, "real", "start");
	world_stage(&w);
	scene(&w, r->program);
	result = must_commit(&w, &o, r->name);
	check_scene(&w, r->want, r->name);
	if (result.left != r->left || result.state != (r->left > 0 ? STAGE_KEPT : STAGE_COMMITTED))
		fail_msg("%s: %d left, state %d", r->name, (int)result.left, (int)result.state);
	if (r->left > 0) { /* the rest, and then both back */
		(void)must_commit(&w, &plain, r->name);
		check_scene(&w, r->program, r->name);
	}
	must_undo(&w, r->name);
	check(&w, before, r->name);
	world_close(&w);
}

static void test_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		run_part(&parts[i]);
}

/* Each word of a person must fit a change, or nothing is committed. */
static void test_words(void **state)
{
	static const struct {
		const char *words[3];
		int64_t unmatched;
	} all[] = {
		{ { "a", "d/*", "d/y" }, -1 }, { { "a", "nosuch", "d" }, 1 }, { { "nosuch", "a", "d" }, 0 },
		{ { "a", "d", "e/*" }, 2 },    { { "a", "d", "same" }, 2 },   { { "", "*", "gone" }, -1 },
		{ { "a", "d/z", "x/*" }, 1 },
	};
	struct world w;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		const char *const *words = all[i].words;
		/* the second stands for two items, of which one never fits */
		const struct selection_item items[] = {
			{ 0, words[0] }, { 0, "never" }, { 0, words[1] }, { -1, words[2] }
		};
		static const uint32_t numbers[] = { 0, 1, 1, 2 };
		const struct selection some = { .take = items, .n_take = 4, .word = numbers };
		const struct commit_options o = { .selection = &some };
		auto_free char *before = NULL;
		struct commit_result result;
		int r;

		assert_true(world_open(&w, WORLD_FAST));
		scene(&w, "f a 1; f same 1; f gone hello; d d");
		world_stage(&w);
		scene(&w, "W a 2; W d/x 2; W d/y 2; M gone moved");
		before = picture(&w, "real");
		r = stage_commit(&w.stage, w.meta, &o, &result, &e);
		if (r != (all[i].unmatched < 0 ? 0 : -AMBIT_NOT_FOUND) || result.unmatched != all[i].unmatched)
			fail_msg("row %zu: %d, %d", i, r, (int)result.unmatched);
		if (r < 0)
			check(&w, before, "a word that fits nothing");
		world_close(&w);
	}
}

static void test_parted_names(void **state)
{
	const struct selection_item one = { -1, "a" };
	const struct selection some = { .take = &one, .n_take = 1 };
	const struct commit_options o = { .selection = &some };
	struct commit_result result;
	struct world w;
	struct err e;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	world_stage(&w);
	scene(&w, "W a x; N a b");
	assert_int_equal(stage_commit(&w.stage, w.meta, &o, &result, &e), -AMBIT_CONFLICT);
	assert_non_null(strstr(e.msg, "another name"));
	assert_false(is_there(&w, "real/a"));
	world_close(&w);
}

/* --- what is held --- */

static void judge(void *user, const struct change *c, struct verdict *ret)
{
	(void)user;
	if (strncmp(c->path, "hooks", 5) == 0)
		ret->held = HELD_PROTECTED;
}

struct held {
	const char *name, *before, *program, *since;
	enum conflict_policy policy;
	uint32_t accept;
	int want;
	const char *result; /* a scene, of the tree as it then is */
	uint64_t done, dropped;
};

#define ALL_KINDS 0xffu

static const struct held helds[] = {
	{ "protected", "", "W hooks x; W a x", "", 0, 0, -AMBIT_CONFLICT, "", 0, 0 },
	{ "protected, accepted", "", "W hooks x; W a x", "", 0, 1u << HELD_PROTECTED, 0, "W hooks x; W a x", 2, 0 },
	{ "refused, accepted", "", "W a x; =o a 4755", "", 0, ALL_KINDS, -AMBIT_CONFLICT, "", 0, 0 },
	{ "conflict", "f a 1", "W a 2; W b 2", "f a 3", 0, ALL_KINDS, -AMBIT_CONFLICT, "W a 3", 0, 0 },
	{ "conflict, ours", "f a 1", "W a 2; W b 2", "f a 3", CONFLICT_OURS, 0, 0, "W a 2; W b 2", 2, 0 },
	{ "conflict, theirs", "f a 1", "W a 2; W b 2", "f a 3", CONFLICT_THEIRS, 0, 0, "W a 3; W b 2", 1, 1 },
	{ "deleted, theirs", "d d; f d/a 1", "X d; W b 2", "f d/n 3", CONFLICT_THEIRS, 0, 0, "W d/n 3; W b 2", 1, 1 },
	{ "deleted, ours", "d d; f d/a 1", "X d; W b 2", "f d/n 3", CONFLICT_OURS, 0, 0, "X d; W b 2", 2, 0 },
	{ "ours is not an acceptance", "f hooks 1", "W hooks 2", "f hooks 3", CONFLICT_OURS, 0, -AMBIT_CONFLICT,
	  "W hooks 3", 0, 0 },
	{ "directory gone, ours", "d d; f d/a 1", "W d/a 2", "x d", CONFLICT_OURS, 0, 0, "X d; D d; W d/a 2", 2, 0 },
	{ "directory gone, theirs", "d d; f d/a 1", "W d/a 2", "x d", CONFLICT_THEIRS, 0, 0, "X d", 0, 2 },
	{ "directory a file now, theirs", "f d 1", "X d; D d; W d/a 2", "f d 3", CONFLICT_THEIRS, 0, 0, "W d 3", 0, 2 },
};

static void count_one(void *user, const struct change *c)
{
	(void)c;
	++*(uint64_t *)user;
}

/* Until the event has ended. */
static void held_begin(struct world *w, const struct held *r)
{
	assert_true(world_open(w, WORLD_FAST));
	scene(w, r->before);
	copy_all(w, "real", "start");
	world_stage(w);
	scene(w, r->program);
	wait_tick();
}

static void check_held(const struct held *r, int got, const struct commit_result *result, uint64_t told,
		       const struct err *e)
{
	if (got != r->want || result->done != r->done || result->dropped != r->dropped || (got != 0) != (told > 0))
		fail_msg("%s: %d (%s), %d done, %d dropped, %d told", r->name, got, e->msg, (int)result->done,
			 (int)result->dropped, (int)told);
}

static void held_end(struct world *w, const struct held *r, const char *then)
{
	check_scene(w, r->result, r->name);
	if (is_there(w, "stage/committed.0"))
		must_undo(w, r->name);
	check(w, then, r->name);
	world_close(w);
}

static void run_held(const struct held *r)
{
	static const struct walk_calls calls = { .judge_name = judge };
	uint64_t told = 0;
	const struct commit_options o = {
		.conflicts = r->policy, .accept = r->accept, .calls = &calls, .told = count_one, .user = &told
	};
	auto_free char *then = NULL;
	struct commit_result result;
	struct world w;
	struct err e = { .code = AMBIT_OK };
	int got;

	held_begin(&w, r);
	scene(&w, r->since);
	then = picture(&w, "real");
	got = stage_commit(&w.stage, w.meta, &o, &result, &e);
	check_held(r, got, &result, told, &e);
	if (got == 0 && result.state != (result.dropped > 0 ? STAGE_KEPT : STAGE_COMMITTED))
		fail_msg("%s: state %d", r->name, (int)result.state);
	held_end(&w, r, then);
}

static void test_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof helds / sizeof helds[0]; i++)
		run_held(&helds[i]);
}

/* --- somebody else, between the look that is handed over and the commit --- */

static const struct held founds[] = {
	{ "nobody", "f a 1; d d; f d/b 1; d e; n a a2", "W a 2; W n 2; X d; O e 700; X a2", "", 0, 0, 0,
	  "W a 2; W n 2; X d; O e 700; X a2", 5, 0 },
	{ "written", "f a 1; f b 1", "W a 2; W b 2", "f b 3", 0, 0, -AMBIT_CONFLICT, "W b 3", 0, 0 },
	{ "gone", "f a 1; f b 1", "W a 2; W b 2", "x b", 0, 0, -AMBIT_CONFLICT, "X b", 0, 0 },
	{ "in the way", "f a 1", "W a 2; W b 2", "f b 3", 0, 0, -AMBIT_CONFLICT, "W b 3", 0, 0 },
	{ "to be deleted, written", "f a 1; f b 1", "W a 2; X b", "f b 3", 0, 0, -AMBIT_CONFLICT, "W b 3", 0, 0 },
	{ "another name, written", "f b 1; n b c", "W a 2; X b", "f c 3", 0, 0, -AMBIT_CONFLICT, "W b 3; X c; N b c", 0,
	  0 },
	{ "in what is deleted, written", "d d; f d/b 1", "W a 2; X d", "f d/b 3", 0, 0, -AMBIT_CONFLICT, "W d/b 3", 0,
	  0 },
	{ "in what is replaced, deep", "d d; d d/e; f d/e/b 1", "X d; W d 2", "f d/e/b 3", 0, 0, -AMBIT_CONFLICT,
	  "W d/e/b 3", 0, 0 },
	{ "mode of a directory", "d d", "W a 2; O d 700", "o d 711", 0, 0, -AMBIT_CONFLICT, "O d 711", 0, 0 },
	{ "directory gone", "d d; f d/b 1", "W a 2; W d/b 2; W d/c 2", "x d", 0, 0, -AMBIT_CONFLICT, "X d", 0, 0 },
	{ "another directory", "f a 1; d d; f d/b 1; d e; f e/c 1", "W a 2; W d/n 2", "m d t; m e d", 0, 0,
	  -AMBIT_CONFLICT, "M d t; M e d", 0, 0 },
	{ "theirs", "f a 1; f b 1", "W a 2; W b 2", "f b 3", CONFLICT_THEIRS, 0, 0, "W a 2; W b 3", 1, 1 },
	{ "elsewhere", "f a 1; f b 1; d d; f d/b 1", "W a 2", "f b 3; f d/b 3", 0, 0, 0, "W a 2; W b 3; W d/b 3", 1,
	  0 },
};

static void run_found(const struct held *r)
{
	__attribute__((cleanup(trees_finish))) struct trees t = { .n = 0 };
	__attribute__((cleanup(plan_finish))) struct plan plan = { .entries = NULL };
	uint64_t told = 0;
	const struct commit_options o = { .conflicts = r->policy, .plan = &plan, .told = count_one, .user = &told };
	auto_free char *then = NULL;
	struct commit_result result;
	struct world w;
	struct err e = { .code = AMBIT_OK };
	int got;

	held_begin(&w, r);
	assert_int_equal(trees_open(&w.stage, w.meta, &t, &e), 0);
	assert_int_equal(walk_plan(&w.stage, w.meta, &t, NULL, &plan, &e), 0);
	scene(&w, r->since);
	then = picture(&w, "real");
	got = stage_commit(&w.stage, w.meta, &o, &result, &e);
	check_held(r, got, &result, told, &e);
	held_end(&w, r, then);
}

static void test_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof founds / sizeof founds[0]; i++)
		run_found(&founds[i]);
}

/* --- somebody else, between the look and the deed --- */

struct meanwhile {
	const char *name, *before, *program, *scene;
};

static const struct meanwhile meanwhiles[] = {
	{ "written", "f a 1; f b 1", "W a 2; W b 2; W c 2; D d", "f b 33" },
	{ "replaced", "f a 1; f b 1", "W a 2; W b 2; W c 2", "x b; f b 1" },
	{ "gone", "f a 1; f b 1", "W a 2; W b 2; W c 2", "x b" },
	{ "in the way", "f a 1", "W a 2; W b 2", "f b 3" },
	{ "written, to be deleted", "f a 1; f b 1", "W a 2; X b", "f b 33" },
	{ "gone, to be deleted", "f a 1; f b 1", "W a 2; X b", "x b" },
	{ "new file in what is deleted", "f a 1; d d", "W a 2; X d", "f d/x 1" },
	{ "directory gone", "f a 1; d d; f d/b 1", "W a 2; W d/b 2", "x d" },
	{ "a link in place of a directory", "f a 1; d d; f d/b 1; d e; f e/b 1", "W a 2; W d/b 2; W d/n 2",
	  "x d; l d e" },
	{ "a link that leads out", "f a 1; d d; f d/b 1", "W a 2; W d/b 2; W d/n 2", "x d; l d ../outside" },
	{ "a link that leads out, for a new file", "f a 1; d d", "W a 2; W d/n 2", "x d; l d ../outside" },
	{ "a link that leads out, to delete by", "f a 1; d d; f d/b 1", "W a 2; X d/b", "x d; l d ../outside" },
};

/* The picture that somebody else's change alone would give, but for the times of directories. */
static void run_meanwhile(const struct meanwhile *r, enum world_place place, const struct commit_options *o,
			  const char *call, long times)
{
	auto_free char *outside = NULL, *then = NULL;
	struct commit_result result;
	struct world w;
	struct err e = { .code = AMBIT_OK };
	int got;

	if (!world_open(&w, place)) {
		assert_int_equal(place,
				 WORLD_BACK); /* /dev/shm keeps no attributes of users, or is no other file system */
		return;
	}
	put_dir(&w, "outside", 0755);
	put_file(&w, "outside/b", "1", 0644, 1000000000);
	outside = picture(&w, "outside");
	scene(&w, r->before);
	copy_all(&w, "real", "start");
	world_stage(&w);
	scene(&w, r->program);
	between.call = call;
	between.times = times;
	between.scene = r->scene;
	between.w = &w;
	wait_tick();
	got = stage_commit(&w.stage, w.meta, o, &result, &e);
	if (got != -AMBIT_CONFLICT || between.times != 0)
		fail_msg("%s: %d: %s", r->name, got, e.msg);
	copy_all(&w, "start", "want");
	scene_model(&w, r->scene, "start");
	take(&w, "want");
	check_scene(&w, "", r->name);
	then = picture(&w, "outside");
	assert_pictures(then, outside, r->name);
	assert_false(is_there(&w, "stage/journal"));
	assert_true(is_there(&w, "stage/0/upper/a"));
	world_close(&w);
}

/* Also on a disk, where the number of a file that is gone mostly is that of the next one. */
static void test_meanwhile(void **state)
{
	static const enum world_place places[] = { WORLD_FAST, WORLD_DISK, WORLD_BACK };

	(void)state;
	for (size_t i = 0; i < 3 * (sizeof meanwhiles / sizeof meanwhiles[0]); i++) {
		const struct meanwhile *r = &meanwhiles[i / 3];

		run_meanwhile(r, places[i % 3], &plain, "rename", 1); /* before the second is looked at */
		run_meanwhile(r, places[i % 3], &plain, "rename", 2); /* and right after */
		run_meanwhile(r, places[i % 3], &copying, "rename", 1);
		run_meanwhile(r, places[i % 3], &copying, "rename", 2);
	}
}

/* While the new content is brought to disk, which may take long. */
static void test_while_syncing(void **state)
{
	static const struct meanwhile syncs[] = {
		{ "for a new file", "d d; f d/b 1; d e; f e/b 1", "W a 2; W d/n 2", "m d t; m e d" },
		{ "beneath another", "d p; d p/d; d q; d q/d", "W a 2; W p/d/n 2", "m p t; m q p" },
		{ "in its place", "d d; d d/e", "W a 2; W d/e/n 2", "d n; x d/e; m n d/e" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof syncs / sizeof syncs[0]; i++) {
		run_meanwhile(&syncs[i], WORLD_FAST, &plain, "syncfs", 1);
		run_meanwhile(&syncs[i], WORLD_DISK, &copying, "syncfs", 1);
	}
}

/* --- somebody else, after the commit --- */

static const struct meanwhile afterwards[] = {
	{ "written", "f a 1; f b 1", "W a 2; W b 2", "f b 3" },
	{ "mode", "f a 1", "W a 2", "o a 600" },
	{ "gone", "f a 1", "W a 2", "x a" },
	{ "new one gone", "", "W a 2", "x a" },
	{ "deleted one there again", "f a 1", "X a", "f a 3" },
	{ "in a new directory", "", "D d; D d/e", "f d/e/x 1" },
	{ "in a new directory, written", "", "D d; W d/x 2", "f d/x 3" },
	{ "directory gone", "d d; f d/a 1", "W d/a 2", "x d" },
	{ "directory is a link", "d d; f d/a 1", "W d/a 2", "x d; l d ../outside" },
	{ "mode of a directory", "d d", "O d 711", "o d 700" },
};

static void count_path(void *user, uint16_t tree, const char *path)
{
	(void)tree;
	(void)path;
	++*(uint64_t *)user;
}

static void count_conflict(void *user, const struct undo_conflict *c)
{
	count_path(user, c->tree, c->path);
}

static void test_afterwards(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof afterwards / sizeof afterwards[0]; i++) {
		const struct meanwhile *r = &afterwards[i];
		uint64_t told = 0;
		const struct undo_options o = { .told = count_conflict, .user = &told };
		auto_free char *then = NULL;
		struct undo_result result;
		struct world w;
		struct err e = { .code = AMBIT_OK };

		assert_true(world_open(&w, WORLD_FAST));
		put_dir(&w, "outside", 0755);
		put_file(&w, "outside/a", "2", 0644, 1000000000);
		scene(&w, r->before);
		world_stage(&w);
		scene(&w, r->program);
		(void)must_commit(&w, &plain, r->name);
		wait_tick();
		scene(&w, r->scene);
		then = picture(&w, "real");
		if (stage_undo(&w.stage, w.meta, &o, &result, &e) != -AMBIT_CONFLICT || told == 0)
			fail_msg("%s: %s", r->name, e.msg);
		check(&w, then, r->name);
		assert_true(is_there(&w, "stage/committed.0"));
		world_close(&w);
	}
}

/* A file elsewhere, and another in a directory of the event's, are nobody's business; the directory's time is theirs then. */
static void test_unrelated(void **state)
{
	struct world w;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "d d; f d/a 1");
	copy_all(&w, "real", "start");
	world_stage(&w);
	scene(&w, "W d/a 2; W d/b 2");
	(void)must_commit(&w, &plain, "unrelated");
	wait_tick();
	scene(&w, "f z 1; f d/z 1");
	must_undo(&w, "unrelated");
	check_scene(&w, "W z 1; W d/z 1", "unrelated");
	world_close(&w);
}

/* --- an event that goes on --- */

static void test_living(void **state)
{
	auto_free char *before = NULL;
	struct commit_result result;
	struct world w;
	struct err e;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "f a 1; f g 1; d d; f d/x 1");
	before = picture(&w, "real");
	copy_all(&w, "real", "start");
	world_stage(&w);
	scene(&w, "W a 2; W n 2; X g; D m; W m/k 2");
	assert_int_equal(must_commit(&w, &copying, "first").done, 5);
	check_scene(&w, "W a 2; W n 2; X g; D m; W m/k 2", "first");
	assert_int_equal(must_commit(&w, &copying, "nothing more").done, 0);
	scene(&w, "W a 3; X n; W g 3; W d/x 3; X m; D o; W o/p 3");
	assert_int_equal(must_commit(&w, &copying, "second").done, 7);
	check_scene(&w, "W a 3; W g 3; W d/x 3; D o; W o/p 3", "second");
	scene(&w, "W a 4; W d/x 4");
	wait_tick();
	scene(&w, "f d/x theirs");
	assert_int_equal(stage_commit(&w.stage, w.meta, &copying, &result, &e), -AMBIT_CONFLICT);
	assert_int_equal(result.held, 1);
	scene(&w, "f d/x 3");
	world_close(&w);

	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "f a 1; f g 1; d d; f d/x 1");
	free(before);
	before = picture(&w, "real");
	world_stage(&w);
	scene(&w, "W a 2; W n 2; X g; D m; W m/k 2; X d");
	(void)must_commit(&w, &copying, "first");
	scene(&w, "W a 3; X n; W g 3; X m; D d; W d/y 3; W a 3");
	(void)must_commit(&w, &copying, "second");
	scene(&w, "W a 4; W n 4; X g; X d");
	(void)must_commit(&w, &plain, "the end");
	must_undo(&w, "all three");
	check(&w, before, "all three");
	world_close(&w);
}

/* --- recovery, when somebody else was faster --- */

static void crash_at(struct world *w, const char *call, long times)
{
	struct commit_result result;
	int status;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		between.call = call;
		between.times = times;
		between.scene = NULL;
		_exit(stage_commit(&w->stage, w->meta, &plain, &result, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 77);
}

static void test_recover_back(void **state)
{
	struct recover_result result;
	uint64_t told = 0;
	struct world w;
	struct err e;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "f a 1; f b 1; f c 1");
	copy_all(&w, "real", "start");
	world_stage(&w);
	scene(&w, "W a 2; W b 2; W c 2");
	crash_at(&w, "rename", 2);
	assert_true(is_there(&w, "stage/journal"));
	scene(&w, "f c theirs");
	assert_int_equal(stage_recover(&w.stage, w.meta, count_path, &told, &result, &e), 0);
	assert_int_equal(result.what, RECOVERED_BACK);
	assert_int_equal(result.state, STAGE_KEPT);
	assert_int_equal(told, 0); /* all that was done could be turned back */
	check_scene(&w, "W c theirs", "turned back");
	assert_true(is_there(&w, "stage/0/upper/a"));
	world_close(&w);
}

/* What is at a name is another's. On a disk it mostly has the number of the file that was there. */
static void recover_around(enum world_place place)
{
	struct recover_result result;
	uint64_t told = 0;
	struct world w;
	struct err e;

	assert_true(world_open(&w, place));
	scene(&w, "f a 1; f b 1; f c 1");
	copy_all(&w, "real", "start");
	world_stage(&w);
	scene(&w, "W a 2; W b 2; W c 2");
	crash_at(&w, "rename", 2);
	scene(&w, "x a; f a theirs; f c theirs");
	assert_int_equal(stage_recover(&w.stage, w.meta, count_path, &told, &result, &e), 0);
	assert_int_equal(result.what, RECOVERED_BACK);
	assert_int_equal(told, 1); /* a: theirs is in the tree, and what was there before is in the stage */
	check_scene(&w, "W a theirs; W c theirs", "left as it is");
	assert_false(is_there(&w, "stage/journal"));
	world_close(&w);
}

static void test_recover_around(void **state)
{
	(void)state;
	recover_around(WORLD_FAST);
	recover_around(WORLD_DISK);
}

/* --- hostile uppers --- */

static void test_hostile(void **state)
{
	auto_free char *outside = NULL, *then = NULL;
	struct world w;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	put_dir(&w, "outside", 0755);
	outside = picture(&w, "outside");
	scene(&w, "d d; f d/a 1");
	world_stage(&w);
	scene(&w,
	      "=l out ../outside; =l abs /etc; =p pipe; =s socket; D e; =l e/out ../../outside; =w e/w; =p e/pipe; X d; L d ../outside");
	put_file(&w, "stage/0/upper/a\nb\xff", "x", 0644, 1);
	(void)must_commit(&w, &plain, "hostile");
	then = picture(&w, "outside");
	assert_pictures(then, outside, "outside");
	assert_true(is_there(&w, "real/a\nb\xff"));
	assert_true(is_there(&w, "real/e/pipe"));
	assert_false(is_there(&w, "real/e/w"));
	assert_false(has_xattr(&w, "real/e", "user.overlay.opaque"));
	must_undo(&w, "hostile");
	assert_true(is_there(&w, "real/d/a"));
	world_close(&w);
}

/* The store says which directory the event saw. */
static void test_other_tree(void **state)
{
	struct commit_result result;
	struct world w;
	struct err e;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	world_stage(&w);
	scene(&w, "W a 2");
	assert_int_equal(renameat(w.root_fd, "real", w.root_fd, "moved"), 0);
	assert_int_equal(stage_commit(&w.stage, w.meta, &plain, &result, &e), -AMBIT_NOT_FOUND);
	put_dir(&w, "real", 0755);
	assert_int_equal(stage_commit(&w.stage, w.meta, &plain, &result, &e), -AMBIT_CONFLICT);
	assert_false(is_there(&w, "real/a"));
	world_close(&w);
}

/* Two trees are one commit; the second one's failure turns the first one back. */
static void test_two_trees(void **state)
{
	auto_free char *before = NULL, *before2 = NULL, *now = NULL;
	struct commit_result result;
	struct stage_tree *t;
	struct world w;
	struct err e;
	struct stat st;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	put_dir(&w, "real2", 0755);
	put_file(&w, "real2/a", "1", 0644, 5);
	scene(&w, "f a 1; d d");
	world_stage(&w);
	w.meta->n_trees = 2;
	t = &w.meta->trees[1];
	(void)snprintf(t->real, sizeof t->real, "%s/real2", w.root);
	assert_int_equal(stat(t->real, &st), 0);
	t->dev = st.st_dev;
	t->ino = st.st_ino;
	t->whole = true;
	put_dir(&w, "stage/1", 0700);
	put_dir(&w, "stage/1/upper", 0755);
	w.stage.part_fd[1] = openat(w.other_fd, "stage/1", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scene(&w, "W a 2; W d/n 2");
	put_file(&w, "stage/1/upper/a", "2", 0644, 6);
	put_file(&w, "stage/1/upper/b", "2", 0644, 6);
	before = picture(&w, "real");
	before2 = picture(&w, "real2");
	between.call = "rename";
	between.times = 3; /* a and d/n are in */
	between.scene = "f ../real2/b 3";
	between.w = &w;
	assert_int_equal(stage_commit(&w.stage, w.meta, &plain, &result, &e), -AMBIT_CONFLICT);
	check(&w, before, "turned back");
	take(&w, "real2/b");
	(void)must_commit(&w, &plain, "both");
	assert_true(is_there(&w, "real/d/n"));
	assert_true(is_there(&w, "real2/b"));
	assert_int_equal(stage_commit(&w.stage, w.meta, &plain, &result, &e), -AMBIT_CONFLICT);
	assert_non_null(strstr(e.msg, "is committed"));
	must_undo(&w, "both");
	check(&w, before, "taken back");
	now = picture(&w, "real2");
	assert_string_equal(strchr(now, '\n'), strchr(before2, '\n')); /* its time is that of the test's own file */
	(void)close(w.stage.part_fd[1]);
	world_close(&w);
}

static long ms_since(const struct timespec *a)
{
	struct timespec b;

	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	return (long)(b.tv_sec - a->tv_sec) * 1000 + (b.tv_nsec - a->tv_nsec) / 1000000;
}

/* Against as many plain renames and one sync. */
static void test_speed(void **state)
{
	const int n = 10000;
	struct timespec a;
	struct world w;
	char path[64], other[64];
	long committing, undoing, renaming;

	(void)state;
	if (getenv("AMBIT_SOAK") == NULL)
		skip();
	assert_true(world_open(&w, WORLD_DISK));
	put_dir(&w, "plain", 0755);
	put_dir(&w, "there", 0755);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "real/%d", i);
		put_file(&w, path, "one", 0644, 1);
	}
	world_stage(&w);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "%d", i);
		up_write(&w, path, "two", 0644, 2);
	}
	(void)syncfs(w.root_fd);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	(void)must_commit(&w, &plain, "speed");
	committing = ms_since(&a);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	must_undo(&w, "speed");
	undoing = ms_since(&a);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "plain/%d", i);
		put_file(&w, path, "two", 0644, 2);
	}
	(void)syncfs(w.root_fd);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	(void)syncfs(w.root_fd);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "plain/%d", i);
		(void)snprintf(other, sizeof other, "there/%d", i);
		assert_int_equal(renameat(w.root_fd, path, w.root_fd, other), 0);
	}
	renaming = ms_since(&a);
	print_message("# %d files: commit %ld ms, undo %ld ms, renames and a sync %ld ms\n", n, committing, undoing,
		      renaming);
	world_close(&w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moving),        cmocka_unit_test(test_copying),
		cmocka_unit_test(test_far),           cmocka_unit_test(test_random),
		cmocka_unit_test(test_parts),         cmocka_unit_test(test_words),
		cmocka_unit_test(test_parted_names),  cmocka_unit_test(test_held),
		cmocka_unit_test(test_found),         cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_while_syncing), cmocka_unit_test(test_afterwards),
		cmocka_unit_test(test_unrelated),     cmocka_unit_test(test_living),
		cmocka_unit_test(test_recover_back),  cmocka_unit_test(test_recover_around),
		cmocka_unit_test(test_hostile),       cmocka_unit_test(test_other_tree),
		cmocka_unit_test(test_two_trees),     cmocka_unit_test(test_speed),
	};

	if (argc > 1) /* one of them alone */
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
