/* setup_file - a client's configuration as a file: found, read, and written whole or not at all.
 *
 * Holds:  what is read and written is a regular file of the caller's that nobody else may write, in a directory of which the same is true. What is in it is bytes here.
 * Called: cli/setup.c, cli/setup_kept.c. */
#ifndef CLI_SETUP_FILE_H
#define CLI_SETUP_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "setup/ask.h"

struct setup_file {
	char path[PATH_MAX]; /* absolute, links followed */
	bool is_there;
	struct stat st;
	struct buf text; /* owned: as it was read */
};

/* where: as clients.def has it; project: beneath the current directory. NULL: named by word. */
int setup_file_find(struct setup_file *f, const char *where, bool project, const char *word, struct err *e);
/* Reads it, if it is there. */
int setup_file_read(struct setup_file *f, struct err *e);
/* Puts that in its place; -CONFLICT: it is not what was read. remove: nothing is to be there. */
int setup_file_write(const struct setup_file *f, const void *bytes, size_t n, bool remove, struct err *e);
void setup_file_finish(struct setup_file *f);

void setup_digest(const void *bytes, size_t n, char ret[2 * SHA256_BYTES + 1]);

#endif
