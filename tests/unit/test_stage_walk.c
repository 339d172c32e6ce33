/* What lies in upper, and which changes that is. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/walk.h"
#include "stage_world.h"

/* "kind path", " < from", " ! held": a line for each change. */
static void add_line(void *user, const struct change *c)
{
	struct buf *b = user;
	char path[8192];

	(void)text_escape(path, sizeof path, c->path, strlen(c->path));
	buf_printf(b, "%s %s%s", change_word(c->kind), c->type == CHANGE_DIRECTORY ? "/" : "", path);
	if (c->from[0] != 0)
		buf_printf(b, " < %s", c->from);
	if (c->held != HELD_NOT)
		buf_printf(b, " ! %s", held_word(c->held));
	buf_printf(b, ";");
}

struct row {
	const char *name, *before, *program, *since, *want;
};

static const struct row rows[] = {
	{ "nothing", "f a one", "", "", "" },
	{ "added", "", "W a x; D d; W d/b y; L d/s /etc", "", "added a;added /d;added d/b;added d/s;" },
	{ "modified", "f a one", "W a two", "", "modified a;" },
	{ "modified, another size", "f a one", "W a three", "", "modified a;" },
	{ "copied up for nothing", "f a one; d d; f d/b x", "C a; C d/b", "", "" },
	{ "mode", "f a one", "O a 600", "", "mode a;" },
	{ "touched", "f a one", "C a; =t a 5", "", "mode a;" },
	{ "attribute", "f a one", "A a user.k", "", "mode a;" },
	{ "an overlay's attribute is none", "f a one", "C a; =a a user.overlay.overlay.x", "", "" },
	{ "mode of a directory", "d d", "O d 700", "", "mode /d;" },
	{ "attribute of a directory", "d d", "A d user.k", "", "mode /d;" },
	{ "mode of the tree", "", "O . 700", "", "mode /;" },
	{ "deleted", "f a one; d d; d d/e; f d/e/b x", "X a; X d", "", "deleted a;deleted /d;" },
	{ "whiteout over nothing", "", "=w a", "", "" },
	{ "whiteout in a new directory", "", "D d; =w d/a", "", "added /d;" },
	{ "replaced directory", "d d; f d/a x; f d/b y; f d/c z", "X d; D d; W d/a x; W d/b Y; W d/n n", "",
	  "modified d/b;deleted d/c;added d/n;" },
	{ "replaced directory in a directory", "d d; d d/e; f d/e/a x", "X d; D d; D d/e", "", "deleted d/e/a;" },
	{ "file over directory", "d d; f d/a x", "X d; W d x", "", "modified d;" },
	{ "directory over file", "f d x", "X d; D d; W d/a x", "", "modified /d;added d/a;" },
	{ "link over file", "f a x", "X a; L a b", "", "modified a;" },
	{ "same link", "l a b", "X a; L a b", "", "" },
	{ "other link", "l a b", "X a; L a c", "", "modified a;" },
	{ "pipe and socket", "", "=p p; =s s", "", "added p;added s;" },
	{ "two new names", "", "W b x; N b a; N b c", "", "added a;link b < a;link c < a;" },
	{ "another name of an old file", "f a x", "N a b", "", "link b < a;" },
	{ "another name of a changed file", "f a x", "W a y; N a b", "", "modified a;link b < a;" },
	{ "joined files", "f a x; f b x", "X b; N a b", "", "link b < a;" },
	{ "joined here and there", "f a x; n a b", "X b; N a b", "", "" },
	{ "renamed", "d d; f d/a hello", "M d/a b", "", "renamed b < d/a;" },
	{ "renamed over another", "f a hello; f b x", "M a b", "", "deleted a;modified b;" },
	{ "two like it", "f a hello; f b hello", "M a c; X b", "", "deleted a;deleted b;added c;" },
	{ "a name like its directory's", "d a; f a/x 1; f a.b 1; f a-b 1", "W a/x 2; W a.b 2; W a-b 2", "",
	  "modified a/x;modified a-b;modified a.b;" },

	{ "setuid", "", "W a x; =o a 4755", "", "added a ! refused;" },
	{ "setgid", "f a x", "W a y; =o a 2755", "", "modified a ! refused;" },
	{ "setgid directory that was", "d d; o d 2755; f d/a x", "W d/a y", "", "modified d/a;" },
	{ "setgid directory in one", "d d; o d 2755", "D d/e; =o d/e 2755", "", "added /d/e;" },
	{ "new setgid directory", "", "D d; =o d 2755", "", "added /d ! refused;" },

	{ "changed since the copy", "f a one", "W a two", "f a ONE", "modified a ! conflict;" },
	{ "touched since the copy", "f a one", "W a two", "o a 600", "modified a ! conflict;" },
	{ "deleted here, changed there", "f a one", "X a", "f a ONE", "deleted a ! conflict;" },
	{ "deleted directory, new file in it", "d d; d d/e", "X d", "f d/e/n x", "deleted /d ! conflict;" },
	{ "new here and there", "", "W a x", "f a y", "modified a ! conflict;" },
	{ "deleted there, changed here", "f a one", "W a two", "x a", "added a;" },
	{ "directory gone", "d d; f d/a x", "W d/a y", "x d", "added /d ! conflict;added d/a ! conflict;" },
	{ "directory became a file", "d d; f d/a x", "W d/a y", "x d; f d x",
	  "modified /d ! conflict;added d/a ! conflict;" },
	{ "directory became a link", "d d; f d/a x; d e", "W d/a y", "x d; l d e",
	  "modified /d ! conflict;added d/a ! conflict;" },
	{ "replaced directory, new file in it", "d d; f d/a x", "X d; D d", "f d/n x",
	  "deleted d/a;deleted d/n ! conflict;" },
	{ "a name more in its directory", "d d; f d/a x", "W d/a y", "f d/n z", "modified d/a;" },
	{ "another directory", "d d; f d/a x; d e; f e/a y", "W d/a z; W d/n n", "m d t; m e d",
	  "mode /d ! conflict;modified d/a ! conflict;added d/n ! conflict;" },
	{ "another directory, removed from", "d d; f d/a x; d e; f e/a y", "X d/a", "m d t; m e d",
	  "mode /d ! conflict;deleted d/a ! conflict;" },
	{ "another directory, emptied", "d d; f d/a x; d e; f e/a y", "X d; D d", "m d t; m e d",
	  "mode /d ! conflict;deleted d/a ! conflict;" },
	{ "another directory above", "d p; d p/d; f p/d/a x; d q; d q/d; f q/d/a y", "W p/d/a z; O p/d 700",
	  "m p t; m q p", "mode /p ! conflict;mode /p/d ! conflict;modified p/d/a ! conflict;" },
	{ "the same directory again", "d d; f d/a x; d e", "W d/a z", "m d t; m e d; m d e; m t d", "modified d/a;" },
	{ "made again", "d d; f d/a x", "W d/a y", "d e; x d; m e d", "mode /d ! conflict;added d/a ! conflict;" },
	{ "made here and there", "", "D d; W d/a x", "d d; f d/b y", "added d/a;deleted d/b ! conflict;" },
	{ "moved to where one was made", "d e; f e/a y", "D d; W d/a x", "m e d",
	  "mode /d ! conflict;modified d/a ! conflict;" },
	{ "moved into one that was made", "d e; f e/a y", "D d; D d/e; W d/e/a x", "d d; m e d/e",
	  "mode /d/e ! conflict;modified d/e/a ! conflict;" },
	{ "something else changed", "f a one; f b x", "W a two", "f b y", "modified a;" },
};

static void walk(struct world *w, const struct walk_calls *calls, size_t max, struct buf *out,
		 struct walk_counts *counts)
{
	struct err e;

	buf_reset(out);
	if (stage_walk(&w->stage, w->meta, calls, max, add_line, out, counts, &e) != 0)
		fail_msg("%s: %s", e.msg, e.why);
}

static void test_changes(void **state)
{
	auto_buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		struct walk_counts counts;

		assert_true(world_open(&w, WORLD_FAST));
		scene(&w, rows[i].before);
		world_stage(&w);
		scene(&w, rows[i].program);
		if (rows[i].since[0] != 0)
			wait_tick();
		scene(&w, rows[i].since);
		walk(&w, NULL, SIZE_MAX, &out, &counts);
		if (strcmp(out.len > 0 ? buf_cstr(&out) : "", rows[i].want) != 0)
			fail_msg("%s: is '%s', want '%s'", rows[i].name, out.len > 0 ? buf_cstr(&out) : "",
				 rows[i].want);
		world_close(&w);
	}
}

static void judge(void *user, const struct change *c, struct verdict *ret)
{
	(void)user;
	if (strcmp(c->path, "Makefile") == 0)
		ret->later = 1;
	if (strstr(c->path, "hooks") != NULL) {
		ret->held = HELD_PROTECTED;
		(void)snprintf(ret->reason, sizeof ret->reason, "git runs it");
	}
}

static bool hides(void *user, uint16_t tree, const char *path)
{
	(void)user;
	return tree == 0 && strstr(path, ".env") != NULL;
}

static bool digest(void *user, int fd, uint8_t ret[CHANGE_DIGEST_BYTES])
{
	(void)user;
	memset(ret, 0, CHANGE_DIGEST_BYTES);
	return read(fd, ret, CHANGE_DIGEST_BYTES) >= 0;
}

static void look_at_one(void *user, const struct change *c)
{
	*(struct change *)user = *c;
}

static void test_calls(void **state)
{
	static const struct walk_calls calls = { .judge_name = judge, .is_hidden = hides, .digest = digest };
	static struct change c;
	auto_buf out;
	struct walk_counts counts;
	struct world w;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "f .env secret; d d; f d/.env secret; d e; f e/.env secret; f hooks x");
	world_stage(&w);
	scene(&w, "=f .env mine; X d; D e2; =w e; M hooks h2");
	walk(&w, &calls, SIZE_MAX, &out, &counts);
	assert_string_equal(buf_cstr(&out), "modified .env ! hidden;deleted /d ! hidden;deleted /e ! hidden;added /e2;"
					    "renamed h2 < hooks ! protected;");
	assert_int_equal(counts.changes, 5);
	assert_int_equal(counts.held, 4);
	wait_tick();
	scene(&w, "f d/new x; f .env other"); /* a conflict as well, which must not hide that */
	walk(&w, &calls, SIZE_MAX, &out, &counts);
	assert_non_null(strstr(buf_cstr(&out), "modified .env ! hidden;deleted /d ! hidden;"));
	walk(&w, &calls, 2, &out, &counts);
	assert_string_equal(buf_cstr(&out), "modified .env ! hidden;deleted /d ! hidden;");
	assert_int_equal(counts.dropped, 3);
	world_close(&w);

	assert_true(world_open(&w, WORLD_FAST));
	world_stage(&w);
	scene(&w, "W Makefile all:");
	assert_int_equal(stage_walk(&w.stage, w.meta, &calls, 1, look_at_one, &c, &counts, NULL), 0);
	assert_int_equal(c.later, 1);
	assert_int_equal(c.has_digest, 1);
	assert_memory_equal(c.digest, "all:\0", 5);
	assert_int_equal(c.size_new, 4);
	assert_int_equal(c.mode_new, 0644);
	world_close(&w);
}

static void test_named(void **state)
{
	auto_buf out;
	struct walk_counts counts;
	struct world w;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "d d; f d/yes x; f d/no x");
	world_stage(&w);
	w.meta->trees[0].whole = false;
	w.meta->n_names = 1;
	(void)snprintf(w.meta->names[0], sizeof w.meta->names[0], "%s/real/d/yes", w.root);
	scene(&w, "W d/yes y; W d/no y; W n x; D e; O d 700");
	walk(&w, NULL, SIZE_MAX, &out, &counts);
	assert_string_equal(
		buf_cstr(&out),
		"mode /d ! refused;modified d/no ! refused;modified d/yes;added /e ! refused;added n ! refused;");
	world_close(&w);
}

/* Deep, long, and in no known encoding. */
static void test_hostile(void **state)
{
	static const char name[] = "stage/0/upper/a\n\xff\x1b[2J";
	auto_buf out;
	struct walk_counts counts;
	struct world w;
	int dir, r = 0;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_true(world_open(&w, WORLD_FAST));
	world_stage(&w);
	put_file(&w, name, "x", 0644, 1);
	walk(&w, NULL, SIZE_MAX, &out, &counts);
	assert_string_equal(buf_cstr(&out), "added a\\x0a\\xff\\x1b[2J;");

	dir = openat(w.other_fd, "stage/0/upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 5000 && r == 0; i++) {
		const int parent = dir;

		r = mkdirat(parent, "d", 0755);
		dir = openat(parent, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(parent);
		assert_true(dir >= 0);
	}
	(void)close(dir);
	walk(&w, NULL, SIZE_MAX, &out, &counts);
	assert_int_equal(counts.changes, 1 + 2048); /* the file; directories up to 4,095 bytes of path */
	assert_int_equal(counts.held, 1);
	world_close(&w);
}

/* What an owner locked himself out of. */
static void test_closed(void **state)
{
	auto_buf out;
	struct walk_counts counts;
	struct world w;

	(void)state;
	if (geteuid() == 0)
		skip(); /* is locked out of nothing */
	buf_init(&out, 1 << 20);
	assert_true(world_open(&w, WORLD_FAST));
	scene(&w, "d m; f m/x 1");
	world_stage(&w);
	scene(&w, "D d; W d/x 1; O d 0; D e; W e/x 1; O e 400; W f 1; O f 200; W m/x 2; O m 0; W n 1");
	walk(&w, NULL, SIZE_MAX, &out, &counts);
	assert_string_equal(buf_cstr(&out),
			    "added /d ! refused;added /e ! refused;added f ! refused;mode /m ! refused;added n;");
	world_close(&w);
}

/* A hundred thousand changes in about a second, on a machine with nothing else to do. */
static void test_speed(void **state)
{
	struct timespec a, b;
	struct walk_counts counts;
	struct world w;
	char path[64];

	(void)state;
	if (getenv("AMBIT_SOAK") == NULL)
		skip();
	assert_true(world_open(&w, WORLD_FAST));
	for (int i = 0; i < 100; i++) {
		(void)snprintf(path, sizeof path, "real/%d", i);
		put_dir(&w, path, 0755);
		for (int j = 0; j < 1000; j++) {
			(void)snprintf(path, sizeof path, "real/%d/%d", i, j);
			put_file(&w, path, "one", 0644, 1);
		}
	}
	world_stage(&w);
	for (int i = 0; i < 100; i++)
		for (int j = 0; j < 1000; j++) {
			(void)snprintf(path, sizeof path, "%d/%d", i, j);
			up_write(&w, path, "two", 0644, 2);
		}
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(stage_walk(&w.stage, w.meta, NULL, 0, NULL, NULL, &counts, NULL), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(counts.changes, 100000);
	print_message("# 100000 changes walked in %ld ms\n",
		      (long)(b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
	world_close(&w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes), cmocka_unit_test(test_calls),  cmocka_unit_test(test_named),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_closed), cmocka_unit_test(test_speed),
	};

	if (argc > 1) /* one of them alone */
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
