/* Removing what somebody hostile made, and journals that are torn. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "stage/journal.h"
#include "stage/remove.h"
#include "stage_world.h"

static struct {
	long steps;
	int error;
} trap;

int stage_step(const char *call)
{
	(void)call;
	return trap.steps > 0 && --trap.steps == 0 ? trap.error : 0;
}

static void dig(struct world *w, const char *path, int depth)
{
	int dir = openat(w->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < depth; i++) {
		const int parent = dir;

		assert_int_equal(mkdirat(parent, "d", 0755), 0);
		dir = openat(parent, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(dir >= 0);
		assert_int_equal(mknodat(parent, "f", S_IFREG | 0600, 0), 0);
		assert_int_equal(fchmod(parent, i % 3 == 0 ? 0 : 0500), 0);
		(void)close(parent);
	}
	(void)close(dir);
}

/* Five thousand levels, none of them to be entered by their modes, with forty descriptors. */
static void test_deep(void **state)
{
	const struct rlimit few = { .rlim_cur = 40, .rlim_max = 40 };
	struct rlimit before;
	struct world w;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	put_dir(&w, "top", 0755);
	dig(&w, "top", 5000);
	assert_int_equal(
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ .rlim_cur = few.rlim_cur, .rlim_max = before.rlim_max }), 0);
	assert_int_equal(remove_tree(w.root_fd, "top"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(is_there(&w, "top"));
	world_close(&w);
}

static void test_kinds(void **state)
{
	struct world w;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	put_dir(&w, "outside", 0755);
	put_file(&w, "outside/x", "x", 0400, 1);
	put_dir(&w, "top", 0755);
	put_dir(&w, "top/work", 0755);
	put_dir(&w, "top/work/work", 0755);
	put_dir(&w, "top/work/work/incompat", 0755);
	put_dir(&w, "top/work/work/incompat/volatile", 0755);
	put_file(&w, "top/work/work/incompat/volatile/dirty", "", 0, 1);
	put_mode(&w, "top/work/work/incompat/volatile", 0);
	put_mode(&w, "top/work/work/incompat", 0);
	put_mode(&w, "top/work/work", 0);
	put_link(&w, "top/out", "../outside");
	put_link(&w, "top/work/out", "../../outside");
	put_node(&w, "top/pipe", S_IFIFO | 0600);
	put_whiteout(&w, "top/gone");
	put_dir(&w, "top/.up-0", 0755);
	put_dir(&w, "top/work/full", 0755);
	put_file(&w, "top/work/full/x", "x", 0, 1);
	put_name(&w, "outside/x", "top/name");
	put_file(&w, "top/\xff\n", "x", 0, 1);
	assert_int_equal(remove_tree(w.root_fd, "top"), 0);
	assert_false(is_there(&w, "top"));
	assert_true(is_there(&w, "outside/x"));
	assert_int_equal(remove_tree(w.root_fd, "top"), 0);
	put_link(&w, "top", "outside");
	assert_int_equal(remove_tree(w.root_fd, "top"), 0);
	assert_false(is_there(&w, "top"));
	assert_true(is_there(&w, "outside/x"));
	world_close(&w);
}

/* An error is told, and does not keep the rest. */
static void test_failure(void **state)
{
	struct world w;

	(void)state;
	for (long n = 1; n < 30; n++) {
		int r;

		assert_true(world_open(&w, WORLD_FAST));
		put_dir(&w, "top", 0755);
		put_dir(&w, "top/a", 0755);
		put_file(&w, "top/a/b", "x", 0644, 1);
		put_dir(&w, "top/a/c", 0);
		put_file(&w, "top/d", "x", 0644, 1);
		trap.steps = n;
		trap.error = EIO;
		r = remove_tree(w.root_fd, "top");
		trap.steps = 0;
		if (r != 0)
			assert_int_equal(r, -EIO);
		assert_int_equal(is_there(&w, "top"), r != 0);
		assert_int_equal(remove_tree(w.root_fd, "top"), 0);
		assert_false(is_there(&w, "top"));
		world_close(&w);
	}
}

static void deed_make(struct deed *d)
{
	const struct op op = { .kind = OP_SWAP,
			       .flags = OP_WHITEOUT,
			       .tree = 3,
			       .batch = 4,
			       .slot = 5,
			       .hash = 6,
			       .a = { 1, 2, 3, -4, 5, -6, 0100644, 1 },
			       .b = { 7, 8, 9, 10, -11, 12, 040755, 2 },
			       .path = "d/\xff\n" };
	const struct op dir = { .kind = OP_DIR, .path = "" };

	*d = (struct deed){ .way = DEED_UNDO, .left = 1, .batch = 9, .event = "e_test" };
	assert_non_null(op_add(&d->moves, &op));
	assert_non_null(op_add(&d->dirs, &dir));
}

static void test_journal(void **state)
{
	struct deed d, got;
	struct world w;
	struct stat st;
	struct err e;

	(void)state;
	assert_true(world_open(&w, WORLD_FAST));
	deed_make(&d);
	assert_int_equal(deed_read(w.root_fd, "j", &got, &e), 0);
	assert_int_equal(deed_write(w.root_fd, "j", &d, true, &e), 0);
	assert_int_equal(deed_write(w.root_fd, "j", &d, true, &e), -AMBIT_SYSTEM); /* not over another */
	assert_int_equal(deed_read(w.root_fd, "j", &got, &e), 1);
	deed_finish(&got);
	assert_int_equal(deed_replace(w.root_fd, "j", &d, true, &e), 0);
	assert_int_equal(deed_read(w.root_fd, "j", &got, &e), 1);
	assert_int_equal(got.way, DEED_UNDO);
	assert_int_equal(got.left, 1);
	assert_int_equal(got.batch, 9);
	assert_string_equal(got.event, "e_test");
	assert_int_equal(got.dirs.n, 1);
	assert_int_equal(got.moves.n, 1);
	assert_string_equal(got.moves.ops[0].path, "d/\xff\n");
	got.moves.ops[0].path = d.moves.ops[0].path;
	assert_memory_equal(&got.moves.ops[0].a, &d.moves.ops[0].a, sizeof d.moves.ops[0].a);
	assert_memory_equal(&got.moves.ops[0].b, &d.moves.ops[0].b, sizeof d.moves.ops[0].b);
	assert_int_equal(got.moves.ops[0].hash, 6);
	deed_finish(&got);

	/* With each byte another one, and torn at each length. */
	assert_int_equal(fstatat(w.root_fd, "j", &st, 0), 0);
	for (off_t n = st.st_size; n-- > 0;) {
		auto_fd int fd = openat(w.root_fd, "j", O_RDWR | O_CLOEXEC);
		uint8_t byte;

		assert_int_equal(pread(fd, &byte, 1, n), 1);
		byte ^= 0x40;
		assert_int_equal(pwrite(fd, &byte, 1, n), 1);
		if (n >= 4 && n < 8) /* whole, but of another version */
			assert_int_equal(deed_read(w.root_fd, "j", &got, &e), -AMBIT_HOST);
		else
			assert_int_equal(deed_read(w.root_fd, "j", &got, &e), 0);
		byte ^= 0x40;
		assert_int_equal(pwrite(fd, &byte, 1, n), 1);
	}
	for (off_t n = st.st_size; n-- > 0;) {
		auto_fd int fd = openat(w.root_fd, "j", O_RDWR | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, n), 0);
		assert_int_equal(deed_read(w.root_fd, "j", &got, &e), 0);
	}
	deed_finish(&d);
	world_close(&w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_journal),
	};

	if (argc > 1) /* one of them alone */
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
