#include "stage/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "stage/place.h"
#include "stage/remove.h"

#define NS_PER_S UINT64_C(1000000000)

int shelf_open(struct shelf *s, const char *store, struct err *e)
{
	*s = (struct shelf){ .store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .store = store };
	if (s->store_fd < 0 && errno != ENOENT)
		return err_sys(e, AMBIT_SYSTEM, errno, "check its mode and owner", "cannot open %s", store);
	return 0;
}

void shelf_finish(struct shelf *s)
{
	fd_close(&s->store_fd);
}

static int not_found(const char *event, struct err *e)
{
	return err_set(e, AMBIT_NOT_FOUND, "`ambit stage list` shows what there is", "no stage %s", event);
}

static int is_damaged(const char *event, struct err *e)
{
	char hint[ERR_HINT_MAX];

	(void)snprintf(hint, sizeof hint, "`ambit discard %s` removes it", event); /* it fits */
	return err_set(e, AMBIT_MALFORMED, hint, "what is known of stage %s is damaged", event);
}

static int read_meta(int dir_fd, const char *event, struct stage_meta *ret, struct err *e)
{
	auto_fd int fd = openat(dir_fd, "meta", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	auto_free uint8_t *bytes = NULL;
	struct stat st;
	struct rbuf r;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > STAGE_META_MAX)
		return is_damaged(event, e);
	bytes = malloc((size_t)st.st_size);
	if (bytes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a stage");
	n = fd_read_all(fd, bytes, (size_t)st.st_size);
	rbuf_init(&r, bytes, n < 0 ? 0 : (size_t)n);
	return stage_meta_decode(&r, ret, NULL) < 0 || strcmp(ret->event, event) != 0 ? is_damaged(event, e) : 0;
}

/* 0: locked; -EWOULDBLOCK: in use. */
static int take_lock(int dir_fd, uint32_t wait_ms, int *ret_fd)
{
	auto_fd int fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	const int r = fd < 0 ? -errno : fd_lock(fd, wait_ms);

	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

static int open_parts(struct stage *stage, const struct stage_meta *meta, struct err *e)
{
	char hint[ERR_HINT_MAX];
	struct stat st;

	for (uint32_t i = 0; i < meta->n_trees; i++) {
		stage->part_fd[i] = place_open(meta->trees[i].dir);
		(void)snprintf(hint, sizeof hint, "%s`ambit discard %s` forgets what lay there",
			       stage->part_fd[i] < 0 ? "mount its file system; or " : "", meta->event); /* it fits */
		if (stage->part_fd[i] < 0)
			return err_sys(e, AMBIT_NOT_FOUND, errno, hint, "cannot open %s, a part of stage %s",
				       meta->trees[i].dir, meta->event);
		if (fstat(stage->part_fd[i], &st) == 0 && st.st_ino == meta->trees[i].part_ino)
			continue;
		return err_why(e,
			       err_set(e, AMBIT_UNTRUSTED, hint, "%s is not what event %s wrote to", meta->trees[i].dir,
				       meta->event),
			       "somebody put another in its place");
	}
	return 0;
}

static bool is_name(const char *event)
{
	return strncmp(event, "e_", 2) == 0 && strchr(event, '/') == NULL && strlen(event) < STAGE_ID_MAX;
}

/* Opens its directory and takes its lock: -EWOULDBLOCK with the directory open if somebody has it. */
static int open_locked(const struct shelf *s, const char *event, uint32_t wait_ms, struct stage *ret, struct err *e)
{
	int r;

	stage_init(ret);
	ret->dir_fd = s->store_fd < 0 || !is_name(event)
			      ? -1
			      : openat(s->store_fd, event, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (ret->dir_fd < 0)
		return not_found(event, e);
	r = take_lock(ret->dir_fd, wait_ms, &ret->lock_fd);
	return r == 0 || r == -EWOULDBLOCK ? r : err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot lock stage %s", event);
}

static int is_in_use(const char *event, struct err *e)
{
	return err_why(e, err_set(e, AMBIT_CONFLICT, "wait until it has ended, or end it", "stage %s is in use", event),
		       "its event still runs, or somebody commits it");
}

int shelf_take(const struct shelf *s, const char *event, uint32_t wait_ms, struct stage *ret,
	       struct stage_meta *ret_meta, bool *ret_in_use, struct err *e)
{
	int r = open_locked(s, event, wait_ms, ret, e);

	if (ret_in_use != NULL)
		*ret_in_use = r == -EWOULDBLOCK;
	if (r == -EWOULDBLOCK)
		r = ret_in_use == NULL ? is_in_use(event, e) : 0;
	r = r < 0 ? r : read_meta(ret->dir_fd, event, ret_meta, e);
	r = r < 0 ? r : open_parts(ret, ret_meta, e);
	if (r < 0)
		stage_finish(ret);
	return r;
}

int shelf_take_to_remove(const struct shelf *s, const char *event, struct stage *ret, struct stage_meta *ret_meta,
			 enum shelf_state *ret_state, struct err *e)
{
	int r = open_locked(s, event, 0, ret, e);

	r = r == -EWOULDBLOCK ? is_in_use(event, e) : r;
	if (r < 0) {
		stage_finish(ret);
		return r;
	}
	*ret_state = SHELF_WHOLE;
	if (read_meta(ret->dir_fd, event, ret_meta, NULL) < 0) {
		*ret_state = SHELF_DAMAGED;
		*ret_meta = (struct stage_meta){ .n_trees = 0 };
		(void)text_copy(ret_meta->event, sizeof ret_meta->event, event); /* an id */
	} else if (open_parts(ret, ret_meta, NULL) < 0) {
		*ret_state = SHELF_APART;
	}
	return 0;
}

/* ---- all of them ---- */

struct names {
	char (*list)[STAGE_ID_MAX]; /* owned */
	size_t n;
};

static int add_name(struct names *names, const char *name)
{
	if ((names->n & (names->n - 1)) == 0) { /* grows at powers of two */
		void *grown = realloc(names->list, (names->n == 0 ? 1 : 2 * names->n) * sizeof *names->list);

		if (grown == NULL)
			return -ENOMEM;
		names->list = grown;
	}
	(void)text_copy(names->list[names->n++], STAGE_ID_MAX, name); /* is_name measured it */
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b); /* an id begins with its time */
}

static int read_names(const struct shelf *s, struct names *ret)
{
	const int copy = s->store_fd < 0 ? -1 : openat(s->store_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int r = 0;

	while (r == 0 && d != NULL && (entry = readdir(d)) != NULL)
		if (is_name(entry->d_name))
			r = add_name(ret, entry->d_name);
	if (d != NULL)
		(void)closedir(d);
	if (ret->n > 1)
		qsort(ret->list, ret->n, sizeof *ret->list, by_name);
	return r;
}

static bool is_locked(int dir_fd)
{
	auto_fd int fd = openat(dir_fd, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

typedef int each_fn(void *user, const char *event, const struct stage_meta *meta, bool in_use);

static int each(const struct shelf *s, bool ask_locks, each_fn *fn, void *user)
{
	auto_free struct stage_meta *meta = calloc(1, sizeof *meta);
	struct names names = { .n = 0 };
	int r = meta == NULL ? -AMBIT_MEMORY : read_names(s, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_fd int dir = openat(s->store_fd, names.list[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		const bool readable = dir >= 0 && read_meta(dir, names.list[i], meta, NULL) == 0;
		const bool locked = dir >= 0 && (ask_locks || (readable && stage_waits(meta))) && is_locked(dir);

		if (readable && stage_waits(meta) && !locked) /* nobody's any more */
			(void)stage_sweep_waiting(s->store, s->store_fd, names.list[i]);
		if (dir < 0 || (readable && stage_waits(meta)))
			continue; /* gone meanwhile; or no event's yet */
		r = fn(user, names.list[i], readable ? meta : NULL, locked);
	}
	free(names.list);
	return r;
}

int shelf_each(const struct shelf *s, each_fn *fn, void *user)
{
	return each(s, true, fn, user);
}

bool shelf_has(const struct shelf *s, const char *event)
{
	return s->store_fd >= 0 && is_name(event) && faccessat(s->store_fd, event, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- removing ---- */

/* Whether it is what the event wrote to. One that cannot be opened, or is another, is nobody's that we know. */
static bool is_part(const struct stage_tree *t)
{
	auto_fd int fd = place_open(t->dir);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == t->part_ino;
}

/* The part of a tree that lies beside it, on its own file system: .ambit-UID/EVENT. */
static int remove_part(const struct shelf *s, const struct stage_tree *t, const char *event)
{
	char path[STAGE_PATH_MAX];
	auto_fd int own = -1;
	char *slash;
	int r;

	(void)snprintf(path, sizeof path, "%s", t->dir);
	slash = strrchr(path, '/');
	*slash = 0; /* the number of the tree */
	slash = strrchr(path, '/');
	if (slash == NULL || strcmp(slash + 1, event) != 0)
		return -EINVAL;
	*slash = 0;
	if (strcmp(path, s->store) == 0)
		return 0; /* it goes with the stage */
	own = place_open(path);
	if (own < 0 || !is_part(t))
		return 0; /* not mounted, or gone: it is forgotten */
	r = remove_tree(own, event);
	if (r == 0)
		(void)rmdir(path); /* others may be there */
	return r == -ENOENT ? 0 : r;
}

static int remove_stage(const struct shelf *s, const char *event, const struct stage_meta *meta, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < meta->n_trees && r == 0; i++)
		r = remove_part(s, &meta->trees[i], event);
	r = r < 0 ? r : remove_tree(s->store_fd, event);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "it is still listed; try again", "cannot remove stage %s", event)
		     : 0;
}

int shelf_remove(const struct shelf *s, struct stage *stage, struct stage_meta *meta, struct err *e)
{
	int r;

	meta->disk = STAGE_DISK_GOING;
	(void)stage_write_meta(stage, meta, STAGE_WRITE_CACHED, NULL); /* it goes all the same */
	r = remove_stage(s, meta->event, meta, e);
	for (uint32_t i = 0; i < meta->n_trees; i++)
		stage_tree_unlock(s->store_fd, &meta->trees[i], &stage->tree_lock[i]);
	stage_finish(stage);
	return r;
}

/* ---- ageing ---- */

/* What is looked at of each. */
struct aged {
	char event[STAGE_ID_MAX];
	uint64_t end_ns, bytes;
};

struct age {
	const struct shelf *shelf;
	uint64_t keep_ns, bytes;
	struct aged *list; /* owned; oldest first */
	size_t n;
	size_t latest; /* which was decided about last; SIZE_MAX: none was */
	uint64_t latest_ns;
};

/* When it may go. What was lost with its supervisor was never given a time. */
static uint64_t end_of(const struct age *age, const struct stage_meta *meta)
{
	if (meta->keep_until_ns != 0)
		return meta->keep_until_ns;
	return meta->started_ns > UINT64_MAX - age->keep_ns ? UINT64_MAX : meta->started_ns + age->keep_ns;
}

/* A decision writes meta. How long it is kept says nothing: that is as whoever decided wished. 0: nothing was decided. */
static uint64_t decided_ns(const struct age *age, const char *event, const struct stage_meta *meta)
{
	char path[STAGE_ID_MAX + sizeof "/meta"];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/meta", event); /* it fits */
	if (meta->keep_until_ns == 0 || fstatat(age->shelf->store_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (uint64_t)st.st_mtim.tv_sec * NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
}

static int add_aged(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	struct age *age = user;
	uint64_t decided;

	(void)in_use; /* not asked for: it shows in taking it */
	if (meta == NULL)
		return 0;
	if ((age->n & (age->n - 1)) == 0) { /* grows at powers of two */
		void *grown = realloc(age->list, (age->n == 0 ? 1 : 2 * age->n) * sizeof *age->list);

		if (grown == NULL)
			return -ENOMEM; /* who has no place in the list goes the next time */
		age->list = grown;
	}
	age->list[age->n] = (struct aged){ .end_ns = end_of(age, meta), .bytes = meta->bytes };
	(void)text_copy(age->list[age->n].event, STAGE_ID_MAX, event); /* an id */
	decided = decided_ns(age, event, meta);
	if (decided != 0 && decided >= age->latest_ns) {
		age->latest_ns = decided;
		age->latest = age->n;
	}
	age->n++;
	age->bytes += meta->bytes;
	return 0;
}

void shelf_age(const struct shelf *s, uint64_t now_ns, uint64_t keep_ns, uint64_t space_bytes)
{
	auto_free struct stage_meta *meta = calloc(1, sizeof *meta);
	struct age age = { .shelf = s, .keep_ns = keep_ns, .latest = SIZE_MAX };

	if (meta == NULL)
		return;
	(void)each(s, false, add_aged, &age);
	for (size_t i = 0; i < age.n; i++) {
		const struct aged *a = &age.list[i];
		const bool too_much = space_bytes != 0 && age.bytes > space_bytes;
		struct stage stage;
		int r;

		if (now_ns < a->end_ns && !(too_much && a->bytes > 0 && i != age.latest))
			continue;
		r = shelf_take(s, a->event, 0, &stage, meta, NULL, NULL);
		if (r == -AMBIT_CONFLICT)
			continue; /* in use: it stays, and counts */
		if (r == 0 && faccessat(stage.dir_fd, "journal", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			stage_finish(&stage); /* a tree is half of what lies in it */
			continue;
		}
		age.bytes -= a->bytes;
		if (r == 0)
			(void)shelf_remove(s, &stage, meta, NULL); /* what is left goes the next time */
	}
	free(age.list);
}
