/* place - where our own executables are.
 *
 * Owns:   the directories in which helpers are looked for, in order, and who may have put them there.
 * Holds:  whoever may put a helper there may also replace the code that starts it. So there are three of this module, and each process links the one that is
 *         true of it: our own executables are looked beside (place_own.c); a host's executable never is: a helper that lies beside the `python` of
 *         somebody's venv is not ours. The shared library is looked beside (place_shared.c); a static one is a part of its host, and takes what is installed
 *         (place_installed.c). No variable of the environment has a say: a host may read those from a file that an agent wrote.
 * Called: lib/helper.c only. */
#ifndef LIB_PLACE_H
#define LIB_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PLACE_PATH_MAX 4096
#define PLACES_MAX 3

struct places {
	char directory[PLACES_MAX][PLACE_PATH_MAX];
	size_t n;
	size_t n_beside; /* so many of them, the first, are told by where the library's file is, */
	uid_t owner;     /* and that is whose, */
	mode_t mode;     /* with this mode */
};

void places_find(struct places *ret);
/* Whether what was opened in the directory i may be started. */
bool place_trusts(const struct places *p, size_t i, int fd);

/* For those who find them; -1: too long, and not taken. */
int places_add(struct places *p, const char *directory, const char *more);

#endif
