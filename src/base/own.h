/* own - small files of the person's own in a directory of the person's own.
 *
 * Owns:   the lock of such a directory, and how a file of it is read and written.
 * Holds:  what is read is a regular file of the person's that nobody else may read; no link is followed, no pipe waited for. What is written is on disk,
 *         with its name, or all is as it was. Each name is opened in a directory that was given. uid is who owns it: asked before calls are filtered.
 * Called: the roles ambit-secret and ambit-approver, the library (the list of canaries), and by the keepers of the ledger, the authority and the profiles for the lock alone; but for own_check, own_lock and own_each, which read no file, after they were confined. */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Whether the directory is the person's alone. what: as "the directory of your secrets". -DENIED. */
int own_check(int dir_fd, uid_t uid, const char *what, struct err *e);
/* For who changes something in it: the file `lock` there; held until *ret_fd is closed. -CONFLICT: somebody else has held it for long. */
int own_lock(int dir_fd, const char *what, int *ret_fd, struct err *e);

#define OWN_MISSING INT_MIN /* no code, and no count */

/* All of it, up to size; gives how many bytes. OWN_MISSING leaves *e as it was. one_name: it may have no second name (a hard link). */
int own_read(int dir_fd, uid_t uid, const char *name, bool one_name, void *ret, size_t size, struct err *e);
int own_write(int dir_fd, const char *name, const void *bytes, size_t n, struct err *e);
/* OWN_MISSING likewise. */
int own_remove(int dir_fd, const char *name, struct err *e);
/* Calls take with the name of each file until one is not 0, and gives that. -errno of the directory's. */
int own_each(int dir_fd, int (*take)(void *arg, const char *name), void *arg);

#endif
