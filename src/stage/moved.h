/* moved - what Ambit itself moved, so that its new time of change is not taken for somebody else's change.
 *
 * Owns:   <store>/.moved: records of one object each, as it was right before a call of ours and right after it.
 * Holds:  a record is true for ever: whatever else is done to the object shows in its time of change, which no program can set. So
 *         records only ever say "this is still what was there"; one that is lost (they are not synced; the oldest go when there are too
 *         many) makes what nobody changed count as changed, and that is all it does. Of a directory, a commit and the undo of that commit
 *         are recorded only if they went through, and nobody else changed it between any two of their own calls. Where times are of whole
 *         seconds nothing is recorded.
 *         What somebody does, and sets back, in the microseconds between such a look and the call is not seen, as everywhere here (run.c).
 * Called: from stage/ only, with the lock of all commits of the store held (turn.c); looking needs no lock. */
#ifndef STAGE_MOVED_H
#define STAGE_MOVED_H

#include "stage/journal.h"

#define MOVED_NAME ".moved"
#define MOVED_MAX                                                                                                      \
	131072u /* records; 17 MB. What a stage of today may ask for: the older half goes where there would be more */

#define MOVED_ROW_BYTES 129 /* of a record */

enum moved_kind {
	MOVED_OUT = 1, /* out of the tree */
	MOVED_IN,      /* into it */
	MOVED_ON,      /* on its way: moved or made ready within the stage; or copied, where renaming does not reach */
	MOVED_DIR,     /* a directory in which the commit of all of an event did something */
	MOVED_PART,    /* likewise, of a part */
	MOVED_BACK,    /* in which an undo took back all of that event */
};

struct moved_row;
struct moved_dir;

struct moved {
	struct moved_row *rows; /* owned: what the file says, in order */
	uint32_t n, *index;     /* owned: by what is there afterwards */
	uint32_t n_index;       /* a power of two */
	/* of the deed that is going on */
	bool notes_in;           /* else what goes in was never in a tree before */
	uint8_t dir_kind;        /* enum moved_kind, of its directories */
	uint64_t event, at_ns;   /* a checksum; CLOCK_REALTIME before its first move */
	struct moved_row *notes; /* owned */
	uint32_t n_notes, room;
	struct moved_dir *dirs; /* owned: by path; NULL: directories are not recorded */
	struct moved_dir *last; /* of them, the one asked for last */
	size_t n_dirs;
};

/* Reads the file of the store in which the stage lies; what cannot be read is as good as none. ret must be zeroed. */
void moved_load(struct moved *ret, int stage_fd);
void moved_finish(struct moved *m);

/* Whether nobody but Ambit touched what was once `was`, and is `now`. */
bool moved_is_same(const struct moved *m, const struct ident *was, const struct ident *now);
/* Number and time of change under which it first was known. */
void moved_first(const struct moved *m, struct ident *id);
/* Whether what is `now` in the tree was so, and in it, all the time from before t0_ns to ended_ns (CLOCK_REALTIME; 0: nobody knows). */
bool moved_was_there(const struct moved *m, const struct ident *now, int64_t t0_ns, uint64_t ended_ns,
		     int64_t (*latest)(const struct ident *i));

/* Recording. notes_in: what goes in may have been in a tree before. */
void moved_begin(struct moved *m, const struct deed *d, bool notes_in);
/* Its directories, too: it goes through from the beginning to the end, and nothing of it is left out. It must stay as long. */
void moved_watch(struct moved *m, const struct deed *d);
/* No more, and not what happened in them so far: it does not go through. */
void moved_unwatch(struct moved *m);
void moved_note(struct moved *m, enum moved_kind kind, const struct ident *before, const struct ident *after);
/* Of a directory of the real tree, whether in the deed or not; path ends at n. */
void moved_note_dir(struct moved *m, uint16_t tree, const char *path, size_t n, const struct ident *before,
		    const struct ident *after);
/* Writes what was recorded since, if it can, and records no more of directories. */
void moved_save(struct moved *m, int stage_fd);

#endif
