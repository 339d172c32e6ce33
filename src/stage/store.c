#include "stage/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/filesystem.h"
#include "core/grant.h"
#include "stage/before.h"
#include "stage/place.h"
#include "stage/remove.h"

void stage_init(struct stage *s)
{
	s->dir_fd = s->lock_fd = -1;
	for (size_t i = 0; i < STAGE_TREES_MAX; i++)
		s->part_fd[i] = s->tree_lock[i] = -1;
}

void stage_finish(struct stage *s)
{
	for (size_t i = 0; i < STAGE_TREES_MAX; i++) {
		fd_close(&s->part_fd[i]);
		fd_close(&s->tree_lock[i]);
	}
	fd_close(&s->dir_fd);
	fd_close(&s->lock_fd);
}

static int cannot_make(const char *what, int sys_errno, struct err *e)
{
	return err_sys(e, AMBIT_SYSTEM, sys_errno,
		       sys_errno == ENOSPC || sys_errno == EDQUOT
			       ? "free some space; `ambit stage list` shows what is kept"
			       : "--direct writes in place",
		       "cannot stage changes: %s", what);
}

int stage_write_meta(const struct stage *s, const struct stage_meta *m, enum stage_write how, struct err *e)
{
	auto_fd int fd = openat(s->dir_fd, "meta.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	auto_buf b = { .max = 0 };
	int r;

	buf_init(&b, STAGE_META_MAX);
	stage_meta_encode(&b, m);
	if (b.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to describe the stage");
	r = fd < 0 ? -errno : fd_write_all(fd, b.data, b.len);
	if (r == 0 && how != STAGE_WRITE_CACHED && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(s->dir_fd, "meta.new", s->dir_fd, "meta") < 0)
		r = -errno;
	if (r == 0 && how == STAGE_WRITE_NOW && fsync(s->dir_fd) < 0)
		r = -errno;
	return r < 0 ? cannot_make("its description", -r, e) : 0;
}

void stage_tree_lock_name(const struct stage_tree *t, char ret[64])
{
	(void)snprintf(ret, 64, STORE_LOCK_PREFIX "%llx-%llx", (unsigned long long)t->dev, (unsigned long long)t->ino);
}

/* Whoever was last takes the file away, so one that was opened may be nobody's any more: then it is another's turn. */
int stage_tree_lock(int store_fd, const struct stage_tree *t, int operation, int *ret_fd)
{
	char name[64];
	struct stat st;

	stage_tree_lock_name(t, name);
	for (;;) {
		auto_fd int fd = openat(store_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0 || flock(fd, operation | LOCK_NB) < 0)
			return -errno;
		if (fstat(fd, &st) < 0)
			return -errno;
		if (st.st_nlink == 0)
			continue;
		*ret_fd = steal_fd(&fd);
		return 0;
	}
}

void stage_tree_unlock(int store_fd, const struct stage_tree *t, int *lock_fd)
{
	char name[64];
	struct stat st;

	stage_tree_lock_name(t, name);
	/* nobody else has it; but while the lock was exchanged somebody may have had, and the name may be another's now */
	if (*lock_fd >= 0 && flock(*lock_fd, LOCK_EX | LOCK_NB) == 0 && fstat(*lock_fd, &st) == 0 && st.st_nlink > 0)
		(void)unlinkat(store_fd, name, 0);
	fd_close(lock_fd);
}

/* A commit to the tree is short; until it is over the event would see half of it. */
int stage_tree_share(int store_fd, const struct stage_tree *t, int *ret_fd, struct err *e)
{
	int r = -EWOULDBLOCK;

	for (int waited = 0; waited < COMMIT_PATIENCE_MS; waited += COMMIT_LOOK_MS) {
		r = stage_tree_lock(store_fd, t, LOCK_SH, ret_fd);
		if (r != -EWOULDBLOCK)
			break;
		(void)poll(NULL, 0, COMMIT_LOOK_MS);
	}
	if (r == -EWOULDBLOCK)
		return err_why(e,
			       err_set(e, AMBIT_CONFLICT, "wait until it is over, and run again", "cannot begin on %s",
				       t->real),
			       "changes are being committed to it");
	return r < 0 ? cannot_make("the lock of the tree", -r, e) : 0;
}

/* Attributes of one kind that the tree's own directory has: what the event sees there is the upper one's. */
static void copy_xattrs(int from, int to)
{
	char names[4096], value[4096];
	const ssize_t all = flistxattr(from, names, sizeof names);

	for (ssize_t at = 0; at < all; at += (ssize_t)strlen(names + at) + 1) {
		const bool wanted = strncmp(names + at, "system.posix_acl_", 17) == 0 ||
				    (strncmp(names + at, "user.", 5) == 0 &&
				     strncmp(names + at, "user.overlay.", 13) != 0);
		const ssize_t n = wanted ? fgetxattr(from, names + at, value, sizeof value) : -1;

		if (n >= 0)
			(void)fsetxattr(to, names + at, value, (size_t)n, 0); /* what is missing shows as a change */
	}
}

#define ELSEWHERE                                                                                                      \
	"set XDG_STATE_HOME to a directory on another file system (ext4, xfs, btrfs; in a container, a volume); or "   \
	"--direct writes in place"

static int cannot_hold(const char *dir, struct err *e)
{
	return err_set(e, AMBIT_HOST, ELSEWHERE, "cannot stage changes in %s", dir);
}

/* What an overlay asks of the file system that it writes to. A removed name is an entry with an inode of its own kind, which a
 * listing without kinds would show. */
static int check_upper(int part_fd, int upper_fd, const char *dir, struct err *e)
{
	const char *name = filesystem_name(upper_fd);

	if (!filesystem_takes_overlay(upper_fd))
		return err_why(e, cannot_hold(dir, e), "no overlay can write to its file system, %s", name);
	if (fsetxattr(upper_fd, "user.overlay.opaque", "n", 1, 0) < 0 ||
	    fremovexattr(upper_fd, "user.overlay.opaque") < 0)
		return errno != ENOTSUP
			       ? cannot_make("its attributes", errno, e)
			       : err_why(e, cannot_hold(dir, e), "its file system, %s, keeps no attributes of users%s",
					 name, strcmp(name, "tmpfs") == 0 ? " before Linux 6.6" : "");
	if (!filesystem_tells_kinds(part_fd))
		return err_why(e, cannot_hold(dir, e),
			       "its file system, %s, was made without the kinds of files in directories (ftype)", name);
	return 0;
}

/* The upper directory looks as the tree itself does. */
static int make_upper(int part_fd, const char *dir, int tree_fd, const struct stat *tree, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, tree->st_mtim };
	auto_fd int upper = -1, readable = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (mkdirat(part_fd, "upper", 0700) < 0 || mkdirat(part_fd, "work", 0700) < 0)
		return cannot_make("its directories", errno, e);
	upper = openat(part_fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0)
		return cannot_make("its directories", errno, e);
	r = check_upper(part_fd, upper, dir, e);
	if (r < 0)
		return r;
	if (geteuid() == 0 && (fchown(part_fd, tree->st_uid, tree->st_gid) < 0 ||
			       fchownat(part_fd, "work", tree->st_uid, tree->st_gid, 0) < 0 ||
			       fchown(upper, tree->st_uid, tree->st_gid) < 0))
		return cannot_make("the owner of its directories", errno, e);
	if (readable >= 0)
		copy_xattrs(readable, upper);
	if (fchmod(upper, tree->st_mode & 07777) < 0 || futimens(upper, times) < 0)
		return cannot_make("the mode of its directories", errno, e);
	return 0;
}

/* What an overlay leaves in its work directory, in directories of mode 0: `incompat` is of one that is `volatile`, which would
 * refuse to be mounted there again. No cell can put anything there. */
static void remove_overlay(int part_fd)
{
	static const char *const directories[] = { "work/work", "work/work/incompat", "work/work/incompat/volatile" };
	size_t n = 0;

	while (n < sizeof directories / sizeof directories[0] && fchmodat(part_fd, directories[n], 0700, 0) == 0)
		n++; /* none: it was never mounted */
	(void)unlinkat(part_fd, "work/work/incompat/volatile/dirty", 0);
	while (n > 0)
		(void)unlinkat(part_fd, directories[--n], AT_REMOVEDIR); /* what fails shows in removing `work` */
}

/* Of a stage of which nothing was changed every directory is empty. */
static bool remove_part(int part_fd, const char *dir, const char *event)
{
	char above[STAGE_PATH_MAX];
	char *slash;

	remove_overlay(part_fd);
	(void)unlinkat(part_fd, "work/index", AT_REMOVEDIR);
	if ((unlinkat(part_fd, "work", AT_REMOVEDIR) < 0 && errno != ENOENT) ||
	    (unlinkat(part_fd, "upper", AT_REMOVEDIR) < 0 && errno != ENOENT) || rmdir(dir) < 0)
		return false;
	(void)snprintf(above, sizeof above, "%s", dir);
	slash = strrchr(above, '/');
	*slash = 0; /* of the event, where it is not the store's own; and of the person, if it is empty now */
	if (strcmp(strrchr(above, '/') + 1, event) == 0 && rmdir(above) == 0) {
		slash = strrchr(above, '/');
		*slash = 0;
		if (strncmp(strrchr(above, '/') + 1, ".ambit-", 7) == 0)
			(void)rmdir(above); /* others may be there */
	}
	return true;
}

static int make_part(const struct place_ask *ask, struct stage *s, struct stage_tree *t, const struct stat *tree,
		     struct err *e)
{
	struct stat st;
	int r = place_make_part(ask, t->dir, sizeof t->dir, &s->part_fd[ask->index], e);

	if (r < 0)
		return r;
	if (fstat(s->part_fd[ask->index], &st) < 0)
		return cannot_make("its directories", errno, e);
	t->part_ino = st.st_ino;
	return make_upper(s->part_fd[ask->index], t->dir, ask->tree_fd, tree, e);
}

/* Where the tree's own file system cannot hold a part, the store may. */
static int make_part_apart(struct place_ask *ask, struct stage *s, struct stage_tree *t, const struct stat *tree,
			   struct err *e)
{
	(void)remove_part(s->part_fd[ask->index], t->dir, ask->event); /* nobody ever wrote there */
	fd_close(&s->part_fd[ask->index]);
	err_clear(e);
	ask->apart = true;
	return make_part(ask, s, t, tree, e);
}

static int make_tree(const char *store, int store_fd, struct stage *s, struct stage_meta *m, uint32_t i, struct err *e)
{
	struct stage_tree *t = &m->trees[i];
	auto_fd int tree_fd = place_open(t->real);
	struct place_ask ask = { .store = store,
				 .event = m->event,
				 .tree = t->real,
				 .store_fd = store_fd,
				 .event_fd = s->dir_fd,
				 .tree_fd = tree_fd,
				 .index = i };
	struct stat st;
	int r;

	if (tree_fd < 0 || fstat(tree_fd, &st) < 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, "check the path in the grant", "cannot open %s", t->real);
	t->dev = st.st_dev;
	t->ino = st.st_ino;
	r = stage_tree_share(store_fd, t, &s->tree_lock[i], e);
	r = r < 0 ? r : make_part(&ask, s, t, &st, e);
	if (r == -AMBIT_HOST && s->part_fd[i] >= 0 && !path_is_beneath(t->dir, store))
		r = make_part_apart(&ask, s, t, &st, e);
	return r;
}

/* <store>/<event>, locked before anybody can find it unlocked. Its name may have been given to a supervisor that was killed while it waited. */
static int make_stage(const char *store, int store_fd, struct stage *s, const char *event, struct err *e)
{
	if (mkdirat(store_fd, event, 0700) < 0 &&
	    (errno != EEXIST || !stage_sweep_waiting(store, store_fd, event) || mkdirat(store_fd, event, 0700) < 0))
		return cannot_make("its directory", errno, e);
	s->dir_fd = openat(store_fd, event, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	s->lock_fd = s->dir_fd < 0
			     ? -1
			     : openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0 || flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return cannot_make("its lock", errno, e);
	return 0;
}

int stage_remove_untouched(const char *store, struct stage *s, const struct stage_meta *m)
{
	auto_fd int store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool gone = store_fd >= 0;

	for (uint32_t i = 0; i < m->n_trees; i++) {
		char name[BEFORE_NAME_MAX];

		(void)snprintf(name, sizeof name, "unseen.%u", i); /* it fits */
		(void)unlinkat(s->dir_fd, name, 0);
		before_name(i, name);
		(void)unlinkat(s->dir_fd, name, 0);
	}
	for (uint32_t i = 0; gone && i < m->n_trees; i++)
		gone = s->part_fd[i] < 0 || remove_part(s->part_fd[i], m->trees[i].dir, m->event);
	for (uint32_t i = 0; i < m->n_trees; i++)
		if (store_fd >= 0)
			stage_tree_unlock(store_fd, &m->trees[i], &s->tree_lock[i]);
	/* last: what is left by somebody who died here is known for what it is */
	(void)unlinkat(s->dir_fd, "meta.new", 0);
	(void)unlinkat(s->dir_fd, "meta", 0);
	if (gone)
		gone = unlinkat(s->dir_fd, "lock", 0) == 0 && unlinkat(store_fd, m->event, AT_REMOVEDIR) == 0;
	stage_finish(s);
	return gone ? 0 : -AMBIT_SYSTEM;
}

static bool take_waiting(const char *store, int store_fd, const char *event, struct stage *s, struct stage_meta *m)
{
	auto_buf bytes = { .max = STAGE_META_MAX };
	auto_fd int fd = -1;
	struct rbuf r;

	s->dir_fd = openat(store_fd, event, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	s->lock_fd = s->dir_fd < 0 ? -1 : openat(s->dir_fd, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	fd = s->dir_fd < 0 ? -1 : openat(s->dir_fd, "meta", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (s->lock_fd < 0 || flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0 || fd < 0 || fd_read_into(fd, &bytes) < 0)
		return false;
	rbuf_init(&r, bytes.data, bytes.len);
	if (stage_meta_decode(&r, m, NULL) < 0 || strcmp(m->event, event) != 0 || !stage_waits(m))
		return false;
	for (uint32_t i = 0; i < m->n_trees; i++) {
		struct stat st;

		s->part_fd[i] = path_is_beneath(m->trees[i].dir, store) ? place_open(m->trees[i].dir) : -1;
		if (s->part_fd[i] < 0 || fstat(s->part_fd[i], &st) < 0 || st.st_ino != m->trees[i].part_ino)
			return false;
	}
	return true;
}

bool stage_sweep_waiting(const char *store, int store_fd, const char *event)
{
	auto_free struct stage_meta *m = calloc(1, sizeof *m);
	struct stage s;
	bool swept;

	stage_init(&s);
	swept = m != NULL && take_waiting(store, store_fd, event, &s, m) && stage_remove_waiting(store, &s, m) == 0;
	stage_finish(&s);
	return swept;
}

int stage_remove_waiting(const char *store, struct stage *s, const struct stage_meta *m)
{
	for (uint32_t i = 0; i < m->n_trees; i++)
		if (s->part_fd[i] >= 0 &&
		    (remove_tree(s->part_fd[i], "upper") < 0 || remove_tree(s->part_fd[i], "work") < 0))
			return -AMBIT_SYSTEM;
	return stage_remove_untouched(store, s, m);
}

int stage_create(const char *store, struct stage_meta *m, struct stage *ret, struct err *e)
{
	auto_fd int store_fd = -1;
	int r = place_open_store(store, &store_fd, e);

	stage_init(ret);
	if (r < 0)
		return r;
	m->state = STAGE_RUNNING;
	r = make_stage(store, store_fd, ret, m->event, e);
	for (uint32_t i = 0; i < m->n_trees && r == 0; i++)
		r = make_tree(store, store_fd, ret, m, i, e);
	r = r < 0 ? r : stage_write_meta(ret, m, STAGE_WRITE_CACHED, e);
	if (r < 0)
		(void)stage_remove_untouched(store, ret, m);
	return r;
}

static bool is_empty(int dir_fd)
{
	const int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	unsigned n = 0;

	if (d == NULL)
		return false;
	while (n <= 2 && readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n == 2; /* . and .. */
}

/* Names that an overlay puts there itself do not count. */
static bool has_attributes(int fd)
{
	char names[4096];
	const ssize_t all = flistxattr(fd, names, sizeof names);

	for (ssize_t at = 0; at < all; at += (ssize_t)strlen(names + at) + 1)
		if (strncmp(names + at, "user.overlay.", 13) != 0 && strncmp(names + at, "security.selinux", 16) != 0)
			return true;
	return all < 0;
}

static bool tree_is_untouched(int part_fd, const struct stage_tree *t)
{
	auto_fd int upper = openat(part_fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int tree = place_open(t->real);
	struct stat is, was;

	return upper >= 0 && tree >= 0 && is_empty(upper) && fstat(upper, &is) == 0 && fstat(tree, &was) == 0 &&
	       is.st_mode == was.st_mode && is.st_mtim.tv_sec == was.st_mtim.tv_sec &&
	       is.st_mtim.tv_nsec == was.st_mtim.tv_nsec && !has_attributes(upper);
}

bool stage_is_untouched(const struct stage *s, const struct stage_meta *m)
{
	for (uint32_t i = 0; i < m->n_trees; i++)
		if (!tree_is_untouched(s->part_fd[i], &m->trees[i]))
			return false;
	return true;
}
