#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/id.h"
#include "ledger/layout.h"
#include "lib/ledger.h"

static bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool in_it(char ret[GRANT_OBJECT_MAX], const char *dir, const char *name)
{
	return snprintf(ret, GRANT_OBJECT_MAX, "%s/%s", dir, name) < GRANT_OBJECT_MAX;
}

int place_find(const char *given, struct place *ret, struct err *e)
{
	static const char hint[] = "name the directory of a ledger with --ledger";
	char own[PATH_MAX], real[PATH_MAX], inside[PATH_MAX], log[PATH_MAX], key[GRANT_OBJECT_MAX];
	const int n = given != NULL ? 1 : ledger_default(own, sizeof own, e);
	const char *dir = given != NULL ? given : own;

	if (n < 0)
		return n;
	if (n == 0)
		return err_set(e, AMBIT_NOT_FOUND, hint, "with AMBIT_LEDGER=" LEDGER_NONE " there is no ledger");
	if (snprintf(inside, sizeof inside, "%s/" LEDGER_LOG, dir) >= (int)sizeof inside)
		return err_set(e, AMBIT_LIMIT, hint, "the path of the ledger is too long");
	if (realpath(dir, real) == NULL || realpath(inside, log) == NULL)
		return err_sys(e, AMBIT_NOT_FOUND, errno, hint, "there is no ledger in %s", dir);
	if (!in_it(ret->payload, real, LEDGER_PAYLOAD) || !in_it(ret->past, real, LEDGER_PAST) ||
	    !in_it(ret->witness, real, LEDGER_WITNESS) || !in_it(key, real, LEDGER_KEY) ||
	    !text_copy(ret->dir, sizeof ret->dir, real) || !text_copy(ret->log, sizeof ret->log, log))
		return err_set(e, AMBIT_LIMIT, "name one that has a shorter path", "cannot tell the path of %s", dir);
	if (!is_directory(ret->payload))
		ret->payload[0] = 0;
	if (!is_directory(ret->witness))
		ret->witness[0] = 0;
	if (!is_directory(ret->past))
		ret->past[0] = 0;
	ret->is_written = faccessat(AT_FDCWD, key, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return 0;
}

unsigned place_past(const struct place *place)
{
	unsigned n = 0;

	for (; n < LEDGER_PAST_MAX && place->past[0] != 0; n++) {
		char path[GRANT_OBJECT_MAX + 16];

		(void)snprintf(path, sizeof path, "%s/%u/" LEDGER_LOG, place->past, n + 1); /* it fits */
		if (!is_directory(path))
			break;
	}
	return n;
}

void place_index(const struct place *place, struct place_index *ret)
{
	auto_fd int fd = -1;

	*ret = (struct place_index){ .lock_fd = -1 };
	if (snprintf(ret->path, sizeof ret->path, "%s/" LEDGER_INDEX, place->dir) >= (int)sizeof ret->path) {
		ret->path[0] = 0;
		(void)err_set(&ret->why, AMBIT_LIMIT, NULL, "its path would be too long");
		return;
	}
	(void)mkdir(ret->path, 0700); /* it is there, or will be missed in a moment */
	fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		(void)err_sys(&ret->why, AMBIT_SYSTEM, errno, NULL, "its directory cannot be opened");
	else if (!directory_is_own(fd))
		(void)err_set(&ret->why, AMBIT_HOST, NULL, "its directory is another's, or others can look into it");
	if (ret->why.code != AMBIT_OK) {
		ret->path[0] = 0;
		return;
	}
	if (faccessat(fd, ".", W_OK, 0) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		ret->lock_fd = steal_fd(&fd);
}

int place_copy(const struct place *place, const char *given, char ret[GRANT_OBJECT_MAX], int *ret_lock_fd,
	       struct err *e)
{
	char real[PATH_MAX];
	auto_fd int fd = -1;

	const bool is_new = mkdir(given, 0700) == 0;

	if (!is_new && errno != EEXIST)
		return err_sys(e, AMBIT_SYSTEM, errno, "name a directory, or one that can be made", "cannot make %s",
			       given);
	if (realpath(given, real) == NULL || !text_copy(ret, GRANT_OBJECT_MAX, real))
		return err_sys(e, AMBIT_SYSTEM, errno, "name a directory", "cannot tell the path of %s", given);
	if (path_is_beneath(real, place->dir) || path_is_beneath(place->dir, real)) {
		if (is_new)
			(void)rmdir(real);
		return err_set(e, AMBIT_USAGE, "name a place elsewhere, best on another disk",
			       "a copy does not lie in the ledger, nor the ledger in its copy");
	}
	fd = open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_sys(e, fd >= 0 && errno == EWOULDBLOCK ? AMBIT_CONFLICT : AMBIT_SYSTEM, errno,
			       "wait until the other copy is done", "cannot write to %s", given);
	*ret_lock_fd = steal_fd(&fd);
	return 0;
}

bool place_is_id(char letter, const char *word)
{
	return word[0] == letter && word[1] == '_' && word[2] != 0 && strlen(word) <= ID_LEN &&
	       strspn(word + 2, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == strlen(word + 2);
}

bool place_is_event(const char *word)
{
	return strcmp(word, "last") == 0 || place_is_id('e', word);
}
