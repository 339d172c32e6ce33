#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "mask_world.h"
#include "prop.h"
#include "stage/mask_tree.h"
#include "stage/scan_file.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* What statfs says, if it is not 0. */
static unsigned long file_system;

int __real_fstatfs64(int fd, struct statfs *ret);
int __wrap_fstatfs64(int fd, struct statfs *ret);
int __wrap_fstatfs64(int fd, struct statfs *ret)
{
	const int r = __real_fstatfs64(fd, ret);

	if (file_system != 0)
		ret->f_type = (__typeof__(ret->f_type))file_system;
	return r;
}

static void expect(struct world *w, const char *text)
{
	char room[4096];
	struct mask m;

	world_make(w, &m);
	assert_string_equal(world_hidden(&m, room, sizeof room), text);
	world_check_layer(w, &m);
	mask_finish(&m);
}

static void what_a_grant_names_is_shown(void **state)
{
	static const char *const paths[] = { ".env",          "a/.env",          "a/b/id_rsa",  "a/b/main.c",
					     "c/x.key",       ".ssh/config",     ".ssh/id_rsa", ".ssh/keys/deep/one",
					     ".ssh/keys/two", ".aws/credentials" };
	static const struct {
		const char *path; /* of the tree */
		const char *exempt[3];
		const char *hidden;
	} rows[] = {
		{ "/srv/tree", { NULL }, ".aws/credentials .env .ssh a/.env a/b/id_rsa c/x.key" },
		{ "/srv/tree", { "a/.env" }, ".aws/credentials .env .ssh a/b/id_rsa c/x.key" },
		{ "/srv/tree", { "a" }, ".aws/credentials .env .ssh c/x.key" },
		{ "/srv/tree", { "a/b", ".env" }, ".aws/credentials .ssh a/.env c/x.key" },
		{ "/srv/tree",
		  { "a/.e", "c/x.ke", "c/x.key/y" },
		  ".aws/credentials .env .ssh a/.env a/b/id_rsa c/x.key" },
		{ "/srv/tree", { ".ssh" }, ".aws/credentials .env a/.env a/b/id_rsa c/x.key" },
		{ "/srv/tree",
		  { ".ssh/config" },
		  ".aws/credentials .env .ssh/id_rsa .ssh/keys a/.env a/b/id_rsa c/x.key" },
		{ "/srv/tree",
		  { ".ssh/keys/deep/one" },
		  ".aws/credentials .env .ssh/config .ssh/id_rsa .ssh/keys/two a/.env a/b/id_rsa c/x.key" },
		{ "/srv/tree", { "" }, "" },
		{ "/home/eve/.ssh", { NULL }, "" }, /* named itself */
		{ "/", { NULL }, ".aws/credentials .env .ssh a/.env a/b/id_rsa c/x.key" },
	};
	struct world w;

	(void)state;
	world_init(&w);
	world_add_all(&w, paths, COUNT_OF(paths));
	for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) { /* once more, with the masks that there are */
		const size_t k = i % COUNT_OF(rows);
		char room[4096];
		struct mask m;

		w.ask.path = rows[k].path;
		w.ask.exempt = (struct exempt){ .paths = rows[k].exempt };
		while (w.ask.exempt.n < 3 && rows[k].exempt[w.ask.exempt.n] != NULL)
			w.ask.exempt.n++;
		world_make(&w, &m);
		if (strcmp(world_hidden(&m, room, sizeof room), rows[k].hidden) != 0)
			fail_msg("row %zu: %s", k, room);
		world_check_layer(&w, &m);
		mask_finish(&m);
	}
	world_finish(&w);
}

static void what_the_tree_is_called_counts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "credentials");
	world_settle();
	expect(&w, "");
	w.ask.path = "/home/eve/.aws";
	expect(&w, "credentials");
	w.ask.path = "/srv/tree";
	expect(&w, ""); /* nor by the index of the other name */
	world_finish(&w);
}

static void lookups_tell_what_a_commit_must_leave(void **state)
{
	static const char *const paths[] = { "a/.env", "a-b/x", "a/b/.ssh/config", "c/d/main.c" };
	static const struct {
		const char *path;
		bool hides, beneath;
	} rows[] = {
		{ "", false, true },
		{ "a", false, true },
		{ "a/.env", true, true },
		{ "a/.env/x", true, true }, /* the cell may have made a directory of that name */
		{ "a/.envy", false, false },
		{ "a/b", false, true },
		{ "a/b/.ssh", true, true },
		{ "a/b/.ssh/config", true, true },
		{ "a-b", false, false },
		{ "a-b/x", false, false },
		{ "c", false, false },
		{ "c/d/main.c", false, false },
		{ "new", false, false },
	};
	struct world w;
	struct mask m;

	(void)state;
	world_init(&w);
	world_add_all(&w, paths, COUNT_OF(paths));
	world_make(&w, &m);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (mask_hides(&m, rows[i].path) != rows[i].hides ||
		    mask_hides_beneath(&m, rows[i].path) != rows[i].beneath)
			fail_msg("'%s'", rows[i].path);
	assert_string_equal(mask_why(&m, mask_list_entry(&m.list, 2)), "often holds passwords and keys");
	assert_null(mask_why(&m, mask_list_entry(&m.list, 0)));
	mask_finish(&m);
	assert_false(mask_hides(&m, "a/.env"));
	world_finish(&w);
}

/* If it is there. */
static void set_mode(const struct world *w, const char *path, mode_t mode)
{
	if (fchmodat(w->tree_fd, path, mode, 0) < 0 && errno != ENOENT && errno != ENOTDIR)
		fail_msg("chmod %s: %s", path, strerror(errno));
}

/* What the index must not miss. `before` is the tree when it was written, and it is believed: that is seen first. */
struct change_row {
	const char *name;
	void (*change)(const struct world *w);
	const char *hidden;
};

static void add_secret(const struct world *w)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	assert_int_equal(utimensat(w->tree_fd, "a/b", old, 0), 0);
	world_add(w, "a/b/.env");
	assert_int_equal(utimensat(w->tree_fd, "a/b", old, 0), 0); /* mtime can be set back */
}

static void move_old_directory_in(const struct world *w)
{
	assert_int_equal(renameat(w->root_fd, "outside", w->tree_fd, "c/moved"), 0);
}

static void exchange_directories(const struct world *w)
{
	assert_int_equal(renameat2(w->root_fd, "outside", w->tree_fd, "a/b", RENAME_EXCHANGE), 0);
}

static void exchange_above(const struct world *w)
{
	assert_int_equal(mkdirat(w->root_fd, "other", 0755), 0);
	assert_int_equal(renameat(w->root_fd, "outside", w->root_fd, "other/b"), 0);
	assert_int_equal(renameat2(w->root_fd, "other", w->tree_fd, "a", RENAME_EXCHANGE), 0);
}

static void rename_to_a_parent_of_rows(const struct world *w)
{
	assert_int_equal(renameat(w->tree_fd, "c", w->tree_fd, ".aws"), 0);
}

static void link_a_file(const struct world *w)
{
	assert_int_equal(linkat(w->tree_fd, "a/b/main.c", w->tree_fd, "c/.env", 0), 0);
}

static void rename_a_file(const struct world *w)
{
	assert_int_equal(renameat(w->tree_fd, "a/b/main.c", w->tree_fd, "a/b/x.key"), 0);
}

static void a_link_to_a_directory(const struct world *w)
{
	assert_int_equal(symlinkat("../outside", w->tree_fd, "c/link"), 0);
}

static void close_and_hide(const struct world *w)
{
	world_add(w, "a/b/.env");
	assert_int_equal(fchmodat(w->tree_fd, "a/b", 0300, 0), 0);
}

static void close_above(const struct world *w)
{
	world_add(w, "a/b/.env");
	assert_int_equal(fchmodat(w->tree_fd, "a", 0600, 0), 0);
}

static void nothing(const struct world *w)
{
	(void)w;
}

static void the_index_misses_no_change(void **state)
{
	static const struct change_row rows[] = {
		{ "nothing", nothing, "z/id_rsa" },
		{ "a name, with mtime set back", add_secret, "a/b/.env z/id_rsa" },
		{ "an old directory moved in", move_old_directory_in, "c/moved/.env z/id_rsa" },
		{ "exchanged for an old one", exchange_directories, "a/b/.env z/id_rsa" },
		{ "exchanged further above", exchange_above, "a/b/.env z/id_rsa" },
		{ "the parent's name", rename_to_a_parent_of_rows, ".aws/credentials z/id_rsa" },
		{ "a hard link", link_a_file, "c/.env z/id_rsa" },
		{ "a file renamed", rename_a_file, "a/b/x.key z/id_rsa" },
		{ "a link is not followed", a_link_to_a_directory, "z/id_rsa" },
		{ "a directory that cannot be listed", close_and_hide, "a/b/ z/id_rsa" },
		{ "one that cannot be passed", close_above, "a/ z/id_rsa" },
	};
	static const char *const paths[] = { "a/b/main.c", "c/credentials", "z/id_rsa" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct world w;
		struct mask m;
		char room[4096];

		world_init(&w);
		world_add_all(&w, paths, COUNT_OF(paths));
		assert_int_equal(mkdirat(w.root_fd, "outside", 0755), 0);
		assert_int_equal(mknodat(w.root_fd, "outside/.env", S_IFREG | 0600, 0), 0);
		world_settle();
		expect(&w, "z/id_rsa");
		world_make(&w, &m);
		if (m.n_listed != 0 || m.is_new)
			fail_msg("%s: the index is not believed", rows[i].name);
		mask_finish(&m);
		rows[i].change(&w);
		world_make(&w, &m);
		if (strcmp(world_hidden(&m, room, sizeof room), rows[i].hidden) != 0)
			fail_msg("%s: %s", rows[i].name, room);
		mask_finish(&m);
		set_mode(&w, "a", 0700);
		world_finish(&w);
	}
}

/* Two directories that were changed in the same tick of the clock, one of them in the tree. */
static bool make_twins(const struct world *w)
{
	struct stat one, other;

	assert_int_equal(mkdirat(w->root_fd, "tree/a", 0755), 0);
	assert_int_equal(mkdirat(w->root_fd, "other", 0755), 0);
	assert_int_equal(mkdirat(w->root_fd, "other/b", 0755), 0);
	assert_int_equal(mknodat(w->root_fd, "other/b/.env", S_IFREG | 0644, 0), 0);
	assert_int_equal(mkdirat(w->root_fd, "tree/a/b", 0755), 0);
	assert_int_equal(fstatat(w->root_fd, "other/b", &one, 0), 0);
	assert_int_equal(fstatat(w->root_fd, "tree/a/b", &other, 0), 0);
	if (one.st_ctim.tv_nsec == other.st_ctim.tv_nsec)
		return true;
	assert_int_equal(mask_tree_remove(w->root_fd, "other"), 0);
	assert_int_equal(mask_tree_remove(w->root_fd, "tree/a"), 0);
	return false;
}

static void another_directory_of_the_same_ctime_is_seen(void **state)
{
	struct world w;
	unsigned tries = 0;

	(void)state;
	world_init(&w);
	while (!make_twins(&w))
		assert_in_range(++tries, 0, 1000);
	world_settle();
	expect(&w, "");
	assert_int_equal(renameat2(w.root_fd, "other", w.tree_fd, "a", RENAME_EXCHANGE), 0);
	expect(&w, "a/b/.env");
	world_finish(&w);
}

static void a_change_costs_one_listing(void **state)
{
	struct world w;
	struct mask m;
	char name[32];

	(void)state;
	world_init(&w);
	for (unsigned i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof name, "%u/%u/x", i * 7919 % 61, i);
		world_add(&w, name);
	}
	world_settle();
	expect(&w, "");
	world_add(&w, ".env");
	world_make(&w, &m);
	assert_int_equal(m.n_listed, 1);
	assert_int_equal(m.n_directories, 121);
	mask_finish(&m);
	world_finish(&w);
}

static void what_counts_as_recent(void **state)
{
	static const int64_t now_s = 1000, ns = 1000000000;
	static const struct {
		struct timespec ctime;
		int64_t now_ns; /* of the second 1000 */
		bool recent;
	} rows[] = {
		{ { 999, 900000000 }, 0, false },
		{ { 999, 960000000 }, 0, true },
		{ { 1000, 100000000 }, 149000000, true },
		{ { 1000, 100000000 }, 151000000, false },
		{ { 998, 0 }, 0, true }, /* a file system of whole seconds */
		{ { 997, 0 }, 0, false },
		{ { 1, 5 }, 0, false },
		{ { 1001, 5 }, 0, true }, /* of the future */
		{ { INT64_MAX, 5 }, 0, true },
		{ { -5, 5 }, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct stat st = { .st_ctim = rows[i].ctime };

		if (scan_is_recent(&st, now_s * ns + rows[i].now_ns) != rows[i].recent)
			fail_msg("row %zu", i);
	}
}

/* On a slow machine it may not be recent any more when it is looked at. */
static void what_is_recent_is_not_believed(void **state)
{
	bool seen = false;
	struct world w;

	(void)state;
	world_init(&w);
	for (unsigned i = 0; i < 100 && !seen; i++) {
		struct mask first, second;

		world_add(&w, "a/.env");
		world_make(&w, &first);
		world_make(&w, &second);
		seen = second.n_listed > 0 && second.is_new;
		mask_finish(&first);
		mask_finish(&second);
		world_remove(&w, "a");
	}
	assert_true(seen);
	world_finish(&w);
}

/* What was listed in the moment of a change is listed again. */
static void a_change_in_the_same_tick_is_seen(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	for (uint64_t i = 0; i < prop_rounds(200); i++) {
		world_add(&w, "a/main.c");
		expect(&w, "");
		world_add(&w, "a/.env");
		expect(&w, "a/.env");
		world_remove(&w, "a");
	}
	world_finish(&w);
}

static void one_random_change(const struct world *w, struct prop *p)
{
	static const char *const directories[] = { "a", "b", "a/a", "a/b", "b/a", "a/a/a", "b/a/c", ".ssh", "a/.aws" };
	static const char *const files[] = { "main.c", ".env", "id_rsa", "credentials", ".env.example" };
	static const mode_t modes[] = { 0755, 0700, 0555, 0711, 01777, 02755 };
	const char *one = directories[prop_below(p, COUNT_OF(directories))];
	const char *other = directories[prop_below(p, COUNT_OF(directories))];
	const struct timespec times[2] = { { .tv_sec = 7 }, { .tv_sec = 7 } };
	char path[64];

	(void)snprintf(path, sizeof path, "%s/%s", one, files[prop_below(p, COUNT_OF(files))]);
	switch (prop_below(p, 8)) { /* many of them fail, and change nothing */
	case 0:
	case 1:
	case 2: (void)mknodat(w->tree_fd, path, S_IFREG | 0644, 0); return;
	case 3: (void)unlinkat(w->tree_fd, path, 0); return;
	case 4: (void)mkdirat(w->tree_fd, one, 0755); return;
	case 5: (void)renameat2(w->tree_fd, one, w->tree_fd, other, prop_below(p, 2) ? RENAME_EXCHANGE : 0); return;
	case 6: set_mode(w, one, modes[prop_below(p, COUNT_OF(modes))]); return;
	default: (void)utimensat(w->tree_fd, one, times, 0); return;
	}
}

static void expect_as_fresh(struct world *w, const struct mask *m, const struct prop *p)
{
	char seen[4096], fresh[4096];
	const int cache_fd = w->ask.cache_fd;
	struct mask other;

	assert_int_equal(mkdirat(w->store_fd, "fresh", 0700), 0);
	w->ask.cache_fd = openat(w->store_fd, "fresh", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world_make(w, &other);
	if (strcmp(world_hidden(m, seen, sizeof seen), world_hidden(&other, fresh, sizeof fresh)) != 0)
		prop_fail(p, "%s\n instead of\n%s", seen, fresh);
	assert_int_equal(m->n_directories, other.n_directories);
	mask_finish(&other);
	assert_int_equal(mask_sweep(w->ask.cache_fd, NULL), 0);
	fd_close(&w->ask.cache_fd);
	w->ask.cache_fd = cache_fd;
	assert_int_equal(unlinkat(w->store_fd, "fresh/lock", 0), 0);
	(void)unlinkat(w->store_fd, "fresh/index", 0);
	assert_int_equal(unlinkat(w->store_fd, "fresh", AT_REMOVEDIR), 0); /* and nothing else was in it */
}

static void what_is_found_is_what_a_fresh_look_finds(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(8); round++) {
		struct prop p = prop_round(round);
		struct world w;

		world_init(&w);
		for (unsigned step = 0; step < 25; step++) {
			struct mask m;

			for (uint32_t n = prop_below(&p, 12); n > 0; n--)
				one_random_change(&w, &p);
			if (prop_below(&p, 3) == 0)
				world_settle();
			world_make(&w, &m);
			world_check_walk(&w, &m);
			world_check_layer(&w, &m);
			expect_as_fresh(&w, &m, &p);
			mask_finish(&m);
		}
		world_finish(&w);
	}
}

static void a_broken_index_is_as_good_as_none(void **state)
{
	static const char *const paths[] = { "a/.env", "a/b/c", "b/id_rsa" };
	uint8_t bytes[4096];
	struct world w;
	struct mask m;
	ssize_t n;
	int fd;

	(void)state;
	world_init(&w);
	world_add_all(&w, paths, COUNT_OF(paths));
	world_settle();
	expect(&w, "a/.env b/id_rsa");
	fd = openat(w.cache_fd, "index", O_RDWR | O_CLOEXEC);
	n = pread(fd, bytes, sizeof bytes, 0);
	assert_in_range(n, 100, sizeof bytes - 1);
	for (ssize_t i = 0; i < 2 * n; i++) { /* each byte wrong, and each length short */
		const uint8_t wrong = bytes[i % n] ^ 0x40;
		const ssize_t length = i < n ? n : i - n;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, (size_t)length, 0), length);
		if (i < n)
			assert_int_equal(pwrite(fd, &wrong, 1, i), 1);
		world_make(&w, &m);
		if (m.n_listed != m.n_directories)
			fail_msg("believed with byte %zd wrong, or cut there", i % n);
		mask_finish(&m);
		fd_close(&fd);
		fd = openat(w.cache_fd, "index", O_RDWR | O_CLOEXEC);
	}
	fd_close(&fd);
	expect(&w, "a/.env b/id_rsa");
	world_finish(&w);
}

static void expect_sound(const struct scan *s, const struct prop *p)
{
	uint32_t dirs = 1, hidden = 0, links = 0, files = 0;

	for (uint32_t i = 0; i < s->n_dirs; i++) {
		const struct scan_dir *d = &s->dirs[i];

		if (d->parent > i || (d->parent == i && i > 0) || d->first_dir != dirs || d->first_hidden != hidden ||
		    d->first_link != links || d->first_file != files || d->name >= s->text.len ||
		    d->state >= SCAN_STATES || (d->flags & ~SCAN_FLAGS) != 0)
			prop_fail(p, "directory %u", i);
		if (strchr(scan_text(s, d->name), '/') != NULL || strcmp(scan_text(s, d->name), "..") == 0)
			prop_fail(p, "a name of more parts");
		dirs += d->n_dirs;
		hidden += d->n_hidden;
		links += d->n_links;
		files += d->n_files;
	}
	if (dirs != s->n_dirs || hidden != s->n_hidden || links != s->n_links || files != s->n_files)
		prop_fail(p, "counts");
}

/* The sum aside: what else could come of a mistake in writing. */
static void what_is_decoded_is_sound(void **state)
{
	static const char *const names[] = { "tree", "a", "b", "c" };
	static const uint8_t bad[] = { 0, 1, 2, 3, 4, 5, SCAN_STATES, '/', '.', 255 };
	struct prop p = prop_round(0);
	struct scan s, got;
	auto_buf bytes;
	unsigned good = 0;

	(void)state;
	scan_init(&s, 4096);
	for (uint32_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(scan_add_dir(&s, i == 3, names[i]), i);
	s.dirs[0].n_dirs = 2;
	s.dirs[1].n_dirs = 1;
	s.dirs[3].n_hidden = 1;
	s.dirs[1].n_links = 1;
	s.dirs[2].n_files = 1;
	s.dirs[2].flags = SCAN_ALL_LINKS;
	assert_int_equal(scan_add_hidden(&s, ".env"), 0);
	assert_int_equal(scan_add_link(&s, ".bashrc"), 0);
	assert_int_equal(scan_add_file(&s, ".exrc"), 0);
	buf_init(&bytes, 4096);
	scan_encode(&bytes, &s);
	for (uint64_t i = 0; i < prop_rounds(20000); i++) {
		uint8_t copy[512];
		const size_t n = bytes.len - (prop_below(&p, 8) == 0 ? prop_below(&p, 8) : 0);

		memcpy(copy, bytes.data, bytes.len);
		for (uint32_t k = prop_below(&p, 4); k > 0; k--)
			copy[24 + prop_below(&p, (uint32_t)bytes.len - 24)] = bad[prop_below(&p, COUNT_OF(bad))];
		if (scan_decode(copy, n, 4096, &got)) {
			expect_sound(&got, &p);
			good++;
		}
		scan_finish(&got);
	}
	assert_in_range(good, prop_rounds(1000), prop_rounds(19000));
	scan_finish(&s);
}

/* ---- links ---- */

static void add_link(const struct world *w, const char *path)
{
	world_add(w, path);
	assert_int_equal(unlinkat(w->tree_fd, path, 0), 0);
	assert_int_equal(symlinkat("nowhere", w->tree_fd, path), 0);
}

/* All links that are kept, or all files, by depth as they come; a star in a directory where who asks has to look. */
static const char *names_of(const struct scan *s, bool files, char *room, size_t size)
{
	const unsigned unkept = files ? SCAN_FILES_UNKEPT : SCAN_LINKS_UNKEPT;
	const uint32_t *names = files ? s->files : s->links;
	size_t n = 0;

	room[0] = 0;
	for (uint32_t i = 0; i < s->n_dirs; i++) {
		const struct scan_dir *d = &s->dirs[i];
		const uint32_t first = files ? d->first_file : d->first_link, count = files ? d->n_files : d->n_links;
		char dir[SCAN_PATH_MAX];

		assert_true(scan_path(s, i, dir, sizeof dir));
		assert_int_equal(scan_find(s, dir), i);
		assert_true(strlen(dir) + 3 < sizeof dir);
		assert_int_equal(scan_find(s, strcat(dir, "/~")), UINT32_MAX);
		dir[strlen(dir) - 2] = 0;
		if ((d->flags & unkept) != 0)
			n += (size_t)snprintf(room + n, size - n, "%s%s/*", n > 0 ? " " : "", dir);
		for (uint32_t k = first; k < first + count; k++)
			n += (size_t)snprintf(room + n, size - n, "%s%s%s%s", n > 0 ? " " : "", dir, i > 0 ? "/" : "",
					      scan_text(s, names[k]));
		assert_true(n < size);
	}
	return room;
}

/* Looks at the tree, and gives how many directories were listed. */
static uint32_t expect_names(const struct world *w, bool files, const char *text)
{
	char room[4096];
	struct scan s;
	struct err e;
	uint32_t n;

	if (mask_scan(&w->ask, &s, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(names_of(&s, files, room, sizeof room), text);
	n = s.n_listed;
	scan_finish(&s);
	return n;
}

static uint32_t expect_links(const struct world *w, const char *text)
{
	return expect_names(w, false, text);
}

static void links_that_may_be_obeyed_are_kept(void **state)
{
	static const char *const links[] = { "a/b/.bashrc",     "a/plain",         "a/.git/hooks",
					     "a/.git/x/y",      "a/.vscode",       ".ssh/config",
					     ".ssh/k/x",        ".aws/sso/x",      "m/mise",
					     "m/.config/a/b/c", "x.git/a/b",       "bare/hooks",
					     "bare/refs",       "c/.BashRC",       ".password-store/.bashrc",
					     "d/.claude",       ".ambit-0/.bashrc" };
	struct world w;

	(void)state;
	world_init(&w);
	for (size_t i = 0; i < COUNT_OF(links); i++)
		add_link(&w, links[i]);
	world_add(&w, "a/.idea"); /* no link */
	world_settle();
	for (int i = 0; i < 2; i++) { /* found again without listing */
		const uint32_t listed = expect_links(
			&w,
			".password-store/.bashrc .ssh/config a/.vscode bare/hooks c/.BashRC d/.claude m/mise .aws/sso/x "
			".ssh/k/x a/.git/hooks a/b/.bashrc x.git/a/b a/.git/x/y m/.config/a/b/c");

		assert_true((listed == 0) == (i == 1));
	}
	expect(&w, ".ambit-0 .aws/sso .password-store .ssh"); /* what is entered for links hides nothing more */
	assert_int_equal(unlinkat(w.tree_fd, "a/b/.bashrc", 0), 0);
	add_link(&w, "e/f/.zshrc");
	assert_int_equal(
		expect_links(
			&w,
			".password-store/.bashrc .ssh/config a/.vscode bare/hooks c/.BashRC d/.claude m/mise .aws/sso/x .ssh/k/x "
			"a/.git/hooks e/f/.zshrc x.git/a/b a/.git/x/y m/.config/a/b/c"),
		4); /* the tree, a/b, e, e/f */
	world_settle();
	w.ask.path = "/home/u/.config/tree"; /* now all that lies in it may be obeyed */
	assert_int_equal(
		expect_links(&w, ".password-store/.bashrc .ssh/config a/.vscode a/plain bare/hooks bare/refs c/.BashRC "
				 "d/.claude m/mise .aws/sso/x .ssh/k/x a/.git/hooks e/f/.zshrc x.git/a/b a/.git/x/y "
				 "m/.config/a/b/c"),
		10); /* all but those of which all links were kept before */
	world_finish(&w);
}

static void any_number_of_links(void **state)
{
	struct world w;
	char name[64];

	(void)state;
	world_init(&w);
	add_link(&w, "z/.bashrc");
	for (unsigned i = 0; i < SCAN_LINKS_DIRECTORY_MAX; i++) {
		(void)snprintf(name, sizeof name, "a/.vimrc%u", i);
		add_link(&w, name);
	}
	world_settle();
	for (int i = 0; i < 2; i++) {
		struct scan s;

		assert_int_equal(mask_scan(&w.ask, &s, NULL), 0);
		assert_int_equal(s.n_links, SCAN_LINKS_DIRECTORY_MAX + 1);
		scan_finish(&s);
	}
	add_link(&w, "a/.vimrc");
	(void)expect_links(&w, "a/* z/.bashrc");
	world_settle();
	(void)expect_links(&w, "a/* z/.bashrc");
	assert_int_equal(expect_links(&w, "a/* z/.bashrc"), 0);
	assert_int_equal(unlinkat(w.tree_fd, "a/.vimrc", 0), 0);
	{
		struct scan s;

		assert_int_equal(mask_scan(&w.ask, &s, NULL), 0);
		assert_int_equal(s.n_links, SCAN_LINKS_DIRECTORY_MAX + 1);
		scan_finish(&s);
	}
	world_finish(&w);
}

/* Of a home only what programs obey, the nearest first. */
static void a_home_is_looked_at_where_it_is_obeyed(void **state)
{
	static const char *const links[] = { ".bashrc",           "src/.bashrc", ".config/a/b/c", ".cargo/config.toml",
					     ".cargo/registry/x", "bin/x",       ".ssh/config",   ".local/bin/x" };
	struct world w;
	struct scan s;

	(void)state;
	world_init(&w);
	for (size_t i = 0; i < COUNT_OF(links); i++)
		add_link(&w, links[i]);
	world_add(&w, ".env");
	world_settle();
	w.ask.is_home = true;
	w.ask.path = "/home/tree";
	for (int i = 0; i < 2; i++)
		assert_true((expect_links(&w, ".bashrc .cargo/config.toml .ssh/config .local/bin/x .config/a/b/c") ==
			     0) == (i == 1));
	for (uint32_t most = 8; most >= 6; most--) { /* .config/a/b is the first to go, .local/bin the next */
		w.ask.limits.directories = most;
		assert_int_equal(mask_scan(&w.ask, &s, NULL), 0);
		assert_int_equal(s.n_dirs, most);
		assert_int_equal(s.n_links, most - 3);
		scan_finish(&s);
	}
	w.ask.is_home = false; /* another index */
	w.ask.limits.directories = 0;
	w.ask.path = "/srv/tree";
	expect(&w, ".env .ssh");
	world_finish(&w);
}

/* ---- files ---- */

static uint32_t expect_files(const struct world *w, const char *text)
{
	return expect_names(w, true, text);
}

static void files_that_may_be_obeyed_are_kept(void **state)
{
	static const char *const files[] = { "a/b/.exrc",     "a/plain",        "a/.git/config", "a/.git/hooks/x",
					     "m/mise/x.toml", ".aws/sso/.exrc", "c/.BashRC",     "d/x-gdb.py",
					     "e/.npmrc",      ".ambit-0/.exrc", "bare/config" };
	static const char text[] = "bare/config c/.BashRC d/x-gdb.py e/.npmrc a/.git/config a/b/.exrc m/mise/x.toml";
	struct world w;

	(void)state;
	world_init(&w);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		world_add(&w, files[i]);
	add_link(&w, "a/b/.gdbinit"); /* no file */
	world_settle();
	for (int i = 0; i < 2; i++)
		assert_true((expect_files(&w, text) == 0) == (i == 1)); /* found again without listing */
	assert_int_equal(unlinkat(w.tree_fd, "e/.npmrc", 0), 0);
	world_add(&w, "f/.zshrc");
	assert_int_equal(
		expect_files(&w, "bare/config c/.BashRC d/x-gdb.py f/.zshrc a/.git/config a/b/.exrc m/mise/x.toml"),
		3);           /* the tree, e, f */
	w.ask.is_home = true; /* of which links are all that is asked for */
	w.ask.path = "/home/tree";
	(void)expect_files(&w, "");
	world_finish(&w);
}

static void any_number_of_files(void **state)
{
	struct world w;
	char name[64];
	struct scan s;

	(void)state;
	world_init(&w);
	world_add(&w, "z/.exrc");
	for (unsigned i = 0; i < SCAN_FILES_DIRECTORY_MAX; i++) {
		(void)snprintf(name, sizeof name, "a/.vimrc%u", i);
		world_add(&w, name);
	}
	world_settle();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mask_scan(&w.ask, &s, NULL), 0);
		assert_int_equal(s.n_files, SCAN_FILES_DIRECTORY_MAX + 1);
		scan_finish(&s);
	}
	world_add(&w, "a/.vimrc");
	world_settle();
	(void)expect_files(&w, "a/* z/.exrc");
	assert_int_equal(expect_files(&w, "a/* z/.exrc"), 0);
	assert_int_equal(unlinkat(w.tree_fd, "a/.vimrc", 0), 0);
	assert_int_equal(mask_scan(&w.ask, &s, NULL), 0);
	assert_int_equal(s.n_files, SCAN_FILES_DIRECTORY_MAX + 1);
	scan_finish(&s);
	world_finish(&w);
}

/* Who asks for what was found besides the mask gets the same. */
static void a_mask_gives_what_was_found(void **state)
{
	struct world w;
	struct mask m;
	struct scan s;
	char room[256];

	(void)state;
	world_init(&w);
	world_add(&w, "a/.exrc");
	world_add(&w, "a/.env");
	w.ask.scan = &s;
	assert_int_equal(mask_make(&w.ask, &m, NULL), 0);
	assert_string_equal(names_of(&s, true, room, sizeof room), "a/.exrc");
	assert_int_equal(m.list.n, 3); /* the tree, a, .env */
	mask_finish(&m);
	scan_finish(&s);
	w.ask.limits.directories = 1;
	assert_int_equal(mask_make(&w.ask, &m, NULL), -AMBIT_LIMIT);
	assert_int_equal(s.n_dirs, 0);
	world_finish(&w);
}

static void add_pipe(const struct world *w, const char *path)
{
	char in_tree[256];

	(void)snprintf(in_tree, sizeof in_tree, "tree/%s", path);
	assert_int_equal(mkfifoat(w->root_fd, in_tree, 0600), 0);
}

/* Where the caller wants a layer for that, it is of the tree alone; also from the index. */
static void a_pipe_wants_a_layer(void **state)
{
	static const struct {
		const char *pipe; /* NULL: none */
		bool apart, layer;
	} rows[] = {
		{ NULL, true, false },         { "pipe", true, true },       { "a/b/pipe", true, true },
		{ "a/.aws/pipe", true, true }, { "a/b/pipe", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct world w;
		struct mask m;
		char room[256];

		world_init(&w);
		world_add(&w, "a/b/c");
		world_add(&w, "a/.aws/");
		if (rows[i].pipe != NULL)
			add_pipe(&w, rows[i].pipe);
		world_settle();
		w.ask.apart = rows[i].apart;
		for (int again = 0; again < 2; again++) {
			world_make(&w, &m);
			assert_string_equal(world_hidden(&m, room, sizeof room), "");
			assert_int_equal(m.dir[0] != 0, rows[i].layer);
			assert_int_equal(m.list.n, rows[i].layer);
			assert_int_equal(m.n_listed == 0, again);
			assert_false(mask_hides(&m, "a/b/pipe"));
			mask_finish(&m);
		}
		world_finish(&w);
	}
}

/* ---- floods ---- */

static void a_directory_of_many_hidden_names_is_hidden(void **state)
{
	static const char *const named[] = { "keys/7.key" }, *const directories[] = { "keys/deep" };
	struct world w;
	char name[64], room[4096];
	struct mask m;

	(void)state;
	world_init(&w);
	world_add(&w, "keys/deep/er/.env");
	world_add(&w, "keys/plain");
	world_add(&w, "other/.env");
	for (unsigned i = 0; i < SCAN_CROWD_MAX; i++) {
		(void)snprintf(name, sizeof name, "keys/%u.key", i);
		world_add(&w, name);
	}
	world_settle();
	world_make(&w, &m);
	assert_int_equal(mask_list_find(&m.list, "keys/9.key"), MASK_HIDDEN);
	assert_false(mask_hides(&m, "keys/plain"));
	world_check_layer(&w, &m);
	mask_finish(&m);
	world_add(&w, "keys/one-more.key");
	for (int i = 0; i < 3; i++) { /* by the index, too */
		world_make(&w, &m);
		assert_string_equal(world_hidden(&m, room, sizeof room), "keys other/.env");
		assert_true(mask_hides(&m, "keys/plain") && mask_hides(&m, "keys/deep/er"));
		assert_true(mask_hides_beneath(&m, "keys"));
		assert_string_equal(mask_why(&m, mask_list_entry(&m.list, 1)),
				    "holds too many names that look like secrets");
		world_check_layer(&w, &m);
		mask_finish(&m);
		world_settle();
	}
	w.ask.exempt = (struct exempt){ .paths = named, .n = 1 }; /* all but that */
	world_make(&w, &m);
	assert_false(mask_hides(&m, "keys/7.key"));
	assert_true(mask_hides(&m, "keys/plain") && mask_hides(&m, "keys/deep") && mask_hides(&m, "keys/8.key"));
	world_check_layer(&w, &m);
	mask_finish(&m);
	w.ask.exempt = (struct exempt){ .directories = directories,
					.n_directories = 1 }; /* as if it were a tree of its own */
	world_make(&w, &m);
	assert_int_equal(mask_list_find(&m.list, "keys"), MASK_ON_THE_WAY);
	assert_int_equal(mask_list_find(&m.list, "keys/one-more.key"), MASK_HIDDEN);
	assert_int_equal(mask_list_find(&m.list, "keys/deep/er/.env"), MASK_HIDDEN);
	assert_int_equal(mask_list_find(&m.list, "other/.env"), MASK_HIDDEN);
	assert_int_equal(m.list.n,
			 SCAN_CROWD_MAX + 1 + 2 + 5); /* the ways: the tree, keys, keys/deep, keys/deep/er, other */
	world_check_layer(&w, &m);
	mask_finish(&m);
	w.ask.exempt.n_directories = 0;
	world_remove(&w, "keys/one-more.key");
	world_make(&w, &m);
	assert_int_equal(mask_list_find(&m.list, "keys/deep/er/.env"), MASK_HIDDEN);
	assert_false(mask_hides(&m, "keys/plain"));
	mask_finish(&m);
	world_finish(&w);
}

/* The tree itself cannot be hidden: its names count for the limit of all. */
static void many_hidden_names_in_the_tree_itself(void **state)
{
	struct world w;
	char name[64];
	struct mask m;

	(void)state;
	world_init(&w);
	for (unsigned i = 0; i <= SCAN_CROWD_MAX; i++) {
		(void)snprintf(name, sizeof name, "%u.key", i);
		world_add(&w, name);
	}
	world_make(&w, &m);
	assert_int_equal(m.list.n, SCAN_CROWD_MAX + 2);
	mask_finish(&m);
	w.ask.limits.names = SCAN_CROWD_MAX;
	assert_int_equal(mask_make(&w.ask, &m, NULL), -AMBIT_LIMIT);
	world_finish(&w);
}

static uint32_t listed_on(struct world *w, unsigned long type)
{
	struct mask m;
	uint32_t n;

	file_system = type;
	world_make(w, &m);
	file_system = 0;
	n = m.n_listed;
	mask_finish(&m);
	return n;
}

static void ctime_of_other_file_systems_is_not_believed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, "a/b/.env");
	world_settle();
	expect(&w, "a/b/.env");
	assert_int_equal(listed_on(&w, 0), 0);
	assert_int_equal(listed_on(&w, FUSE_SUPER_MAGIC), 3);
	assert_int_equal(listed_on(&w, NFS_SUPER_MAGIC), 3);
	assert_int_equal(listed_on(&w, MSDOS_SUPER_MAGIC), 3);
	assert_int_equal(listed_on(&w, XFS_SUPER_MAGIC), 0);
	world_finish(&w);
}

static void a_mask_of_another_boot_is_not_used(void **state)
{
	struct world w;
	struct mask m;
	int fd;

	(void)state;
	world_init(&w);
	world_add(&w, ".env");
	world_settle();
	expect(&w, ".env");
	world_make(&w, &m);
	assert_false(m.is_new);
	mask_finish(&m);
	fd = openat(w.cache_fd, "m1/list", O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 8), 1); /* the first of the boot's id */
	fd_close(&fd);
	world_make(&w, &m);
	assert_true(m.is_new);
	mask_finish(&m);
	world_finish(&w);
}

static void masks_are_shared_and_outlive_changes(void **state)
{
	struct world w;
	struct mask first, second, third;
	char dir[sizeof first.dir];

	(void)state;
	world_init(&w);
	world_add(&w, "a/.env");
	world_settle();
	world_make(&w, &first);
	world_make(&w, &second);
	assert_string_equal(first.dir, second.dir);
	assert_false(second.is_new);
	world_add(&w, "b/.env");
	world_make(&w, &third);
	assert_string_not_equal(first.dir, third.dir);
	mask_finish(&second);
	assert_int_equal(mask_sweep(w.cache_fd, NULL), 0); /* `first` is in use, and so is the third */
	assert_int_equal(faccessat(w.cache_fd, first.dir, F_OK, 0), 0);
	assert_int_equal(faccessat(w.cache_fd, third.dir, F_OK, 0), 0);
	memcpy(dir, first.dir, sizeof dir);
	mask_finish(&first);
	assert_int_equal(mask_sweep(w.cache_fd, NULL), 0);
	assert_int_equal(faccessat(w.cache_fd, dir, F_OK, 0), -1);
	world_check_layer(&w, &third);
	mask_finish(&third);
	world_finish(&w);
}

static void few_unused_masks_stay(void **state)
{
	struct world w;
	struct mask m;
	char name[16];
	unsigned there = 0;

	(void)state;
	world_init(&w);
	assert_int_equal(mkdirat(w.cache_fd, "m900", 0700), 0); /* one that was never finished */
	for (unsigned i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof name, "%u.key", i);
		world_add(&w, name);
		world_make(&w, &m);
		mask_finish(&m);
		assert_int_equal(faccessat(w.cache_fd, "m900", F_OK, 0), -1);
	}
	for (unsigned i = 1; i < 1000; i++) {
		(void)snprintf(name, sizeof name, "m%u", i);
		there += faccessat(w.cache_fd, name, F_OK, 0) == 0;
	}
	assert_int_equal(there, MASK_SPARE + 1);
	world_finish(&w);
}

static void the_store_is_shown_empty(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_add(&w, ".env");
	w.ask.tree_fd = w.root_fd;
	for (unsigned i = 0; i < 3; i++) {
		struct mask m;
		char room[256];

		world_make(&w, &m);
		assert_string_equal(world_hidden(&m, room, sizeof room), "store/ tree/.env");
		assert_true(mask_hides(&m, "store/x"));
		assert_false(mask_hides(&m, "store"));
		assert_string_equal(mask_why(&m, mask_list_entry(&m.list, 1)), "another file system, or Ambit's own");
		mask_finish(&m);
		world_settle();
	}
	world_finish(&w);
}

static void limits_hold_exactly(void **state)
{
	static const char *const paths[] = { "a/.env", "b/.env", "c/.env" };
	static const struct {
		struct scan_limits limits;
		int result;
	} rows[] = {
		{ { .directories = 4, .names = 3 }, 0 }, { { .directories = 3 }, -AMBIT_LIMIT },
		{ { .names = 2 }, -AMBIT_LIMIT },        { { .text = 4096 }, 0 },
		{ { .text = 8 }, -AMBIT_LIMIT },
	};
	struct world w;

	(void)state;
	world_init(&w);
	world_add_all(&w, paths, COUNT_OF(paths));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct mask m;
		struct err e = { .hint = "" };

		w.ask.limits = rows[i].limits;
		if (mask_make(&w.ask, &m, &e) != rows[i].result)
			fail_msg("row %zu: %s", i, e.msg);
		if (rows[i].result < 0)
			assert_string_equal(e.hint, "name the files, or grant a smaller tree");
		mask_finish(&m);
	}
	world_finish(&w);
}

/* Longer than any path that a system call takes. */
static void a_deep_tree_is_shown_as_far_as_paths_reach(void **state)
{
	char name[201], path[4096];
	struct world w;
	struct mask m;
	int fd, depth;

	(void)state;
	memset(name, 'd', 200);
	name[200] = 0;
	world_init(&w);
	fd = fcntl(w.tree_fd, F_DUPFD_CLOEXEC, 3);
	for (depth = 0; depth < 40; depth++) {
		int below;

		assert_int_equal(mknodat(fd, ".env", S_IFREG | 0644, 0), 0);
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		below = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd_close(&fd);
		fd = below;
	}
	world_make(&w, &m);
	world_check_layer(&w, &m);
	assert_int_equal(mask_list_entry(&m.list, m.list.n - 1).kind, MASK_DEEP);
	assert_in_range(strlen(mask_list_entry(&m.list, m.list.n - 1).path), 3600, 4095);
	(void)snprintf(path, sizeof path, "%s", mask_list_entry(&m.list, m.list.n - 1).path);
	assert_false(mask_hides(&m, path));
	mask_finish(&m);
	assert_int_equal(mask_sweep(w.cache_fd, NULL), 0);
	fd_close(&fd);
	while (depth-- > 0) { /* what no path reaches is moved up */
		int above = fcntl(w.tree_fd, F_DUPFD_CLOEXEC, 3);

		for (int i = 0; i < depth; i++) {
			const int below = openat(above, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

			fd_close(&above);
			above = below;
		}
		assert_int_equal(unlinkat(above, ".env", 0), 0);
		assert_int_equal(unlinkat(above, name, AT_REMOVEDIR), 0);
		fd_close(&above);
	}
	world_finish(&w);
}

static void attributes_are_copied(void **state)
{
	struct world w;
	struct mask m;
	char value[8] = { 0 }, path[64];
	int fd;

	(void)state;
	world_init(&w);
	world_add(&w, "a/.env");
	fd = openat(w.tree_fd, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fsetxattr(fd, "user.note", "yes", 3, 0) < 0) {
		fd_close(&fd);
		world_finish(&w);
		print_message("no user attributes in /tmp\n");
		skip();
	}
	assert_int_equal(fsetxattr(fd, "user.overlay.opaque", "y", 1, 0), 0); /* the tree was an overlay's layer once */
	assert_int_equal(fchmod(fd, 0500), 0);
	fd_close(&fd);
	world_make(&w, &m);
	world_check_layer(&w, &m);
	(void)snprintf(path, sizeof path, "%s/a", m.dir);
	fd = openat(w.cache_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "user.note", value, sizeof value), 3);
	assert_string_equal(value, "yes");
	assert_int_equal(fgetxattr(fd, "user.overlay.opaque", value, sizeof value), -1);
	fd_close(&fd);
	mask_finish(&m);
	world_finish(&w);
}

/* Calls that change something, counted down: the last one ends the process, or fails. */
static long countdown = -1;
static int fail_with;

static bool is_due(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	if (fail_with == 0)
		_exit(9);
	errno = fail_with;
	return true;
}

int __real_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_mkdirat(int fd, const char *path, mode_t mode)
{
	return is_due() ? -1 : __real_mkdirat(fd, path, mode);
}

int __real_mknodat(int fd, const char *path, mode_t mode, dev_t dev);
int __wrap_mknodat(int fd, const char *path, mode_t mode, dev_t dev);
int __wrap_mknodat(int fd, const char *path, mode_t mode, dev_t dev)
{
	return is_due() ? -1 : __real_mknodat(fd, path, mode, dev);
}

int __real_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags)
{
	return is_due() ? -1 : __real_unlinkat(fd, path, flags);
}

int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new)
{
	return is_due() ? -1 : __real_renameat(from, old, to, new);
}

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
	return is_due() ? -1 : __real_fchmod(fd, mode);
}

ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	return is_due() ? -1 : __real_write(fd, bytes, n);
}

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __wrap_flock(int fd, int how)
{
	return is_due() ? -1 : __real_flock(fd, how);
}

/* A tree, six masks of it that nobody uses, and one change more: there is something to write, to remove and to make. */
static void prepare(struct world *w)
{
	static const char *const paths[] = { "a/.env", "a/b/id_rsa", "c/x.key" };
	char name[16];

	world_init(w);
	world_add_all(w, paths, COUNT_OF(paths));
	for (unsigned i = 0; i < MASK_SPARE + 2; i++) {
		struct mask m;

		(void)snprintf(name, sizeof name, "a/%u.key", i);
		world_add(w, name);
		world_make(w, &m);
		mask_finish(&m);
	}
	world_add(w, "d/.env");
}

#define ALL_HIDDEN "a/.env a/0.key a/1.key a/2.key a/3.key a/4.key a/5.key a/b/id_rsa c/x.key d/.env"

static void a_kill_at_any_step_leaves_a_usable_cache(void **state)
{
	int status = -1;

	(void)state;
	for (long step = 0; status != 0; step++) {
		struct world w;
		pid_t child;

		prepare(&w);
		child = fork();
		if (child == 0) {
			struct mask m;

			countdown = step;
			fail_with = 0;
			_exit(mask_make(&w.ask, &m, NULL) < 0 ? 1 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0));
		expect(&w, ALL_HIDDEN);
		if (step % 8 == 0)
			world_settle();
		expect(&w, ALL_HIDDEN);
		world_finish(&w);
		assert_in_range(step, 0, 500);
	}
}

static void a_kill_while_sweeping_leaves_no_half_mask(void **state)
{
	int status = -1;

	(void)state;
	for (long step = 0; status != 0; step++) {
		struct world w;
		pid_t child;

		world_init(&w);
		world_add(&w, "a/b/.env");
		world_add(&w, "c/id_rsa");
		world_settle(); /* so that the mask would be used again */
		expect(&w, "a/b/.env c/id_rsa");
		child = fork();
		if (child == 0) {
			countdown = step;
			fail_with = 0;
			_exit(mask_sweep(w.cache_fd, NULL) < 0 ? 1 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0));
		expect(&w, "a/b/.env c/id_rsa");
		world_finish(&w);
		assert_in_range(step, 0, 100);
	}
}

static int lowest_free_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int number = fd;

	fd_close(&fd);
	return number;
}

static void any_call_may_fail(void **state)
{
	bool all_done = false;

	(void)state;
	for (long step = 0; !all_done; step++) {
		struct world w;
		struct mask m;
		struct err e = { .msg = "" };
		int free_before, r;

		prepare(&w);
		free_before = lowest_free_fd();
		fail_with = ENOSPC;
		countdown = step;
		r = mask_make(&w.ask, &m, &e);
		all_done = countdown >= 0;
		countdown = -1;
		if (r == 0)
			world_check_layer(&w, &m);
		else if (e.msg[0] == 0 || m.dir[0] != 0 || m.lock_fd >= 0 || m.list.n != 0)
			fail_msg("step %ld: half a mask", step);
		mask_finish(&m);
		assert_int_equal(lowest_free_fd(), free_before);
		expect(&w, ALL_HIDDEN);
		world_finish(&w);
		assert_in_range(step, 0, 500);
	}
}

static void make_masks(struct world *w, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		struct mask m;
		struct err e;
		struct stat st;
		char path[4096];

		if (mask_make(&w->ask, &m, &e) < 0)
			_exit(1);
		for (uint32_t k = 0; k < m.list.n; k++) {
			const struct mask_entry entry = mask_list_entry(&m.list, k);

			(void)snprintf(path, sizeof path, "%s/%s", m.dir, entry.path);
			if (fstatat(w->cache_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			    S_ISCHR(st.st_mode) != (entry.kind == MASK_HIDDEN))
				_exit(2);
		}
		mask_finish(&m);
	}
}

static void several_at_once_get_whole_masks(void **state)
{
	struct world w;
	pid_t children[3];
	int status;

	(void)state;
	world_init(&w);
	world_add(&w, "a/b/.env");
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			make_masks(&w, 150);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < 150; i++) { /* the tree changes all the while */
		world_add(&w, "a/x.key");
		make_masks(&w, 1);
		world_remove(&w, "a/x.key");
	}
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	expect(&w, "a/b/.env");
	assert_int_equal(mask_sweep(w.cache_fd, NULL), 0);
	world_settle();
	expect(&w, "a/b/.env");
	world_finish(&w);
}

static void a_cache_of_others_is_refused(void **state)
{
	struct world w;
	struct err e;
	struct stat st;
	char name[64];
	int fd = -1;

	(void)state;
	world_init(&w);
	assert_int_equal(fstat(w.tree_fd, &st), 0);
	(void)snprintf(name, sizeof name, ".mask-%llx-%llx", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	assert_int_equal(fchmodat(w.store_fd, name, 0770, 0), 0);
	assert_int_equal(mask_cache_open(w.store_fd, w.tree_fd, w.path, &fd, &e), -AMBIT_UNTRUSTED);
	assert_int_equal(mask_tree_remove(w.store_fd, name), 0);
	assert_int_equal(symlinkat("/tmp", w.store_fd, name), 0);
	assert_int_equal(mask_cache_open(w.store_fd, w.tree_fd, w.path, &fd, &e), -AMBIT_SYSTEM);
	assert_int_equal(fd, -1);
	world_finish(&w);
}

/* Of a tree that is gone, and in nobody's use. */
static void the_cache_of_a_tree_that_is_gone_goes(void **state)
{
	char name[64];
	struct world w;
	struct stat st;
	struct mask m;
	int fd = -1;

	(void)state;
	world_init(&w);
	assert_int_equal(fstat(w.tree_fd, &st), 0);
	(void)snprintf(name, sizeof name, MASK_CACHE_NAME, (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	world_add(&w, ".env");
	world_make(&w, &m);
	assert_int_equal(mkdirat(w.store_fd, "e_1", 0700), 0);
	assert_false(mask_cache_sweep(w.store_fd, "e_1")); /* no cache */
	fd_close(&w.cache_fd);
	assert_int_equal(mask_cache_open(w.store_fd, w.tree_fd, w.path, &fd, NULL), 0);
	assert_int_equal(renameat(w.root_fd, "tree", w.root_fd, "moved"), 0);
	assert_false(mask_cache_sweep(w.store_fd, name)); /* two use it, */
	fd_close(&fd);
	assert_false(mask_cache_sweep(w.store_fd, name)); /* one, */
	mask_finish(&m);
	assert_int_equal(renameat(w.root_fd, "moved", w.root_fd, "tree"), 0);
	assert_false(mask_cache_sweep(w.store_fd, name)); /* nobody, but its tree is there, */
	assert_int_equal(renameat(w.root_fd, "tree", w.root_fd, "moved"), 0);
	assert_int_equal(mkdirat(w.root_fd, "tree", 0755), 0);
	assert_true(mask_cache_sweep(w.store_fd, name)); /* and now another is */
	assert_int_equal(fstatat(w.store_fd, name, &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(mask_cache_open(w.store_fd, w.tree_fd, w.path, &w.cache_fd, NULL), 0);
	w.ask.cache_fd = w.cache_fd;
	expect(&w, ".env");
	world_finish(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_grant_names_is_shown),
		cmocka_unit_test(what_the_tree_is_called_counts),
		cmocka_unit_test(lookups_tell_what_a_commit_must_leave),
		cmocka_unit_test(the_index_misses_no_change),
		cmocka_unit_test(another_directory_of_the_same_ctime_is_seen),
		cmocka_unit_test(a_change_costs_one_listing),
		cmocka_unit_test(what_counts_as_recent),
		cmocka_unit_test(what_is_recent_is_not_believed),
		cmocka_unit_test(a_change_in_the_same_tick_is_seen),
		cmocka_unit_test(what_is_found_is_what_a_fresh_look_finds),
		cmocka_unit_test(a_broken_index_is_as_good_as_none),
		cmocka_unit_test(what_is_decoded_is_sound),
		cmocka_unit_test(links_that_may_be_obeyed_are_kept),
		cmocka_unit_test(any_number_of_links),
		cmocka_unit_test(files_that_may_be_obeyed_are_kept),
		cmocka_unit_test(any_number_of_files),
		cmocka_unit_test(a_mask_gives_what_was_found),
		cmocka_unit_test(a_pipe_wants_a_layer),
		cmocka_unit_test(a_home_is_looked_at_where_it_is_obeyed),
		cmocka_unit_test(a_directory_of_many_hidden_names_is_hidden),
		cmocka_unit_test(many_hidden_names_in_the_tree_itself),
		cmocka_unit_test(ctime_of_other_file_systems_is_not_believed),
		cmocka_unit_test(a_mask_of_another_boot_is_not_used),
		cmocka_unit_test(masks_are_shared_and_outlive_changes),
		cmocka_unit_test(few_unused_masks_stay),
		cmocka_unit_test(the_store_is_shown_empty),
		cmocka_unit_test(limits_hold_exactly),
		cmocka_unit_test(a_deep_tree_is_shown_as_far_as_paths_reach),
		cmocka_unit_test(attributes_are_copied),
		cmocka_unit_test(a_kill_at_any_step_leaves_a_usable_cache),
		cmocka_unit_test(a_kill_while_sweeping_leaves_no_half_mask),
		cmocka_unit_test(any_call_may_fail),
		cmocka_unit_test(several_at_once_get_whole_masks),
		cmocka_unit_test(a_cache_of_others_is_refused),
		cmocka_unit_test(the_cache_of_a_tree_that_is_gone_goes),
	};

	world_drop();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
