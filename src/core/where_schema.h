/* where_schema - a condition that is a JSON Schema.
 *
 * Owns:   struct schema: pure data, with its texts inside. The subset of JSON Schema (2020-12) that arguments can be held against, as they are told (core/where.h).
 * Holds:  a keyword that is not of the subset is refused with its place. Whatever cannot be known of an argument (a text that is too long to be told, or that climbs) is allowed by no schema, also by none that says `not`.
 *         What it takes is linear in the arguments, for each part of the schema.
 * Called: core/where*.c, and tests; pure, allocates nothing.
 *
 * Of each value, or with `of a list` of each in it:
 *
 *   type                  string, number, integer, boolean, object, or a list of these; or array, alone: what its elements are says `items`
 *   enum, const           texts, numbers, true and false
 *   minimum, maximum, exclusiveMinimum, exclusiveMaximum       of a number
 *   minLength, maxLength  of a text, in characters
 *   pattern               of a text: core/match.h, between ^ and $
 *   properties, required, additionalProperties: false          of an object
 *   items, minItems, maxItems                                  of an array, of texts, numbers, true and false
 *   anyOf, allOf, not
 *
 * A list is not told from what is in it, and null, an empty list and an empty object are not told at all: one text is an array of one, and an array is a text if each in it is one. */
#ifndef CORE_WHERE_SCHEMA_H
#define CORE_WHERE_SCHEMA_H

#include "core/where.h"

#define SCHEMA_NODES_MAX 64
#define SCHEMA_VALUES_MAX 128
#define SCHEMA_DEPTH_MAX 8

enum schema_type {
	SCHEMA_STRING = 1,
	SCHEMA_NUMBER = 2,
	SCHEMA_INTEGER = 4,
	SCHEMA_BOOLEAN = 8,
	SCHEMA_OBJECT = 16,
	SCHEMA_ARRAY = 32,
};

/* Texts are offsets in the text of struct schema, nodes and values numbers; 0: none. */
struct schema_node {
	uint8_t types; /* enum schema_type; 0: any */
	bool closed;   /* additionalProperties: false */
	bool has_enum;
	uint8_t n_enum, n_required;
	uint16_t enums, required; /* the first of its values */
	uint16_t minimum, maximum, above, below, pattern;
	uint32_t min_length, max_length, min_items, max_items; /* of the greatest 0: none */
	uint8_t properties, items, any_of, all_of, not_of;     /* the first of these */
	uint8_t next;                                          /* beside it */
	uint16_t name;                                         /* of a property */
};

struct schema {
	uint8_t n;
	uint16_t n_values, used;
	struct schema_node nodes[SCHEMA_NODES_MAX]; /* the first is all of it */
	struct schema_value {
		uint8_t kind; /* enum where_kind */
		uint16_t text;
	} values[SCHEMA_VALUES_MAX];
	char text[TERMS_TEXT_MAX];
};

/* The JSON that begins at *at, which stands behind it afterwards. False: *at is where it is wrong, *why and *hint say how. */
bool schema_read(const char *text, size_t n, size_t *at, struct schema *ret, const char **why, const char **hint);
/* In its one form. */
void schema_write(const struct schema *s, struct buf *out);
/* Whether all that is at that path, and beneath it, is as it says. */
bool schema_allows(const struct schema *s, const char *path, const struct where_arguments *args);

#endif
