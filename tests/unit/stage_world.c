#include "stage_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "stage/before.h"
#include "stage/copy.h"
#include "stage/remove.h"
#include "stage/scan_file.h"
#include "stage/sys.h"

#define MUST(call)                                                                                                     \
	do {                                                                                                           \
		if ((call) < 0)                                                                                        \
			fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #call, strerror(errno));                         \
	} while (0)

static int at(struct world *w, const char *path)
{
	return strncmp(path, "stage/", 6) == 0 ? w->other_fd : w->root_fd;
}

static int open_at(struct world *w, const char *path, int flags)
{
	const int fd = openat(at(w, path), path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		fail_msg("open %s: %s", path, strerror(errno));
	return fd;
}

static bool room_in(const char *dir, char room[64])
{
	char attribute[80];
	bool good;
	int fd;

	(void)snprintf(room, 64, "%s/ambit-stage-XXXXXX", dir);
	if (mkdtemp(room) == NULL)
		return false;
	(void)snprintf(attribute, sizeof attribute, "%s/x", room);
	fd = open(attribute, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	good = fd >= 0 && fsetxattr(fd, "user.x", "y", 1, 0) == 0;
	if (fd >= 0)
		(void)close(fd);
	(void)unlink(attribute);
	if (!good)
		(void)rmdir(room);
	return good;
}

bool world_open(struct world *w, enum world_place place)
{
	const char *tmp = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
	struct stat a, b;

	*w = (struct world){ .root_fd = -1, .other_fd = -1 };
	(void)umask(022);
	if (place == WORLD_DISK || place == WORLD_BACK || !room_in("/dev/shm", w->root))
		assert_true(room_in(tmp, w->root));
	(void)snprintf(w->other, sizeof w->other, "%s", w->root);
	if ((place == WORLD_TWO && !room_in(tmp, w->other)) ||
	    (place == WORLD_BACK && !room_in("/dev/shm", w->other))) {
		(void)rmdir(w->root);
		return false;
	}
	MUST(w->root_fd = open(w->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(w->other_fd = open(w->other, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(fstat(w->root_fd, &a));
	MUST(fstat(w->other_fd, &b));
	MUST(mkdirat(w->root_fd, "real", 0755));
	if ((place != WORLD_TWO && place != WORLD_BACK) || a.st_dev != b.st_dev)
		return true;
	world_close(w);
	return false;
}

static void keep_before(struct world *w)
{
	auto_fd int tree_fd = open_at(w, "real", O_PATH | O_DIRECTORY);
	const struct scan_ask ask = {
		.tree_fd = tree_fd,
		.name = "real",
		.path = w->meta->trees[0].real,
		.limits = { SCAN_DIRECTORIES_MAX, SCAN_NAMES_MAX, SCAN_TEXT_MAX },
	};
	char name[BEFORE_NAME_MAX];
	struct scan scan;
	struct err e;

	if (scan_tree(&ask, NULL, &scan, &e) != 0)
		fail_msg("%s: %s", e.msg, e.why);
	before_name(0, name);
	assert_int_equal(scan_save(w->stage.dir_fd, name, &scan), 0);
	scan_finish(&scan);
}

void world_stage(struct world *w)
{
	struct stage_tree *t;
	struct stat real;

	wait_tick();
	w->meta = calloc(1, sizeof *w->meta);
	assert_non_null(w->meta);
	(void)snprintf(w->meta->event, sizeof w->meta->event, "e_test");
	w->meta->n_trees = 1;
	t = &w->meta->trees[0];
	(void)snprintf(t->real, sizeof t->real, "%s/real", w->root);
	(void)snprintf(t->dir, sizeof t->dir, "%s/stage/0", w->other);
	MUST(fstatat(w->root_fd, "real", &real, 0));
	t->dev = real.st_dev;
	t->ino = real.st_ino;
	t->whole = true;
	put_dir(w, "stage/", 0700);
	put_dir(w, "stage/0", 0700);
	put_dir(w, "stage/0/upper", real.st_mode & 07777);
	put_mtime(w, "stage/0/upper", real.st_mtime);
	memset(&w->stage, 0xff, sizeof w->stage); /* all -1 */
	w->stage.dir_fd = open_at(w, "stage/", O_RDONLY | O_DIRECTORY);
	w->stage.part_fd[0] = open_at(w, "stage/0", O_RDONLY | O_DIRECTORY);
	keep_before(w);
}

/* Names are removed from their directory: an absolute path lies beneath none. */
static void leave(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char above[64];
	int dir;

	(void)snprintf(above, sizeof above, "%.*s", (int)(name - path), path);
	dir = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(dir);
	assert_int_equal(remove_tree(dir, name), 0);
	(void)close(dir);
}

void world_close(struct world *w)
{
	if (w->meta != NULL) {
		fd_close(&w->stage.dir_fd);
		fd_close(&w->stage.part_fd[0]);
	}
	free(w->meta);
	w->meta = NULL;
	fd_close(&w->root_fd);
	fd_close(&w->other_fd);
	if (strcmp(w->root, w->other) != 0)
		leave(w->other);
	leave(w->root);
}

void put_mtime(struct world *w, const char *path, int64_t mtime_s)
{
	const struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = mtime_s, .tv_nsec = 5000 } };

	MUST(utimensat(at(w, path), path, t, AT_SYMLINK_NOFOLLOW));
}

void put_mode(struct world *w, const char *path, unsigned mode)
{
	MUST(fchmodat(at(w, path), path, mode, 0));
}

void put_file(struct world *w, const char *path, const char *content, unsigned mode, int64_t mtime_s)
{
	auto_fd int fd = -1;

	if (is_there(w, path))
		put_mode(w, path, 0600); /* or it could not be opened */
	fd = open_at(w, path, O_WRONLY | O_CREAT | O_TRUNC);
	assert_int_equal(fd_write_all(fd, content, strlen(content)), 0);
	put_mode(w, path, mode);
	put_mtime(w, path, mtime_s);
}

void put_dir(struct world *w, const char *path, unsigned mode)
{
	MUST(mkdirat(at(w, path), path, 0700));
	put_mode(w, path, mode);
}

void put_link(struct world *w, const char *path, const char *to)
{
	MUST(symlinkat(to, at(w, path), path));
}

void put_name(struct world *w, const char *old, const char *path)
{
	MUST(linkat(at(w, old), old, at(w, path), path, 0));
}

void put_node(struct world *w, const char *path, unsigned mode)
{
	MUST(mknodat(at(w, path), path, mode, 0));
}

void put_whiteout(struct world *w, const char *path)
{
	put_node(w, path, S_IFCHR);
}

void put_xattr(struct world *w, const char *path, const char *name, const char *value)
{
	auto_fd int fd = open_at(w, path, O_RDONLY);
	struct stat st;

	MUST(fstat(fd, &st));
	MUST(fchmod(fd, (st.st_mode & 07777) | 0200));
	MUST(fsetxattr(fd, name, value, strlen(value), 0));
	MUST(fchmod(fd, st.st_mode & 07777));
}

void take(struct world *w, const char *path)
{
	assert_int_equal(remove_tree(at(w, path), path), 0);
}

bool is_there(struct world *w, const char *path)
{
	struct stat st;

	return fstatat(at(w, path), path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool has_xattr(struct world *w, const char *path, const char *name)
{
	auto_fd int fd = open_at(w, path, O_RDONLY);

	return fgetxattr(fd, name, NULL, 0) >= 0;
}

void wait_tick(void)
{
	static const struct timespec a_while = { .tv_nsec = 500000 };
	struct timespec before, now;

	MUST(clock_gettime(CLOCK_REALTIME, &before));
	do {
		(void)nanosleep(&a_while, NULL);
		MUST(clock_gettime(CLOCK_REALTIME_COARSE,
				   &now)); /* which is what the kernel puts on files, at the least */
	} while (now.tv_sec < before.tv_sec || (now.tv_sec == before.tv_sec && now.tv_nsec <= before.tv_nsec));
}

void copy_all(struct world *w, const char *from, const char *to)
{
	assert_int_equal(copy_tree(at(w, from), from, at(w, to), to), 0);
}

/* --- pictures --- */

struct line {
	char *text;
	uint64_t ino;
};

struct lines {
	struct line *all;
	size_t n;
};

static void add_xattrs(struct buf *b, int fd)
{
	char names[4096], value[256];
	const ssize_t n = flistxattr(fd, names, sizeof names);

	for (const char *name = names; name < names + (n < 0 ? 0 : n); name += strlen(name) + 1) {
		const ssize_t len = fgetxattr(fd, name, value, sizeof value);

		if (strncmp(name, "security.", 9) != 0)
			buf_printf(b, " %s=%.*s", name, (int)(len < 0 ? 0 : len), value);
	}
}

static void add_content(struct buf *b, int fd, uint32_t mode)
{
	char content[4096];
	const ssize_t n = S_ISREG(mode) ? read(fd, content, sizeof content) : 0;

	if (n > 0)
		buf_printf(b, " '%.*s'", (int)n, content);
	add_xattrs(b, fd);
}

static void add_line(struct lines *l, int dir, const char *path, const char *name)
{
	auto_buf b;
	struct stat st;

	buf_init(&b, 65536);
	MUST(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW));
	buf_printf(&b, "%s %o", path, (unsigned)st.st_mode);
	if (!S_ISLNK(st.st_mode))
		buf_printf(&b, " %lld.%09ld", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		auto_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		MUST(fd);
		add_content(&b, fd, st.st_mode);
	}
	if (S_ISLNK(st.st_mode)) {
		char to[256];
		const ssize_t n = readlinkat(dir, name, to, sizeof to);

		buf_printf(&b, " -> %.*s", (int)n, to);
	}
	l->all = realloc(l->all, (l->n + 1) * sizeof l->all[0]);
	l->all[l->n].text = strdup(buf_cstr(&b));
	l->all[l->n++].ino = S_ISREG(st.st_mode) && st.st_nlink > 1 ? st.st_ino : 0;
}

static void add_lines(struct lines *l, int dir, const char *path)
{
	DIR *d = fdopendir(dup(dir));
	const struct dirent *entry;
	char inside[8192];

	assert_non_null(d);
	rewinddir(d);
	while ((entry = readdir(d)) != NULL) {
		int fd;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
		add_line(l, dirfd(d), inside, entry->d_name);
		fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0) {
			add_lines(l, fd, inside);
			(void)close(fd);
		}
	}
	(void)closedir(d);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

char *picture(struct world *w, const char *dir)
{
	struct lines l = { .all = NULL };
	auto_fd int fd = open_at(w, dir, O_RDONLY | O_DIRECTORY);
	auto_buf b;
	char *text;

	buf_init(&b, (size_t)1 << 24);
	add_line(&l, fd, "", ".");
	add_lines(&l, fd, "");
	qsort(l.all, l.n, sizeof l.all[0], by_text);
	for (size_t i = 0; i < l.n; i++) {
		buf_printf(&b, "%s", l.all[i].text);
		for (size_t j = 0; j < i && l.all[i].ino != 0; j++)
			if (l.all[j].ino == l.all[i].ino) {
				buf_printf(&b, " = %zu", j);
				break;
			}
		buf_printf(&b, "\n");
	}
	for (size_t i = 0; i < l.n; i++)
		free(l.all[i].text);
	free(l.all);
	text = strdup(buf_cstr(&b));
	assert_non_null(text);
	return text;
}

/* The first line that differs is all that anybody reads. */
void assert_pictures(const char *is, const char *want, const char *what)
{
	while (*is != 0 || *want != 0) {
		const size_t n = strcspn(is, "\n"), m = strcspn(want, "\n");

		if (n != m || strncmp(is, want, n) != 0)
			fail_msg("%s:\n  is   %.*s\n  want %.*s", what, (int)n, is, (int)m, want);
		is += n + (is[n] != 0 ? 1 : 0);
		want += m + (want[m] != 0 ? 1 : 0);
	}
}

/* --- the imitation of an overlay --- */

#define PATH 512

static const char *upper(const char *path, char room[PATH])
{
	(void)snprintf(room, PATH, "stage/0/upper%s%s", path[0] != 0 ? "/" : "", path);
	return room;
}

static const char *lower(const char *path, char room[PATH])
{
	(void)snprintf(room, PATH, "real%s%s", path[0] != 0 ? "/" : "", path);
	return room;
}

static bool is_whiteout(struct world *w, const char *path)
{
	struct stat st;

	return fstatat(at(w, path), path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode);
}

/* Whether the event sees something of the real tree under that name, as long as upper has nothing there itself. */
static bool shows_through(struct world *w, const char *path)
{
	char part[PATH - 32], room[PATH];

	(void)snprintf(part, sizeof part, "%s", path);
	if (!is_there(w, lower(path, room)))
		return false;
	for (;;) {
		char *slash = strrchr(part, '/');
		struct stat st;

		if (slash != NULL)
			*slash = 0;
		else
			return true;
		if (fstatat(w->other_fd, upper(part, room), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (!S_ISDIR(st.st_mode) || has_xattr(w, room, "user.overlay.opaque")))
			return false;
	}
}

void up_copy(struct world *w, const char *path)
{
	char from[PATH], to[PATH];
	struct stat st;

	up_dirs(w, path);
	if (is_there(w, upper(path, to)))
		return;
	MUST(fstatat(w->root_fd, lower(path, from), &st, AT_SYMLINK_NOFOLLOW));
	assert_int_equal(copy_one(w->root_fd, from, w->other_fd, to), 0);
	if (S_ISDIR(st.st_mode))
		put_mode(w, to, st.st_mode & 07777);
	if (!S_ISLNK(st.st_mode)) {
		const struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, st.st_mtim };

		put_mode(w, to, (st.st_mode & 07777) | 0200);
		put_xattr(w, to, "user.overlay.origin", "");
		put_mode(w, to, st.st_mode & 07777);
		MUST(utimensat(w->other_fd, to, t, 0));
	}
}

void up_dirs(struct world *w, const char *path)
{
	char part[PATH - 32], room[PATH];
	char *slash;

	(void)snprintf(part, sizeof part, "%s", path);
	slash = strrchr(part, '/');
	if (slash == NULL)
		return;
	*slash = 0;
	if (!is_there(w, upper(part, room)))
		up_copy(w, part);
}

/* Makes room for a new name. */
static void up_clear(struct world *w, const char *path)
{
	char room[PATH];

	up_dirs(w, path);
	if (is_there(w, upper(path, room)))
		take(w, room);
}

void up_write(struct world *w, const char *path, const char *content, unsigned mode, int64_t mtime_s)
{
	char room[PATH];

	up_dirs(w, path);
	if (is_whiteout(w, upper(path, room)))
		take(w, room);
	else if (!is_there(w, room) && shows_through(w, path))
		up_copy(w, path);
	put_file(w, upper(path, room), content, mode, mtime_s);
}

void up_mkdir(struct world *w, const char *path, unsigned mode)
{
	char room[PATH];

	up_clear(w, path);
	put_dir(w, upper(path, room), mode | 0700);
	put_xattr(w, room, "user.overlay.opaque", "y");
	put_mode(w, room, mode);
}

void up_symlink(struct world *w, const char *path, const char *to)
{
	char room[PATH];

	up_clear(w, path);
	put_link(w, upper(path, room), to);
}

void up_remove(struct world *w, const char *path)
{
	char room[PATH];
	const bool covers = shows_through(w, path);

	up_clear(w, path);
	if (covers)
		put_whiteout(w, upper(path, room));
}

void up_rename(struct world *w, const char *from, const char *to)
{
	char a[PATH], b[PATH];
	struct stat st;
	const bool covers = shows_through(w, from);

	if (!is_there(w, upper(from, a)))
		up_copy(w, from);
	up_clear(w, to);
	MUST(fstatat(w->other_fd, a, &st, AT_SYMLINK_NOFOLLOW));
	MUST(renameat(w->other_fd, a, w->other_fd, upper(to, b)));
	if (covers)
		put_whiteout(w, a);
}

void up_link(struct world *w, const char *old, const char *path)
{
	char a[PATH], b[PATH];

	if (!is_there(w, upper(old, a)))
		up_copy(w, old);
	up_clear(w, path);
	put_name(w, a, upper(path, b));
}

/* --- scenes --- */

#define SCENE_TIME 1000000000 /* of files that are made, so that models agree */

struct words {
	char room[1024];
	const char *what, *a, *b;
};

/* Takes the next command; NULL at the end. */
static const char *next_command(const char *text, struct words *ret)
{
	size_t n;
	char *save = NULL;

	text += strspn(text, "; ");
	n = strcspn(text, ";");
	if (n == 0)
		return NULL;
	(void)snprintf(ret->room, sizeof ret->room, "%.*s", (int)n, text);
	ret->what = strtok_r(ret->room, " ", &save);
	ret->a = strtok_r(NULL, " ", &save);
	ret->b = strtok_r(NULL, " ", &save);
	ret->a = ret->a != NULL ? ret->a : "";
	ret->b = ret->b != NULL ? ret->b : "";
	return text + n;
}

static void do_plain(struct world *w, const char *dir, char what, const char *a, const char *b)
{
	char path[PATH], other[PATH];

	a = strcmp(a, ".") == 0 ? "" : a;
	(void)snprintf(path, sizeof path, "%s%s%s", dir, a[0] != 0 ? "/" : "", a);
	(void)snprintf(other, sizeof other, "%s/%s", dir, b);
	switch (what) {
	case 'f': put_file(w, path, b, 0644, SCENE_TIME); break;
	case 'd': put_dir(w, path, 0755); break;
	case 'l': put_link(w, path, b); break;
	case 'n': put_name(w, path, other); break;
	case 'x': take(w, path); break;
	case 'm': MUST(renameat(w->root_fd, path, w->root_fd, other)); break;
	case 'o': put_mode(w, path, (unsigned)strtoul(b, NULL, 8)); break;
	case 'w': put_whiteout(w, path); break;
	case 'p': put_node(w, path, S_IFIFO | 0600); break;
	case 's': put_node(w, path, S_IFSOCK | 0600); break;
	case 'a': put_xattr(w, path, b, "v"); break;
	case 't': put_mtime(w, path, strtol(b, NULL, 10)); break;
	default: fail_msg("scene: %c %s", what, a);
	}
}

static void do_program(struct world *w, char what, const char *a, const char *b)
{
	char room[PATH];

	a = strcmp(a, ".") == 0 ? "" : a;
	switch (what) {
	case 'W': up_write(w, a, b, 0644, SCENE_TIME); break;
	case 'D': up_mkdir(w, a, 0755); break;
	case 'L': up_symlink(w, a, b); break;
	case 'N': up_link(w, a, b); break;
	case 'X': up_remove(w, a); break;
	case 'M': up_rename(w, a, b); break;
	case 'C': up_copy(w, a); break;
	case 'O':
		up_copy(w, a);
		put_mode(w, upper(a, room), (unsigned)strtoul(b, NULL, 8));
		break;
	case 'A':
		up_copy(w, a);
		put_xattr(w, upper(a, room), b, "v");
		break;
	default: fail_msg("scene: %c %s", what, a);
	}
}

void scene(struct world *w, const char *text)
{
	struct words v;

	while ((text = next_command(text, &v)) != NULL) {
		if (v.what[0] == '=')
			do_plain(w, "stage/0/upper", v.what[1], v.a, v.b);
		else if (v.what[0] >= 'a')
			do_plain(w, "real", v.what[0], v.a, v.b);
		else
			do_program(w, v.what[0], v.a, v.b);
	}
}

static void model_clear(struct world *w, const char *dir, const char *a)
{
	char path[PATH];

	(void)snprintf(path, sizeof path, "%s/%s", dir, a);
	if (is_there(w, path))
		take(w, path);
}

/* Without joining: a name of a file of several names is written as a file of its own. */
static void model_part(struct world *w, const char *dir, const char *a)
{
	char path[PATH], other[PATH];

	(void)snprintf(path, sizeof path, "%s/%s", dir, a);
	(void)snprintf(other, sizeof other, "%s/.part", dir);
	assert_int_equal(copy_one(w->root_fd, path, w->root_fd, other), 0);
	MUST(renameat(w->root_fd, other, w->root_fd, path));
}

static bool is_old_name(struct world *w, const char *dir, const char *a)
{
	char path[PATH];
	struct stat st, real;

	(void)snprintf(path, sizeof path, "real/%s", a);
	if (fstatat(w->root_fd, path, &real, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(real.st_mode) || real.st_nlink < 2)
		return false;
	(void)snprintf(path, sizeof path, "%s/%s", dir, a);
	return fstatat(w->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > 1;
}

void scene_model(struct world *w, const char *text, const char *dir)
{
	struct words v;
	char a[PATH], b[PATH];

	while ((text = next_command(text, &v)) != NULL) {
		const char what = v.what[0];

		if (what != 'X' && what != 'C' && is_old_name(w, dir, v.a))
			model_part(w, dir, v.a);
		if (what == 'D' || what == 'L' || what == 'X' || what == 'x')
			model_clear(w, dir, v.a);
		if (what == 'N' || what == 'M')
			model_clear(w, dir, v.b);
		(void)snprintf(a, sizeof a, "%s/%s", dir, v.a);
		(void)snprintf(b, sizeof b, "%s/%s", dir, v.b);
		if (what == 'M')
			MUST(renameat(w->root_fd, a, w->root_fd, b));
		else if (what != 'X' && what != 'x' && what != 'C')
			do_plain(w, dir, (char)(what == 'W' ? 'f' : what | 0x20), v.a, v.b);
	}
}
