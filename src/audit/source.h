/* source - the files of a log, and those beside it, as somebody reads them who believes none of them.
 *
 * Owns:   the descriptor of the log's directory.
 * Holds:  nothing is opened but regular files beneath that directory, and no link is followed at its end; what is too long is not
 *         read. Results are 0 or -errno; -EBADMSG: the length is another than the name says.
 * Called: audit. */
#ifndef AUDIT_SOURCE_H
#define AUDIT_SOURCE_H

#include "base/buf.h"
#include "base/err.h"
#include "ledger/merkle.h"

#define SOURCE_BUNDLE_MAX (TILE_WIDTH * (size_t)(2 + 65535))

struct source {
	int dir_fd; /* owned, -1 if none */
};

int source_open(const char *dir, struct source *ret, struct err *e);
void source_close(struct source *s);

/* Opens a regular file for reading; the caller's. */
int source_open_file(const struct source *s, const char *name);
/* The whole file, at most ret->max bytes (-EFBIG). -ENOENT. */
int source_read(const struct source *s, const char *name, struct buf *ret);
/* The hashes of a tile. */
int source_tile(const struct source *s, unsigned level, uint64_t index, unsigned width, struct hash *ret);
/* A bundle of entries; ret->max is at least SOURCE_BUNDLE_MAX. */
int source_bundle(const struct source *s, uint64_t index, unsigned width, struct buf *ret);

/* Why a file could not be read, by that number. */
const char *source_why(int error);

/* What files there are under tile/, whatever the checkpoint says. */
struct source_found {
	uint64_t size;     /* the least number of entries of a log that has all these tiles */
	char largest[64];  /* one that says so, beneath the log's directory; empty: there is none */
	uint64_t strange;  /* files that are of no log */
	char stranger[64]; /* the first of them: its name without its directory, cut */
};

/* A directory that is not there has nothing. */
int source_list(const struct source *s, struct source_found *ret);

/* Each name in the directory itself. */
typedef void source_name_fn(void *arg, const char *name);
int source_names(const struct source *s, source_name_fn *take, void *arg);

#endif
