/* classify - what the eye saw, held against the grants.
 *
 * Owns:   the facts on which the judgement of each effect rests: where its object lies, what the host has there, and what the cell made
 *         before. The judgement itself is core/decide.h's.
 * Holds:  it is about explaining only: the wall has decided long ago. It looks at the host by hostlook,
 *         which asks nobody, a bounded number of times; nothing of it flows back into the cell.
 * Called: supervisor, after the cell is dead. */
#ifndef SUPERVISOR_CLASSIFY_H
#define SUPERVISOR_CLASSIFY_H

#include "cell/spec.h"
#include "core/decide.h"
#include "core/grant.h"
#include "supervisor/hostlook.h"
#include "supervisor/staging.h"

struct classify_name {
	char *path; /* owned */
	bool is_link;
};

struct classifier {
	const struct cell_spec *spec;
	const struct grant_set *grants;
	char **made; /* owned: names that the workload made in places of its own */
	size_t n_made;
	struct classify_name *written; /* owned: what it wrote there, by the very name */
	size_t n_written;
	bool links_made; /* there: so what was renamed may be a link */
	size_t parts;    /* of paths, walked so far: a workload chooses them, and links that multiply them */
	struct hostlook host;
	uint32_t facts;                 /* bit set of enum fact: those on which the last judgement rests */
	char socket[EFFECT_OBJECT_MAX]; /* and where its object lies, if that is a socket with a path; else "" */
	uint32_t told;                  /* bit set: those of the next effect that are somebody's word */
	const struct host_name *given;  /* borrowed: names that have addresses in the cell, by link_address_of() */
	uint32_t n_given;
	bool withdrawn; /* set by the caller: what comes next was asked for after its grant was withdrawn */
	const struct staging *staging; /* borrowed; NULL: nothing was hidden by name */
	const char *store;             /* borrowed; NULL: no place for stages is known */
};

void classify_init(struct classifier *c, const struct cell_spec *spec, const struct grant_set *grants);
void classify_finish(struct classifier *c);

/* Completes f, whose kind, object and count are set: verdict, grant, base, and the object as a resolved path. */
void classify_effect(struct classifier *c, struct effect *f);

#endif
