#include "serve/rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "session/shelf.h"

#define SETTLED_MS 100

uint64_t rows_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void rows_finish(struct rows *r)
{
	free(r->ids);
	*r = (struct rows){ .ids = NULL };
}

static bool add(struct rows *r, const char *name)
{
	if (r->n == r->room) {
		const size_t room = r->room == 0 ? 256 : 2 * r->room;
		char(*ids)[ID_TEXT_MAX] = realloc(r->ids, room * sizeof *ids);

		if (ids == NULL)
			return false;
		r->ids = ids;
		r->room = room;
	}
	(void)text_copy(r->ids[r->n++], sizeof *r->ids, name); /* an id */
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void read_all(struct rows *r, int sessions_fd)
{
	const int fd = openat(sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool whole = d != NULL;

	r->n = 0;
	if (d == NULL && fd >= 0)
		(void)close(fd);
	while (whole && (entry = readdir(d)) != NULL)
		if (id_is('s', entry->d_name, strlen(entry->d_name)))
			whole = add(r, entry->d_name);
	if (d != NULL)
		(void)closedir(d);
	if (r->n > 1)
		qsort(r->ids, r->n, sizeof *r->ids, compare);
	r->is_settled = r->is_settled && whole; /* else it is read again */
}

/* Times of files go in steps of the clock's: what changed just now may change again without showing it. */
static void look(struct rows *r, int sessions_fd)
{
	const uint64_t now = rows_now_ms();
	struct stat st;
	uint64_t changed;

	if (fstat(sessions_fd, &st) < 0)
		return;
	if (r->is_settled && st.st_mtim.tv_sec == r->changed.tv_sec && st.st_mtim.tv_nsec == r->changed.tv_nsec)
		return;
	changed = (uint64_t)st.st_mtim.tv_sec * 1000 + (uint64_t)st.st_mtim.tv_nsec / 1000000;
	r->changed = st.st_mtim;
	r->is_settled = now > changed + SETTLED_MS;
	read_all(r, sessions_fd);
}

unsigned rows_after(struct rows *r, int sessions_fd, const char *after, char (*ret)[ID_TEXT_MAX], unsigned most)
{
	size_t low = 0, high;
	unsigned n = 0;

	look(r, sessions_fd);
	for (high = r->n; low < high;) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(r->ids[middle], after) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	for (; n < most && low + n < r->n; n++)
		memcpy(ret[n], r->ids[low + n], sizeof *ret);
	return n;
}

void rows_read(int sessions_fd, const char *id, struct session_row *ret)
{
	if (shelf_row(sessions_fd, id, ret) == 0 && strcmp(ret->session, id) == 0)
		return;
	*ret = (struct session_row){ .state = SESSION_BROKEN, .made_ms = id_ms(id) };
	(void)text_copy(ret->session, sizeof ret->session, id); /* an id */
}

static void name_key(uint64_t key, char ret[32])
{
	(void)snprintf(ret, 32, "key-%016llx", (unsigned long long)key); /* fits */
}

bool rows_keyed(int sessions_fd, uint64_t key, char ret[ID_TEXT_MAX])
{
	char name[32], session[ID_TEXT_MAX];
	ssize_t n;

	name_key(key, name);
	n = readlinkat(sessions_fd, name, session, sizeof session - 1);
	if (n <= 0 || !id_is('s', session, (size_t)n))
		return false;
	session[n] = 0;
	(void)text_copy(ret, ID_TEXT_MAX, session); /* of the same size */
	return true;
}

int rows_key(int sessions_fd, uint64_t key, const char *session, struct err *e)
{
	char name[32];

	name_key(key, name);
	(void)unlinkat(sessions_fd, name, 0); /* nobody's: rows_keyed was asked */
	return symlinkat(session, sessions_fd, name) < 0
		       ? err_sys(e, AMBIT_SYSTEM, errno, "make room, or see who may write in the directory of sessions",
				 "cannot note the session's key")
		       : 0;
}
