/* authority_model - the rules of core/authority.h once more, by other code and without regard to speed: the oracle for the authority.
 *
 * Owns:   struct model: lists that only grow. What there is at a moment is looked up in them anew each time: what was used is the sum of all charges,
 *         what is revoked is what has a revocation above it, and so on. Nothing is ever reused, and references are names in a table.
 * Holds:  shares with what it judges the readers of endpoints, ports, terms and zones, which have tests of their own, and nothing else.
 * Called: from tests and fuzz targets. Gives up (aborts) when memory is gone. */
#ifndef UNIT_AUTHORITY_MODEL_H
#define UNIT_AUTHORITY_MODEL_H

#include <stdbool.h>

#include "core/authority.h"

#define MODEL_SAID_MAX 400

struct model;

struct model *model_create(const struct authority_size *size);
void model_destroy(struct model *m);

/* Makes the step, too. False: the other's answer is another one, or, after it, its lists are; *said is how. */
bool model_agrees(struct model *m, const struct authority_request *q, const struct authority_answer *answer,
		  const struct authority *a, char said[MODEL_SAID_MAX]);

/* Whether `found` is what authority_find may say: none if there is none, else one within which no other lies. */
bool model_finds(const struct model *m, authority_ref badge, enum grant_verb verb, const char *object,
		 authority_ref found);

#endif
