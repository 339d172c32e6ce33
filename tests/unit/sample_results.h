/* sample_results - results of events that never ran, for the tests of what is made of them.
 *
 * Owns:   the table of samples; each has a name, which is its golden file's too where there is one.
 * Holds:  the same sample is the same in every run: fixed ids and times.
 * Called: from tests. */
#ifndef TESTS_SAMPLE_RESULTS_H
#define TESTS_SAMPLE_RESULTS_H

#include <stddef.h>

#include "lib/result.h"

size_t sample_count(void);
const char *sample_name(size_t i);
/* Fills *ret, which the caller finishes with sample_finish. */
void sample_make(size_t i, struct event_result *ret);
/* The sample of that name; SIZE_MAX if there is none. */
size_t sample_find(const char *name);
void sample_finish(struct event_result *r);

/* Adds an effect. */
void sample_effect(struct event_result *r, enum effect_kind kind, enum effect_verdict verdict, uint32_t grant,
		   uint32_t count, const char *object);
/* Adds a grant; its index. */
uint32_t sample_grant(struct event_result *r, enum grant_verb verb, const char *object);

#endif
