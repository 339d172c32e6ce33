/* setup_kept - a client's configuration as it was before it was changed.
 *
 * Owns:   $XDG_STATE_HOME/ambit/setup/CLIENT: for each change of each file, NAME.N is what was there, and NAME.N.is says which file, what was there and what was written, by
 *         digest. NAME comes of the path.
 * Called: cli/setup.c. */
#ifndef CLI_SETUP_KEPT_H
#define CLI_SETUP_KEPT_H

#include "cli/setup_file.h"

struct setup_kept {
	int dir_fd;    /* owned */
	char name[32]; /* of the file */
	unsigned n;    /* of the latest change, from 1; 0: none */
	bool was_there;
	char was[2 * SHA256_BYTES + 1], is[2 * SHA256_BYTES + 1];
	struct buf before; /* owned */
};

/* One at a time, of all clients: until that is closed nobody else changes a file by way of us. Waits, and says so. */
int setup_kept_lock(int *ret_fd, struct err *e);
/* Finds the latest change of that file. */
int setup_kept_open(struct setup_kept *k, enum setup_client c, const struct setup_file *f, struct err *e);
/* Keeps what is there, before those bytes come in its place. */
int setup_kept_add(struct setup_kept *k, const struct setup_file *f, const void *bytes, size_t n, struct err *e);
/* The latest change is no more. */
void setup_kept_drop(struct setup_kept *k);
void setup_kept_close(struct setup_kept *k);

#endif
