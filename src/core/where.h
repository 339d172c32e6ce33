/* where - what a grant `tool` wants of the arguments of a call.
 *
 * Owns:   struct where: pure data, with its texts inside; zeroed memory wants nothing. The form of arguments as bytes.
 * Holds:  texts of the same conditions are the same. What cannot be decided is refused. Matching is linear in the argument, whatever the pattern.
 * Called: from any process; pure, allocates nothing.
 *
 * A condition is on one argument, by the path of its name: `options.mode` is `mode` of the object `options`. Lists do not show in paths: each element of a list
 * has the path of the list, since a server that takes one text or a list of them is not to be asked by two names. In a name `.`, `*` and `\` have a `\`
 * before them. null, and a list or object with nothing in it, are as if they were not given.
 *
 * As JSON, which flags and policies have, and terms in a normal form (sorted, without blanks, printable ASCII without an apostrophe):
 *
 *     {"to":["ann@example.com","*@example.org"],"size":{"min":0,"max":100},"cc":null,"*":null}
 *
 *   a text, or a list of them   it is one of these (a number, true or false: as JSON writes it). `*` is any run of characters, `\*` a star, `\\` a backslash
 *   {"of": .., "match": "..", "min": .., "max": .., "length": .., "given": true}
 *                               one of these; all of it matches that expression (core/match.h); a number from and to; no more characters; it must be there
 *   {"schema": {..}}            it, and what is in it, is as that JSON Schema says (core/where_schema.h)
 *   {}                          whatever it is: it is named, which counts where "*" is null
 *   null                        it must not be there
 *   "*": null                   no other argument than those that are named
 *   "*risky": null             of a tool whose server calls it read-only, and not destructive: what a server says of a tool makes it no less than one of which nothing is said
 *
 * An argument that is not there is as it should be, unless it must be. One that lies beneath a condition's (`mode.x`), or on the way to it (a text
 * `options`), is none that the condition can see, so it is refused. A text of which some part between /, \, ?, # (or their %2F) is `..` is matched by `*`
 * alone, by no other star and by no expression: `./docs/../x` is not beneath ./docs. */
#ifndef CORE_WHERE_H
#define CORE_WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/terms.h"

#define WHERE_CONDITIONS_MAX 32
#define WHERE_VALUES_MAX 128 /* of all sets */
#define WHERE_NUMBER_MAX 32  /* characters of a bound */
#define WHERE_LENGTH_MAX (1u << 30)
#define WHERE_ARGUMENTS_MAX 256
#define WHERE_BYTES_MAX (16u << 10) /* of all arguments: an entry of the ledger has room for them */

/* Texts are offsets in the text of struct where, each with its NUL; 0: none. */
struct where_condition {
	uint16_t path;
	uint16_t values, n_values; /* of a set: from where, how many; 0: any */
	uint16_t match;            /* an expression, which was looked at: it is one */
	uint16_t min, max;         /* a number */
	uint16_t schema;           /* in its one form; 0: none */
	uint32_t length;           /* characters; 0: any number of them */
	bool absent, given;
};

struct where {
	bool only; /* no other argument */
	bool calm; /* and no risky tool */
	uint16_t n_conditions, n_values, used;
	struct where_condition conditions[WHERE_CONDITIONS_MAX]; /* by path */
	uint16_t values[WHERE_VALUES_MAX];                       /* patterns, with WHERE_STAR for a star */
	char text[TERMS_TEXT_MAX];
};

#define WHERE_STAR '\xff' /* in no text of UTF-8 */

/* What a person wrote: JSON as above. -MALFORMED, -LIMIT, with the byte where; then *w is as it was. */
int where_set(struct where *w, const char *value, struct err *e);
/* The same for who knows what stands at each byte: *ret_at is the one, and is not told in words; it stays where all of it is too long. */
int where_set_at(struct where *w, const char *value, size_t *ret_at, struct err *e);
/* The terms of a grant: where='{"to":["*@example.org"]}'; "" if nothing is wanted. */
void where_format(const struct where *w, char ret[TERMS_TEXT_MAX]);
/* What where_format gave, and nothing else. -MALFORMED, with the byte where; then *ret is as it was. */
int where_take(const char *text, struct where *ret, struct err *e);
bool where_is_none(const struct where *w);
/* What a person would write of it, as where_set takes it; "" if nothing is wanted. */
void where_value(const struct where *w, char ret[TERMS_TEXT_MAX]);

/* The arguments of a call, borrowed: one after the other as where_put writes them. Zeroed: none. */
struct where_arguments {
	const uint8_t *bytes;
	size_t n;
};

enum where_kind {
	WHERE_TEXT,
	WHERE_NUMBER, /* as JSON has it */
	WHERE_BOOL,   /* true, false */
	WHERE_LONG,   /* a text that is too long to be told: how many characters it has, in decimal */
	WHERE_KIND_COUNT
};

/* A call of a tool that is risky has one more, which no name of an argument is: true. */
#define WHERE_RISKY "*risky"
/* Of each scalar but null, for whoever has JSON. A path is names with `.` between, each written by where_put_name. */
void where_put(struct buf *out, const char *path, enum where_kind kind, const void *value, size_t n);
void where_put_name(struct buf *path, const char *name, size_t n);
/* One after the other, for whoever shows them: borrowed, without a NUL. False: there is no other, or it is none. */
struct where_argument {
	uint8_t kind; /* enum where_kind */
	const char *path, *value;
	size_t path_n, n;
};
bool where_next(struct rbuf *in, struct where_argument *ret);
/* Whether they are arguments, and no more of them than there may be. */
bool where_are_arguments(const struct where_arguments *args);

/* Of arguments that are some. */
bool where_allows(const struct where *w, const struct where_arguments *args);
/* Why not, for who is told: the path is borrowed, of w or of the arguments, without a NUL. */
enum where_no {
	WHERE_NO_NONE = 0, /* it allows them */
	WHERE_NO_RISK,     /* it is of a risky tool; no path */
	WHERE_NO_NAME,     /* an argument that may not be there */
	WHERE_NO_VALUE,    /* it is not as it is to be */
	WHERE_NO_GIVEN,    /* it must be there */
	WHERE_NO_FORM      /* they are none; no path */
};
enum where_no where_refuses(const struct where *w, const struct where_arguments *args, const char **ret_path,
			    size_t *ret_n);
/* Whether an argument has, but for case, the name of a condition, or lies beneath or on the way to it: who reads names without regard to case would take it for the one that the condition is on, which is then not looked at. Likewise where there are conditions and an argument `__proto__`. */
bool where_is_evaded(const struct where *w, const struct where_arguments *args);
/* Whether inner allows no more than outer. Each condition of outer must follow from inner's on the same argument, or from one that says it is not there: a set
 * within a set (a schema from the same one; exact: a pattern lies within several only if it lies within one of them), a range, a length, `given`; an expression from the same one, or
 * from a set of texts without a star that match it. Not seen: a set whose texts are all short, or all in a range; an expression within another; what
 * follows from two conditions together, or only from others on objects above or below. */
bool where_is_within(const struct where *inner, const struct where *outer);

#endif
