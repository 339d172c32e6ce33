/* keyring - the files of the person's keys.
 *
 * Owns:   the names in the directory: NAME.sealed of a key that a password opens, NAME.agent of one that the agent has; so which of both is known before
 *         any file is read.
 * Holds:  base/own.h, and a file has no second name; what is not whole (key.h), of the other kind, or another key's by its head, is refused.
 * Called: ambit-approver; keyring_list also before it was confined, since it reads no file. */
#ifndef APPROVE_KEYRING_H
#define APPROVE_KEYRING_H

#include <sys/types.h>

#include "approve/key.h"

struct keyring {
	int dir_fd; /* borrowed */
	uid_t uid;  /* asked before the calls are filtered */
	uint32_t n;
	struct keyring_row {
		char name[APPROVE_NAME_MAX];
		enum approve_kind kind;
	} row[APPROVE_KEYS_MAX]; /* by their names */
};

/* The names, anew. -LIMIT: more than APPROVE_KEYS_MAX; -CONFLICT: one name twice. */
int keyring_list(struct keyring *k, struct err *e);
/* Of those that were listed. -NOT_FOUND, with the nearest as a hint. */
int keyring_find(const struct keyring *k, const char *name, const struct keyring_row **ret, struct err *e);
/* Into room, in which *ret lies. -DENIED, -MALFORMED; -NOT_FOUND: it is gone meanwhile. */
int keyring_read(const struct keyring *k, const struct keyring_row *row, uint8_t room[KEY_FILE_MAX + 1],
		 struct key_file *ret, struct err *e);
/* One more. -CONFLICT: there is one of that name; -LIMIT. */
int keyring_may_add(const struct keyring *k, const char *name, struct err *e);
int keyring_add(const struct keyring *k, const char *name, enum approve_kind kind, const struct buf *file,
		struct err *e);
int keyring_remove(const struct keyring *k, const struct keyring_row *row, struct err *e);

#endif
