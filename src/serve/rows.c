#include "serve/rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "session/shelf.h"

uint64_t rows_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Into its place among those that are the first so far. */
static unsigned insert(char (*ret)[ID_TEXT_MAX], unsigned n, unsigned most, const char *name)
{
	unsigned at = n;

	while (at > 0 && strcmp(ret[at - 1], name) > 0)
		at--;
	if (at == most)
		return n;
	n = n < most ? n + 1 : n;
	memmove(ret[at + 1], ret[at], (n - at - 1) * sizeof *ret);
	(void)text_copy(ret[at], sizeof *ret, name); /* an id */
	return n;
}

unsigned rows_after(int sessions_fd, const char *after, char (*ret)[ID_TEXT_MAX], unsigned most)
{
	const int fd = openat(sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	unsigned n = 0;

	if (d == NULL && fd >= 0)
		(void)close(fd);
	while (d != NULL && most > 0 && (entry = readdir(d)) != NULL)
		if (id_is('s', entry->d_name, strlen(entry->d_name)) && strcmp(entry->d_name, after) > 0)
			n = insert(ret, n, most, entry->d_name);
	if (d != NULL)
		(void)closedir(d);
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
