#include "warden/decoys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/grant.h"

/* A device, a name that is masked, or another file that lies there for the cell is not it. */
static void find(struct decoy *c, uint64_t size)
{
	struct stat st;

	c->shown = fstatat(AT_FDCWD, c->path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 && S_ISREG(st.st_mode) &&
		   (uint64_t)st.st_size == size;
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
		const uint64_t size = rbuf_u64(in);

		rbuf_str(in, c->path, sizeof c->path);
		if (in->failed || !canary_is_path(c->path))
			return false;
		c->length = strlen(c->path);
		find(c, size);
		d->any_shown = d->any_shown || c->shown;
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
		if (d->list[i].shown && d->list[i].device == st.st_dev && d->list[i].inode == st.st_ino)
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

void decoys_meet(struct decoys *d, uint32_t thread, const char *object, bool follows)
{
	if (d->n == 0)
		return;
	meet_name(d, object);
	if (d->any_shown)
		meet_file(d, of_thread(d, thread, object), follows);
}
