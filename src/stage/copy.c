#include "stage/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/change.h"
#include "stage/each.h"
#include "stage/journal.h"
#include "stage/xattr.h"

static int copy_link(int from_dir, const char *from, int to_dir, const char *to)
{
	char target[CHANGE_PATH_MAX];
	const ssize_t n = readlinkat(from_dir, from, target, sizeof target - 1);

	if (n < 0)
		return -errno;
	target[n] = 0;
	return sys_symlink(target, to_dir, to);
}

static int copy_file(int from_dir, const char *from, int to_dir, const char *to, const struct look *l)
{
	auto_fd int in = sys_open_name(from_dir, from, O_RDONLY), out = -1;
	struct look then;
	int r;

	if (in < 0)
		return in;
	out = sys_create(to_dir, to, 0600);
	r = out < 0 ? out : sys_copy_data(in, out, l->id.size);
	if (r == 0)
		r = xattr_copy(in, out);
	if (r == 0)
		r = sys_chmod(out, l->id.mode);
	if (r == 0)
		r = sys_mtime(out, "", l->id.mtime_ns);
	if (r == 0)
		r = sys_look(in, "", &then);
	if (r == 0 && (then.id.size != l->id.size || then.id.mtime_ns != l->id.mtime_ns || then.id.ino != l->id.ino))
		r = -EAGAIN;
	return r;
}

static int copy_directory(int from_dir, const char *from, int to_dir, const char *to)
{
	auto_fd int in = sys_open_name(from_dir, from, O_RDONLY | O_DIRECTORY), out = -1;
	int r = in < 0 ? in : sys_mkdir(to_dir, to, 0700);

	if (r == 0)
		out = sys_open_name(to_dir, to, O_RDONLY | O_DIRECTORY);
	if (r == 0)
		r = out < 0 ? out : xattr_copy(in, out);
	return r;
}

static int copy_node(int to_dir, const char *to, const struct look *l)
{
	int r;

	if (!S_ISFIFO(l->id.mode) && !S_ISSOCK(l->id.mode))
		return -EPERM; /* a device */
	r = sys_node(to_dir, to, l->id.mode);
	if (r == 0)
		r = sys_chmod_name(to_dir, to, l->id.mode); /* the umask */
	return r;
}

/* Root works for others: what it copies stays theirs. */
static int keep_owner(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return sys_chown_name(to_dir, to, st.st_uid, st.st_gid);
}

int copy_one(int from_dir, const char *from, int to_dir, const char *to)
{
	struct look l;
	int r = sys_look(from_dir, from, &l);

	if (r < 0)
		return r;
	if (S_ISREG(l.id.mode))
		r = copy_file(from_dir, from, to_dir, to, &l);
	else if (S_ISDIR(l.id.mode))
		r = copy_directory(from_dir, from, to_dir, to);
	else
		r = S_ISLNK(l.id.mode) ? copy_link(from_dir, from, to_dir, to) : copy_node(to_dir, to, &l);
	if (r == 0 && !S_ISREG(l.id.mode) && !S_ISDIR(l.id.mode))
		r = sys_mtime(to_dir, to, l.id.mtime_ns);
	return r < 0 ? r : keep_owner(from_dir, from, to_dir, to);
}

/* Copying a tree: what is met, and the directories whose modes and times are to be set at the end. */
struct copying {
	int to_fd;           /* of the new directory */
	struct op_list dirs; /* owned; its paths too */
};

static void copying_finish(struct copying *c)
{
	for (size_t i = 0; i < c->dirs.n; i++)
		free((void *)(uintptr_t)c->dirs.ops[i].path); /* made by strdup */
	free(c->dirs.ops);
}

static int copy_inside(void *user, int dir_fd, const char *path, const char *name, const struct look *l)
{
	struct copying *c = user;
	const char *to;
	auto_fd int parent = sys_open_parent(c->to_fd, path, &to);
	const struct op row = { .kind = OP_DIR, .a = l->id, .path = S_ISDIR(l->id.mode) ? strdup(path) : NULL };

	if (S_ISDIR(l->id.mode) && (row.path == NULL || op_add(&c->dirs, &row) == NULL))
		return -ENOMEM;
	return parent < 0 ? parent : copy_one(dir_fd, name, parent, to);
}

static int set_directory(int fd, const struct ident *id)
{
	const int r = sys_chmod(fd, id->mode);

	return r < 0 ? r : sys_mtime(fd, "", id->mtime_ns);
}

static int set_directories(const struct copying *c)
{
	int r = 0;

	for (size_t i = c->dirs.n; i-- > 0 && r == 0;) {
		auto_fd int fd = sys_open_beneath(c->to_fd, c->dirs.ops[i].path, O_RDONLY | O_DIRECTORY);

		r = fd < 0 ? fd : set_directory(fd, &c->dirs.ops[i].a);
	}
	return r;
}

int copy_tree(int from_dir, const char *from, int to_dir, const char *to)
{
	__attribute__((cleanup(copying_finish))) struct copying c = { .to_fd = -1 };
	auto_fd int in = -1, out = -1;
	struct look l;
	int r = sys_look(from_dir, from, &l);

	if (r == 0)
		r = copy_one(from_dir, from, to_dir, to);
	if (r < 0 || !S_ISDIR(l.id.mode))
		return r;
	in = sys_open_name(from_dir, from, O_RDONLY | O_DIRECTORY);
	out = sys_open_name(to_dir, to, O_RDONLY | O_DIRECTORY);
	if (in < 0 || out < 0)
		return in < 0 ? in : out;
	c.to_fd = out;
	r = each_beneath(in, copy_inside, &c);
	if (r == 0)
		r = set_directories(&c);
	return r < 0 ? r : set_directory(out, &l.id);
}
