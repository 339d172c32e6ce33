/* limits - how much an event may use.
 *
 * Owns:   the table of limits (limits.def) and struct limits, pure data.
 * Holds:  0 is "none"; narrowing takes the smaller of two that are set.
 * Called: from any process; pure. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum limit {
#define LIMIT(name, word, unit, least, run, code, text) LIMIT_##name,
#include "core/limits.def"
#undef LIMIT
	LIMIT_COUNT
};

enum limit_unit { UNIT_MS, UNIT_BYTES, UNIT_COUNT };

struct limits {
	uint64_t value[LIMIT_COUNT];
};

const char *limit_word(enum limit l);
const char *limit_text(enum limit l);
enum limit_unit limit_unit(enum limit l);

/* half_memory_bytes: half of the machine's memory, the default of MEMORY for `run`. */
void limits_default_run(struct limits *ret, uint64_t half_memory_bytes);
void limits_default_code(struct limits *ret);
/* value as text: "30s" for times, "2G" for sizes, digits for counts, "none". -UNKNOWN: no such word.
 * -MALFORMED: no value of it, or less than a cell itself needs. */
int limits_set(struct limits *l, const char *word, const char *value, struct err *e);
/* Whether limits_set could have given this value: for what comes from another process. */
bool limit_in_range(enum limit which, uint64_t value);
/* Each of l made no larger than bound's. */
void limits_narrow(struct limits *l, const struct limits *bound);
/* The value as limits_set reads it. */
void limits_format(const struct limits *l, enum limit which, char *ret, size_t size);
/* That it ended an event. beside: how to raise one that no --limit of the event set. */
void limits_tell(const struct limits *l, enum limit which, const char *beside, struct err *e);

#endif
