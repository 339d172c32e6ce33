#include "stage/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "stage/hidden.h"
#include "stage/listing.h"
#include "stage/mask_tree.h"
#include "stage/scan_file.h"

#define MAGIC "ambmask1"
#define CACHE_NAME_SIZE 64
#define BOOT_SIZE 36 /* a UUID */
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define MASKS_MAX 4096u /* in one cache; each that is in use belongs to an event */

#ifndef ZFS_SUPER_MAGIC
#define ZFS_SUPER_MAGIC 0x2fc12fc1
#endif
#ifndef BCACHEFS_SUPER_MAGIC
#define BCACHEFS_SUPER_MAGIC 0xca451a4e
#endif

static void cache_name(const struct stat *tree, char ret[CACHE_NAME_SIZE])
{
	(void)snprintf(ret, CACHE_NAME_SIZE, MASK_CACHE_NAME, (unsigned long long)tree->st_dev, /* they fit */
		       (unsigned long long)tree->st_ino);
}

static int lock(int fd, int operation)
{
	int r;

	do
		r = flock(fd, operation);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Whether the name is still that of what was opened. */
static bool is_at(int store_fd, const char *name, int fd)
{
	struct stat is, at;

	return fstat(fd, &is) == 0 && fstatat(store_fd, name, &at, AT_SYMLINK_NOFOLLOW) == 0 &&
	       is.st_dev == at.st_dev && is.st_ino == at.st_ino;
}

/* Once; without it the cache goes with the next sweep, no more. */
static void write_path(int cache_fd, const char *path)
{
	auto_fd int fd = openat(cache_fd, "tree", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)fd_write_all(fd, path, strlen(path));
}

int mask_cache_open(int store_fd, int tree_fd, const char *path, int *ret_fd, struct err *e)
{
	char name[CACHE_NAME_SIZE];
	struct stat st;

	if (fstat(tree_fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: look at the tree");
	cache_name(&st, name);
	for (;;) {
		const bool is_new = mkdirat(store_fd, name, 0700) == 0;
		auto_fd int fd = -1;
		int r;

		if (!is_new && errno != EEXIST)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: make '%s'", name);
		fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue; /* it was swept away */
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: open '%s'", name);
		if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
			return err_set(e, AMBIT_UNTRUSTED, "remove it", "hidden names: '%s' is not yours alone", name);
		r = lock(fd, LOCK_SH);
		if (r < 0)
			return err_sys(e, AMBIT_SYSTEM, -r, NULL, "hidden names: lock '%s'", name);
		if (!is_at(store_fd, name, fd))
			continue;
		if (is_new)
			write_path(fd, path);
		*ret_fd = steal_fd(&fd);
		return 0;
	}
}

void mask_init(struct mask *m)
{
	*m = (struct mask){ .lock_fd = -1 };
	mask_list_init(&m->list);
}

void mask_finish(struct mask *m)
{
	fd_close(&m->lock_fd);
	mask_list_finish(&m->list);
	m->dir[0] = 0;
}

/* What is done with a cache. */
struct job {
	int cache_fd;
	int lock_fd;          /* owned */
	char boot[BOOT_SIZE]; /* zeroes: not known */
	uint32_t *serials;    /* owned: the masks there are, the newest first */
	uint32_t n;
};

static void job_finish(struct job *j)
{
	fd_close(&j->lock_fd);
	free(j->serials);
}
#define auto_job __attribute__((cleanup(job_finish))) struct job

static void read_boot(char room[BOOT_SIZE])
{
	auto_fd int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fd_read_all(fd, room, BOOT_SIZE) != BOOT_SIZE)
		memset(room, 0, BOOT_SIZE);
}

/* "m7" and nothing else. */
static bool read_serial(const char *name, uint32_t *ret)
{
	return name[0] == 'm' && parse_u32(name + 1, 1, UINT32_MAX - 1, ret);
}

static void mask_name(uint32_t serial, char room[16])
{
	(void)snprintf(room, 16, "m%u", serial); /* it fits */
}

static int newest_first(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? 1 : -(x > y);
}

static int read_masks(struct job *j)
{
	auto_fd int fd = openat(j->cache_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_free struct listing *l = malloc(sizeof *l);
	const char *name;
	enum listing_kind unused;

	j->serials = calloc(MASKS_MAX, sizeof *j->serials);
	if (l == NULL || j->serials == NULL)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	listing_begin(l, fd);
	while ((name = listing_next(l, &unused)) != NULL && j->n < MASKS_MAX)
		j->n += read_serial(name, &j->serials[j->n]) ? 1 : 0;
	if (j->n > 1)
		qsort(j->serials, j->n, sizeof *j->serials, newest_first);
	return -l->sys_errno;
}

/* Takes the cache's lock, and sees what is there. */
static int begin(struct job *j, int cache_fd, struct err *e)
{
	int r;

	*j = (struct job){ .cache_fd = cache_fd, .lock_fd = -1 };
	j->lock_fd = openat(cache_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->lock_fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: open the cache's lock");
	r = lock(j->lock_fd, LOCK_EX);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "hidden names: lock the cache");
	read_boot(j->boot);
	r = read_masks(j);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "hidden names: list the cache") : 0;
}

static int open_mask(const struct job *j, uint32_t serial, int lock)
{
	char name[16];
	auto_fd int fd = -1;

	mask_name(serial, name);
	fd = openat(j->cache_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, lock | LOCK_NB) < 0)
		return -1;
	return steal_fd(&fd);
}

static void put_head(struct buf *out, const struct job *j)
{
	buf_put(out, MAGIC, strlen(MAGIC));
	buf_put(out, j->boot, BOOT_SIZE);
}

/* Whether the mask was made of this list in this boot: a machine that lost power may have kept a list without its layer. */
static bool is_made_of(const struct job *j, int mask_fd, const struct mask_list *l)
{
	auto_fd int fd = openat(mask_fd, "list", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const size_t head = strlen(MAGIC) + BOOT_SIZE, n = head + l->bytes.len;
	auto_free uint8_t *bytes = NULL;
	auto_buf want;
	struct stat st;

	buf_init(&want, head);
	put_head(&want, j);
	if (want.failed || j->boot[0] == 0 || fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size != n)
		return false;
	bytes = malloc(n);
	return bytes != NULL && fd_read_all(fd, bytes, n) == (ssize_t)n && memcmp(bytes, want.data, head) == 0 &&
	       memcmp(bytes + head, l->bytes.data, l->bytes.len) == 0;
}

static bool is_whole(int mask_fd)
{
	struct stat st;

	return fstatat(mask_fd, "list", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void use(struct mask *m, uint32_t serial, int lock_fd)
{
	(void)snprintf(m->dir, sizeof m->dir, "m%u/tree", serial); /* it fits */
	m->lock_fd = lock_fd;
}

static bool find(const struct job *j, struct mask *m)
{
	for (uint32_t i = 0; i < j->n; i++) {
		auto_fd int fd = open_mask(j, j->serials[i], LOCK_SH);

		if (fd >= 0 && is_made_of(j, fd, &m->list)) {
			use(m, j->serials[i], steal_fd(&fd));
			return true;
		}
	}
	return false;
}

static int write_list(const struct job *j, int mask_fd, const struct mask_list *l)
{
	auto_fd int fd = openat(mask_fd, "list.new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	auto_buf head;
	int r;

	buf_init(&head, strlen(MAGIC) + BOOT_SIZE);
	put_head(&head, j);
	if (fd < 0 || head.failed)
		return fd < 0 ? -errno : -ENOMEM;
	r = fd_write_all(fd, head.data, head.len);
	if (r == 0)
		r = fd_write_all(fd, l->bytes.data, l->bytes.len);
	if (r == 0 && renameat(mask_fd, "list.new", mask_fd, "list") < 0)
		r = -errno;
	return r;
}

/* What is left of a mask that could not be finished goes with the next sweep. */
static int build(const struct job *j, int tree_fd, struct mask *m, struct err *e)
{
	const uint32_t serial = j->n > 0 ? j->serials[0] + 1 : 1;
	auto_fd int fd = -1;
	char name[16];
	int r;

	if (j->n >= MASKS_MAX || serial == UINT32_MAX)
		return err_set(e, AMBIT_LIMIT, "end some events",
			       "hidden names: more than %u masks of the tree are in use", MASKS_MAX);
	mask_name(serial, name);
	if (mkdirat(j->cache_fd, name, 0700) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: make '%s'", name);
	fd = open_mask(j, serial, LOCK_SH);
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: lock '%s'", name);
	r = mask_tree_make(tree_fd, &m->list, fd, "tree", e);
	if (r < 0)
		return r;
	r = write_list(j, fd, &m->list);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "hidden names: write the list of '%s'", name);
	use(m, serial, steal_fd(&fd));
	m->is_new = true;
	return 0;
}

/* With its lock held alone. Without its list it is no mask any more, however far this comes. */
static int remove_mask(const struct job *j, int mask_fd, uint32_t serial)
{
	char name[16];

	mask_name(serial, name);
	if (unlinkat(mask_fd, "list", 0) < 0 && errno != ENOENT)
		return -errno;
	return mask_tree_remove(j->cache_fd, name);
}

/* Leaves `spare` of those that nobody uses, the newest. 0 or the first -errno. */
static int sweep(const struct job *j, uint32_t spare)
{
	int failed = 0;

	for (uint32_t i = 0; i < j->n; i++) {
		auto_fd int fd = open_mask(j, j->serials[i], LOCK_EX);
		int r = 0;

		if (fd < 0)
			continue; /* in use */
		if (is_whole(fd) && spare > 0)
			spare--;
		else
			r = remove_mask(j, fd, j->serials[i]);
		failed = failed < 0 ? failed : r;
	}
	return failed;
}

int mask_sweep(int cache_fd, struct err *e)
{
	auto_job j;
	int r = begin(&j, cache_fd, e);

	if (r < 0)
		return r;
	r = sweep(&j, 0);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "hidden names: remove a mask") : 0;
}

/* Whether the tree is still where it was when the cache was made. One that was moved gets another cache. */
static bool has_tree(int cache_fd, const char *name)
{
	auto_fd int fd = openat(cache_fd, "tree", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char path[4096], now[CACHE_NAME_SIZE];
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, path, sizeof path - 1);
	struct stat st;

	if (n <= 0)
		return false;
	path[n] = 0;
	if (path[0] != '/' || fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return false;
	cache_name(&st, now);
	return strcmp(name, now) == 0;
}

static bool is_in_use(int cache_fd)
{
	auto_job j = { .lock_fd = -1 };

	if (begin(&j, cache_fd, NULL) < 0)
		return true;
	for (uint32_t i = 0; i < j.n; i++) {
		auto_fd int fd = open_mask(&j, j.serials[i], LOCK_EX);

		if (fd < 0)
			return true;
	}
	return false;
}

bool mask_cache_sweep(int store_fd, const char *name)
{
	auto_fd int fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (strncmp(name, MASK_CACHE_PREFIX, strlen(MASK_CACHE_PREFIX)) != 0 || fd < 0)
		return false;
	if (has_tree(fd, name) || lock(fd, LOCK_EX | LOCK_NB) < 0 || !is_at(store_fd, name, fd) || is_in_use(fd))
		return false;
	return mask_tree_remove(store_fd, name) == 0;
}

/* Whether the kernel itself keeps the ctime of this file system's directories, and for this host alone: others set it (a
 * server, a program behind FUSE) or forge it (FAT keeps mtime for both). */
static bool has_honest_ctime(int tree_fd)
{
	struct statfs fs;

	if (fstatfs(tree_fd, &fs) < 0)
		return false;
	switch ((unsigned long)fs.f_type) {
	case EXT4_SUPER_MAGIC: /* ext2 and ext3 too */
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
	case ZFS_SUPER_MAGIC:
	case BCACHEFS_SUPER_MAGIC: return true;
	default: return false;
	}
}

/* The two last parts of an absolute path. */
static bool split(const char *path, char parent[256], char name[256])
{
	const char *last = strrchr(path, '/'), *above = last;

	if (last == NULL || !text_copy(name, 256, last + 1))
		return false;
	while (above > path && above[-1] != '/')
		above--;
	if ((size_t)(last - above) >= 256)
		return false;
	memcpy(parent, above, (size_t)(last - above));
	parent[last - above] = 0;
	return true;
}

static int scan_ask_of(const struct mask_ask *ask, const char *name, struct scan_ask *ret, struct err *e)
{
	struct stat st = { .st_ino = 0 }; /* no file has this number */

	if (ask->store_fd >= 0 && fstat(ask->store_fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: look at the store");
	*ret = (struct scan_ask){
		.tree_fd = ask->tree_fd, .name = name, .store_dev = st.st_dev, .store_ino = st.st_ino
	};
	ret->path = ask->path;
	ret->is_home = ask->is_home;
	ret->limits = ask->limits;
	if (ret->limits.directories == 0)
		ret->limits.directories = ask->is_home ? MASK_HOME_DIRECTORIES : SCAN_DIRECTORIES_MAX;
	if (ret->limits.names == 0)
		ret->limits.names = SCAN_NAMES_MAX;
	if (ret->limits.text == 0)
		ret->limits.text = SCAN_TEXT_MAX;
	return 0;
}

static const char *index_name(const struct mask_ask *ask)
{
	return ask->is_home ? "home" : "index";
}

/* What was found, from the index as far as it still holds; *ret_fresh if the index is to be written again. */
static int look(const struct mask_ask *ask, const struct scan_ask *how, struct scan *ret, bool *ret_fresh,
		struct err *e)
{
	const bool honest = ask->cache_fd >= 0 && has_honest_ctime(ask->tree_fd);
	struct scan old;
	bool loaded;
	int r;

	scan_init(&old, how->limits.text);
	loaded = honest && scan_load(ask->cache_fd, index_name(ask), how->limits.text, &old);
	r = scan_tree(how, loaded ? &old : NULL, ret, e);
	*ret_fresh = honest && r == 0 && (!loaded || ret->n_listed > 0 || ret->n_dirs != old.n_dirs);
	scan_finish(&old);
	return r;
}

static int find_or_build(const struct mask_ask *ask, const struct scan *index, struct mask *m, struct err *e)
{
	auto_job j;
	int r = begin(&j, ask->cache_fd, e);

	if (r < 0)
		return r;
	if (index != NULL)
		(void)scan_save(ask->cache_fd, index_name(ask),
				index); /* without it the next one takes longer, no more */
	if (m->list.n == 0 || ask->list_only || (m->list.settled && find(&j, m)))
		return 0;
	(void)sweep(&j, MASK_SPARE); /* what cannot be removed now may be next time */
	return build(&j, ask->tree_fd, m, e);
}

/* Another name of the index, which another event may have brought further up to date; where it cannot have one, or there is none, a file of
 * its own. */
static int keep(const struct mask_ask *ask, const struct scan *scan, struct err *e)
{
	int r;

	if (ask->keep == NULL ||
	    (has_honest_ctime(ask->tree_fd) && linkat(ask->cache_fd, index_name(ask), ask->keep_fd, ask->keep, 0) == 0))
		return 0;
	r = scan_save(ask->keep_fd, ask->keep, scan);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "free some space; or --direct writes in place",
			       "cannot stage changes: what there is")
		     : 0;
}

static int make(const struct mask_ask *ask, const struct scan_ask *how, const struct exempt *exempt, struct mask *m,
		struct err *e)
{
	struct scan scan;
	bool fresh = false;
	int r = look(ask, how, &scan, &fresh, e);

	if (r < 0)
		return r;
	m->n_directories = scan.n_dirs;
	m->n_listed = scan.n_listed;
	r = mask_list_make(how, &scan, exempt, ask->apart && scan_has_pipes(&scan), &m->list, e);
	if (r == 0 && (fresh || m->list.n > 0))
		r = find_or_build(ask, fresh ? &scan : NULL, m, e);
	r = r < 0 ? r : keep(ask, &scan, e);
	if (r == 0 && ask->scan != NULL)
		*ask->scan = scan;
	else
		scan_finish(&scan);
	return r;
}

int mask_make(const struct mask_ask *ask, struct mask *ret, struct err *e)
{
	struct exempt exempt = ask->exempt;
	struct scan_ask how = { .tree_fd = -1 };
	char parent[256];
	int r;

	mask_init(ret);
	if (ask->scan != NULL)
		scan_init(ask->scan, 0);
	if (!split(ask->path, parent, ret->name))
		return err_set(e, AMBIT_INTERNAL, NULL, "hidden names: '%s' is no absolute path", ask->path);
	r = scan_ask_of(ask, ret->name, &how, e);
	if (r < 0)
		return r;
	exempt.all = exempt.all || hidden_match(parent, ret->name) != NULL;
	r = make(ask, &how, &exempt, ret, e);
	if (r < 0)
		mask_finish(ret);
	return r;
}

int mask_scan(const struct mask_ask *ask, struct scan *ret, struct err *e)
{
	struct scan_ask how = { .tree_fd = -1 };
	char parent[256], name[256];
	bool fresh = false;
	int r;

	scan_init(ret, 0);
	if (!split(ask->path, parent, name))
		return err_set(e, AMBIT_INTERNAL, NULL, "hidden names: '%s' is no absolute path", ask->path);
	r = scan_ask_of(ask, name, &how, e);
	r = r < 0 ? r : look(ask, &how, ret, &fresh, e);
	if (r == 0 && fresh) {
		auto_job j;

		if (begin(&j, ask->cache_fd, NULL) == 0)
			(void)scan_save(ask->cache_fd, index_name(ask), ret); /* without it the next one takes longer */
	}
	return r;
}

static bool is_closed(enum mask_kind kind)
{
	return kind == MASK_UNLISTED || kind == MASK_FOREIGN || kind == MASK_DEEP;
}

bool mask_hides(const struct mask *m, const char *path)
{
	char part[4096];
	const char *end = path;

	if (m->list.n == 0 || !text_copy(part, sizeof part, path))
		return m->list.n != 0; /* a path of no system call */
	do {
		enum mask_kind kind;

		end += strcspn(end, "/");
		part[end - path] = 0;
		kind = mask_list_find(&m->list, part);
		if (kind == MASK_NOTHING)
			return false;
		if (mask_kind_is_absent(kind) || (is_closed(kind) && *end == '/'))
			return true;
		part[end - path] = *end;
	} while (*end++ == '/');
	return false;
}

bool mask_hides_beneath(const struct mask *m, const char *directory)
{
	return mask_hides(m, directory) || mask_list_find(&m->list, directory) != MASK_NOTHING;
}

const char *mask_why(const struct mask *m, struct mask_entry entry)
{
	char path[4096 + 2], parent[256], name[256];
	const struct hidden_row *row = NULL;

	switch (entry.kind) {
	case MASK_NOTHING:
	case MASK_ON_THE_WAY: return NULL;
	case MASK_UNLISTED: return "cannot be looked into";
	case MASK_FOREIGN: return "another file system, or Ambit's own";
	case MASK_DEEP: return "too deep to be looked into";
	case MASK_CROWDED: return "holds too many names that look like secrets";
	case MASK_HIDDEN: break;
	}
	if (snprintf(path, sizeof path, "/%s", entry.path) < (int)sizeof path && split(path, parent, name))
		row = hidden_match(parent[0] != 0 ? parent : m->name, name);
	return row != NULL ? row->why : "lies in what is hidden";
}
