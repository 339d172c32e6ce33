/* finish - what follows when a deed has run: it is written down as done, or turned back.
 *
 * Owns:   `committed.N`, `baseline` and the end of `journal`.
 * Holds:  the deed's outcome is durable before its journal goes, and slots go after it: as long as there is a journal, the deed can
 *         be carried on in either direction. Slots that nobody needs any more are found again by finish_clean().
 * Called: from stage/ only. */
#ifndef STAGE_FINISH_H
#define STAGE_FINISH_H

#include "stage/journal.h"
#include "stage/moved.h"
#include "stage/walk.h"

#define JOURNAL_NAME "journal"

struct finish {
	const struct stage *stage;
	const struct trees *trees;
	struct deed *deed;
	struct moved *moved;                                       /* what was recorded as it ran, to be written */
	bool found;                                                /* another process began it (run.h) */
	void (*told)(void *user, uint16_t tree, const char *path); /* paths that could not be turned back */
	void *user;
};

/* The deed was carried out. On failure the journal is still there, and the deed may be turned back. */
int finish_done(const struct finish *f, struct err *e);
/* Turns the deed back as far as nobody else changed the tree. -CONFLICT: not everywhere (told). Other failures: the journal is
 * still there. */
int finish_back(const struct finish *f, struct err *e);
/* What follows when a deed, or its end, has failed with r: it is turned back, and if that fails too the person is told the way out.
 * Returns r. */
int finish_failed(const struct finish *f, int r, struct err *e);
/* Removes slots that no commit owns. Only without a journal. */
int finish_clean(const struct stage *s, const struct trees *t, const char *event, struct err *e);

#endif
