/* journal - a snapshot, and what was done since, in a directory.
 *
 * Owns:   the files `state` and `journal`, their forms, and the order in which they are written:
 *           state    "AMBAUTST", u32 version, u64 number, u64 end and u64 checksum of the journal that it was made of (of the first 0), u64 length, the
 *                    state, SHA-256 of all that
 *           journal  "AMBAUTJN", u32 version, u64 number, the SHA-256 of the state that it goes on from, u64 checksum; then groups:
 *                    u32 length, u64 how much of the file was on disk when this was written, the bytes, u64 checksum over these and the one before
 * Holds:  what was appended and synced is read again; so is what was appended, unless power is lost. A group is there whole or not at all. What is cut
 *         off at the end was never on disk for certain: a bad group, with no group behind it by which it was. Anything else that is wrong is told with its place, and
 *         then nothing is changed. An append that failed has not happened. A new snapshot is on disk before the journal that goes on from it.
 * Called: book.c; the caller has the directory's lock. */
#ifndef AUTHORITY_JOURNAL_H
#define AUTHORITY_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"

#define JOURNAL_FOLD (4u << 20) /* bytes: time for a new snapshot */
#define JOURNAL_MAX (64u << 20) /* if that cannot be written: no more than this */
#define JOURNAL_STATE_MAX (UINT32_C(384) << 20)
#define JOURNAL_GROUP_MAX (8u << 20)

struct journal {
	int dir_fd;      /* borrowed */
	int fd;          /* owned; -1: not open */
	uint64_t number; /* of the snapshot that it goes on from, from 1 on; 0: there is none yet */
	uint8_t state_sha256[SHA256_BYTES];
	uint64_t before_end, before_chain; /* of the journal that the snapshot was made of */
	uint64_t end;                      /* of what was appended: a byte behind it does not count */
	uint64_t synced;                   /* likewise, on disk */
	uint64_t chain;                    /* checksum of the last group, or of the head */
};

/* Who takes what was found. A negative code: it is not what was written, and where it stood is told. */
struct journal_reader {
	void *of;
	int (*state)(void *of, struct rbuf *in, struct err *e);
	int (*group)(void *of, struct rbuf *in, struct err *e);
};

struct journal_found {
	uint64_t cut_bytes; /* at the end, which do not count: a death, or a loss of power, while they were written */
	bool is_stale;      /* the journal belongs to the snapshot before: a death between the two */
};

/* Takes what there is; without a snapshot j->number is 0. After that, or what does not look whole, or is_stale, journal_fold comes before the first append.
 * -PROTOCOL: damaged. -SYSTEM. */
int journal_open(struct journal *j, int dir_fd, const struct journal_reader *reader, struct journal_found *ret,
		 struct err *e);
/* The same again, of what was appended: for who has to go back to that. */
int journal_again(const struct journal *j, const struct journal_reader *reader, struct err *e);
void journal_close(struct journal *j);

/* One group. 0 or -errno: then nothing was appended. */
int journal_append(struct journal *j, const void *bytes, size_t n);
/* 0 or -errno: then nobody knows what is on disk. */
int journal_sync(struct journal *j);
/* A new snapshot, and an empty journal. 0; -errno: all is as it was; *ret_lost: it is not, and what is on disk is to be opened again. */
int journal_fold(struct journal *j, const void *state, size_t n, bool *ret_lost);

#endif
