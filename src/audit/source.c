#include "audit/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "ledger/tile.h"

#define DEPTH_MAX 9 /* directories of a name: its level, seven groups of digits, "807.p" */

int source_open(const char *dir, struct source *ret, struct err *e)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, NULL, "cannot open %s", dir);
	ret->dir_fd = fd;
	return 0;
}

void source_close(struct source *s)
{
	fd_close(&s->dir_fd);
}

int source_open_file(const struct source *s, const char *name)
{
	auto_fd int fd = openat(s->dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

int source_read(const struct source *s, const char *name, struct buf *ret)
{
	auto_fd int fd = source_open_file(s, name);

	buf_reset(ret);
	return fd < 0 ? fd : fd_read_into(fd, ret);
}

int source_tile(const struct source *s, unsigned level, uint64_t index, unsigned width, struct hash *ret)
{
	uint8_t bytes[TILE_WIDTH * HASH_BYTES + 1];
	char path[TILE_PATH_MAX];
	auto_fd int fd = -1;
	ssize_t n;

	tile_path(path, level, index, width);
	fd = source_open_file(s, path);
	n = fd < 0 ? fd : fd_read_all(fd, bytes, sizeof bytes);
	if (n < 0)
		return (int)n;
	if ((size_t)n != width * sizeof *ret)
		return -EBADMSG;
	memcpy(ret, bytes, (size_t)n);
	return 0;
}

int source_bundle(const struct source *s, uint64_t index, unsigned width, struct buf *ret)
{
	char path[TILE_PATH_MAX];

	tile_path(path, TILE_ENTRIES, index, width);
	return source_read(s, path, ret);
}

const char *source_why(int r)
{
	switch (-r) {
	case ENOENT: return "it is missing";
	case EBADMSG:
	case EFBIG: return "it has another length than it must have";
	case EINVAL:
	case ELOOP: return "it is not a regular file";
	default: return strerror(-r);
	}
}

/* ---- what is there ---- */

struct place {
	unsigned level;           /* or TILE_ENTRIES */
	uint64_t index;           /* of the groups of digits so far */
	bool partial;             /* in "807.p": a name is a width */
	char path[TILE_PATH_MAX]; /* beneath the log's directory; cut */
};

/* Three digits, after an x in all groups but the last. */
static bool take_group(const char *name, bool last, uint64_t *index)
{
	uint64_t value;

	if (!last && *name++ != 'x')
		return false;
	if (strspn(name, "0123456789") != 3 || name[3] != 0 || !parse_u64(name, 0, 999, &value) ||
	    *index > TREE_SIZE_MAX / 1000)
		return false;
	*index = *index * 1000 + value;
	return true;
}

/* How many entries a log has that has the tile: at least. 0: no log has it. */
static uint64_t size_of(const struct place *p, uint64_t width)
{
	const unsigned height = p->level == TILE_ENTRIES ? 0 : TILE_HEIGHT * p->level;

	if (p->index > (TREE_SIZE_MAX >> height) / TILE_WIDTH - 1)
		return 0;
	return (p->index * TILE_WIDTH + width) << height;
}

static void note_tile(struct source_found *found, const struct place *p, const char *name, uint64_t size)
{
	if (size <= found->size)
		return;
	found->size = size;
	if (snprintf(found->largest, sizeof found->largest, "%s/%s", p->path, name) >= (int)sizeof found->largest)
		found->largest[0] = 0; /* none of ours is so long */
}

static void note_strange(struct source_found *found, const char *name)
{
	if (found->strange++ == 0)
		(void)text_escape(found->stranger, sizeof found->stranger, name, strlen(name));
}

static void look_at_file(struct source_found *found, const struct place *p, unsigned depth, const char *name)
{
	struct place here = *p;
	uint64_t width = TILE_WIDTH, size;

	if (depth == 0 ||
	    (p->partial ? !parse_u64(name, 1, TILE_WIDTH - 1, &width) : !take_group(name, true, &here.index))) {
		note_strange(found, name);
		return;
	}
	size = size_of(&here, width);
	if (size == 0)
		note_strange(found, name);
	else
		note_tile(found, p, name, size);
}

/* The place that the directory of this name is; false: none of a log. */
static bool enter(const struct place *p, const char *name, unsigned depth, struct place *ret)
{
	char word[8];
	uint64_t level;
	const size_t n = strlen(name);

	*ret = *p;
	if (snprintf(ret->path, sizeof ret->path, "%s/%s", p->path, name) >= (int)sizeof ret->path || p->partial)
		return false;
	if (depth == 0) {
		ret->level = TILE_ENTRIES;
		if (strcmp(name, "entries") == 0)
			return true;
		ret->level = (unsigned)(name[0] - '0');
		return parse_u64(name, 0, TILE_LEVELS - 1, &level) && name[1] == 0;
	}
	if (n == 5 && strcmp(name + 3, ".p") == 0) {
		memcpy(word, name, 3);
		word[3] = 0;
		ret->partial = true;
		return take_group(word, true, &ret->index);
	}
	return take_group(name, false, &ret->index);
}

static int open_in(int dir_fd, const char *name)
{
	const int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int list_in(int dir_fd, const struct place *p, unsigned depth, struct source_found *found);

static int look_at(int dir_fd, const struct dirent64 *d, const struct place *p, unsigned depth,
		   struct source_found *found)
{
	struct place inner;
	auto_fd int fd = -1;

	if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
		return 0;
	if (d->d_type == DT_REG) {
		look_at_file(found, p, depth, d->d_name);
		return 0;
	}
	fd = open_in(dir_fd, d->d_name);
	if (fd == -ENOENT) /* gone meanwhile: narrow tiles go */
		return 0;
	if (fd == -ENOTDIR || fd == -ELOOP) {
		look_at_file(found, p, depth, d->d_name);
		return 0;
	}
	if (fd < 0)
		return fd;
	if (depth + 1 < DEPTH_MAX && enter(p, d->d_name, depth, &inner))
		return list_in(fd, &inner, depth + 1, found);
	note_strange(found, d->d_name);
	return 0;
}

/* getdents64 as it is: readdir wants calls that the role does not have. */
static int each_in(int dir_fd, int (*take)(void *arg, const struct dirent64 *d), void *arg)
{
	_Alignas(struct dirent64) char room[4096];

	for (;;) {
		const ssize_t n = getdents64(dir_fd, room, sizeof room);

		if (n <= 0)
			return n < 0 && errno != ENOENT ? -errno : 0; /* it was removed when its tiles were wider */
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const struct dirent64 *)(const void *)(room + at);
			const int r = take(arg, d);

			if (r < 0)
				return r;
			at += d->d_reclen;
		}
	}
}

struct looking {
	int dir_fd;
	const struct place *place;
	unsigned depth;
	struct source_found *found;
};

static int look(void *arg, const struct dirent64 *d)
{
	const struct looking *l = arg;

	return look_at(l->dir_fd, d, l->place, l->depth, l->found);
}

static int list_in(int dir_fd, const struct place *p, unsigned depth, struct source_found *found)
{
	struct looking l = { .dir_fd = dir_fd, .place = p, .depth = depth, .found = found };

	return each_in(dir_fd, look, &l);
}

int source_list(const struct source *s, struct source_found *ret)
{
	const struct place top = { .path = "tile" };
	auto_fd int fd = open_in(s->dir_fd, "tile");

	*ret = (struct source_found){ .size = 0 };
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return list_in(fd, &top, 0, ret);
}

struct naming {
	source_name_fn *take;
	void *arg;
};

static int name_one(void *arg, const struct dirent64 *d)
{
	const struct naming *n = arg;

	n->take(n->arg, d->d_name);
	return 0;
}

int source_names(const struct source *s, source_name_fn *take, void *arg)
{
	struct naming n = { .take = take, .arg = arg };
	auto_fd int fd = open_in(s->dir_fd, ".");

	return fd < 0 ? fd : each_in(fd, name_one, &n);
}
