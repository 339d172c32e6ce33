#include "warden/decoys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/grant.h"

/* A device, a name that is masked, or another file that lies there for the cell is not it. */
static void find(struct decoy *c)
{
	struct stat st;

	if (fstatat(AT_FDCWD, c->path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
		c->state = errno == EACCES ? DECOY_HIDDEN : DECOY_AWAY;
		return;
	}
	c->state = S_ISREG(st.st_mode) && (uint64_t)st.st_size == c->size ? DECOY_SHOWN : DECOY_AWAY;
	c->device = st.st_dev;
	c->inode = st.st_ino;
}

bool decoys_take(struct decoys *d, struct rbuf *in)
{
	const uint32_t ends = rbuf_u32(in), n = rbuf_u32(in);

	if (ends > 1 || n > CANARIES_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct decoy *c = &d->list[i];

		c->size = rbuf_u64(in);
		rbuf_str(in, c->path, sizeof c->path);
		if (in->failed || !canary_is_path(c->path))
			return false;
		c->length = strlen(c->path);
		find(c);
		d->any_near = d->any_near || c->state != DECOY_AWAY;
	}
	d->ends = ends != 0;
	d->n = n;
	return rbuf_done(in);
}

/* What is the asking process's own in /proc, by its number: this one's would be the warden's. */
static const char *of_thread(struct decoys *d, uint32_t thread, const char *object)
{
	static const char *const own[] = { "/proc/self/", "/proc/thread-self/" };

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		const size_t n = strlen(own[i]);
		int length;

		if (strncmp(object, own[i], n) != 0)
			continue;
		length = snprintf(d->room, sizeof d->room, "/proc/%u/%s", thread, object + n);
		return length > 0 && (size_t)length < sizeof d->room ? d->room : object;
	}
	return object;
}

static void meet_file(struct decoys *d, const char *path, bool follows)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, AT_NO_AUTOMOUNT | (follows ? 0 : AT_SYMLINK_NOFOLLOW)) < 0 ||
	    !S_ISREG(st.st_mode))
		return;
	for (uint32_t i = 0; i < d->n; i++)
		if (d->list[i].state == DECOY_SHOWN && d->list[i].device == st.st_dev && d->list[i].inode == st.st_ino)
			d->touched |= UINT64_C(1) << i;
}

static bool lies_beneath(const struct decoy *c, const struct stat *directory)
{
	char above[CANARY_PATH_MAX];
	struct stat st;

	memcpy(above, c->path, sizeof above);
	for (char *end = above; (end = strchr(end + 1, '/')) != NULL; *end = '/') {
		*end = 0;
		if (fstatat(AT_FDCWD, above, &st, AT_NO_AUTOMOUNT) == 0 && st.st_dev == directory->st_dev &&
		    st.st_ino == directory->st_ino)
			return true;
	}
	return false;
}

/* Where it lies goes elsewhere, and the next event would have it there. */
static void meet_directory(struct decoys *d, const char *path)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return;
	for (uint32_t i = 0; i < d->n; i++)
		if (d->list[i].state != DECOY_AWAY && lies_beneath(&d->list[i], &st))
			d->touched |= UINT64_C(1) << i;
}

static void meet_name(struct decoys *d, const char *object)
{
	size_t length;

	if (!path_normalise("/", object, d->room, sizeof d->room))
		return;
	length = strlen(d->room);
	for (uint32_t i = 0; i < d->n; i++)
		if (d->list[i].length == length && memcmp(d->list[i].path, d->room, length) == 0)
			d->touched |= UINT64_C(1) << i;
}

void decoys_meet(struct decoys *d, uint32_t thread, const char *object, enum decoys_way way)
{
	const char *path;

	if (d->n == 0)
		return;
	meet_name(d, object);
	if (!d->any_near)
		return;
	for (uint32_t i = 0; i < d->n; i++) /* the cell may have changed who may look there */
		if (d->list[i].state == DECOY_HIDDEN)
			find(&d->list[i]);
	path = of_thread(d, thread, object);
	meet_file(d, path, way == DECOYS_FOLLOWED);
	if (way == DECOYS_MOVED)
		meet_directory(d, path);
}
