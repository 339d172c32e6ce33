#include "usual/held.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "usual/file.h"
#include "usual/layout.h"

#define BYTES_MAX (1u << 22)

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static void name_of(const char *of, const char *event, char ret[NAME_MAX + 1])
{
	(void)snprintf(ret, NAME_MAX + 1, "%s%s", of, event);
}

/* ---- room ---- */

struct room {
	const char *of;
	size_t n;
	char oldest[NAME_MAX + 1];
};

static void count(void *of, const char *name)
{
	struct room *room = of;

	if (!begins(name, room->of))
		return;
	if (room->n++ == 0 || strcmp(name, room->oldest) < 0)
		(void)text_copy(room->oldest, sizeof room->oldest, name); /* of a directory */
}

/* Ids of events are in the order of their time. */
static int make_room(int dir_fd, const char *of, struct err *e)
{
	struct room room = { .of = of };
	int r = file_each(dir_fd, count, &room, e);

	if (r == 0 && room.n >= HELD_MAX && unlinkat(dir_fd, room.oldest, 0) < 0 && errno != ENOENT)
		r = file_cannot(e, "remove", room.oldest);
	return r;
}

static int write_beside(int dir_fd, const char *of, const char *event, const struct buf *bytes, struct err *e)
{
	char name[NAME_MAX + 1];
	const int r = make_room(dir_fd, of, e);

	name_of(of, event, name);
	return r < 0 ? r : file_write(dir_fd, name, bytes, e);
}

static int keep(int dir_fd, const char *of, const char *event, const struct deeds *d, struct err *e)
{
	auto_buf bytes = { .max = BYTES_MAX };

	deeds_encode(d, &bytes);
	if (bytes.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what an event did");
	return write_beside(dir_fd, of, event, &bytes, e);
}

int held_keep(int dir_fd, const char *event, const struct deeds *d, struct err *e)
{
	return keep(dir_fd, USUAL_HELD, event, d, e);
}

int held_slowed(int dir_fd, const char *event, const struct deeds *d, struct err *e)
{
	return keep(dir_fd, USUAL_SLOWED, event, d, e);
}

/* ---- whose they are ---- */

struct others {
	int dir_fd;
	const char *event, *principal;
	uint32_t n;
};

/* Of one that cannot be read nobody knows it. */
static void consider(void *of, const char *name)
{
	struct others *o = of;
	char whose[DEEDS_NAME_MAX];
	uint8_t head[DEEDS_HEAD_MAX];
	auto_fd int fd = -1;
	ssize_t n;

	if ((!begins(name, USUAL_HELD) && !begins(name, USUAL_REFUSED)) ||
	    strcmp(name + strlen(USUAL_HELD), o->event) == 0)
		return;
	fd = openat(o->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_all(fd, head, sizeof head);
	o->n += n > 0 && deeds_whose(head, (size_t)n, whose) && strcmp(whose, o->principal) == 0;
}

int held_others(int dir_fd, const char *event, const char *principal, uint32_t *ret, struct err *e)
{
	struct others o = { .dir_fd = dir_fd, .event = event, .principal = principal };
	const int r = file_each(dir_fd, consider, &o, e);

	*ret = o.n;
	return r;
}

/* ---- a person's word ---- */

static int nothing_held(const char *event, struct err *e)
{
	return err_set(e, AMBIT_NOT_FOUND, NULL, "no profile waits for a word on %s", event);
}

int held_read(int dir_fd, const char *event, struct deeds *ret, struct err *e)
{
	auto_buf bytes = { .max = 0 };
	char name[NAME_MAX + 1];
	int r;

	name_of(USUAL_HELD, event, name);
	r = file_read(dir_fd, name, BYTES_MAX, &bytes, e);
	if (r == -AMBIT_NOT_FOUND) {
		name_of(USUAL_SLOWED, event, name);
		r = file_read(dir_fd, name, BYTES_MAX, &bytes, e);
	}
	if (r == -AMBIT_NOT_FOUND)
		return nothing_held(event, e);
	return r < 0 ? r : deeds_decode(bytes.data, bytes.len, ret, e);
}

int held_release(int dir_fd, const char *event, struct err *e)
{
	static const char *const of[] = { USUAL_HELD, USUAL_SLOWED };
	char name[NAME_MAX + 1];

	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		name_of(of[i], event, name);
		if (unlinkat(dir_fd, name, 0) == 0)
			return 0;
		if (errno != ENOENT)
			return file_cannot(e, "remove", name);
	}
	return nothing_held(event, e);
}

int held_refuse(int dir_fd, const char *event, struct err *e)
{
	uint8_t head[DEEDS_HEAD_MAX];
	char name[NAME_MAX + 1];
	auto_fd int fd = -1;
	struct buf bytes;
	ssize_t n;
	int r = 0;

	name_of(USUAL_HELD, event, name);
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_all(fd, head, sizeof head);
	bytes = (struct buf){
		.data = head, .len = n > 0 ? (size_t)n : 0, .cap = sizeof head, .max = sizeof head, .lent = true
	};
	if (n > 0)
		r = write_beside(dir_fd, USUAL_REFUSED, event, &bytes, e);
	return r < 0 ? r : held_release(dir_fd, event, e);
}
