/* store - the files of the person's secrets, and their key.
 *
 * Owns:   the names: NAME.sealed in the directory of the store, store.key in the key's, and `lock`.
 * Holds:  what is read is a regular file of the person's own that nobody else may read, else it is refused, and so is what is not whole (sealed.h), or
 *         is sealed under another name than the file's. What is written is on disk, with its name, or all is as it was. Each name is opened in a
 *         directory that was given, no link is followed, and no pipe waited for.
 * Called: ambit-secret; but for store_lock after it was confined. */
#ifndef SECRET_STORE_H
#define SECRET_STORE_H

#include <sys/types.h>

#include "secret/sealed.h"

#define STORE_SECRETS_MAX 256

struct store {
	int dir_fd, key_fd; /* borrowed: directories */
	uid_t uid;          /* who owns all of it: asked before the calls are filtered */
	uint8_t key[SEALED_KEY_BYTES];
	struct sealed_head head;   /* of what was read last, or is to be written */
	struct secret_value value; /* likewise */
};

struct store_names { /* in their order */
	uint32_t n;
	char list[STORE_SECRETS_MAX][SECRET_NAME_MAX];
};

/* Whether both directories are the person's alone. -DENIED. */
int store_check(const struct store *s, struct err *e);
/* For who changes something; held until *ret_fd is closed. -CONFLICT: somebody else has held it for long. */
int store_lock(int dir_fd, int *ret_fd, struct err *e);

/* Reads the key; where there is none, makes one if `make`, and if no secret is there that it could not open. -NOT_FOUND, -DENIED, -MALFORMED. */
int store_key(struct store *s, bool make, struct err *e);

int store_list(const struct store *s, struct store_names *ret, struct err *e);
/* Into s->head and s->value. -NOT_FOUND, with the nearest name as a hint; -DENIED, -MALFORMED. */
int store_read(struct store *s, const char *name, struct err *e);
/* What s->head and s->value say. -LIMIT: no room. */
int store_write(struct store *s, struct err *e);
int store_remove(struct store *s, const char *name, struct err *e);

#endif
