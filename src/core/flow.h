/* flow - where information may flow: the labels that using a grant puts on whoever uses it, and the labels that close it.
 *
 * Owns:   struct flow: pure data, with its words and its text. Zeroed memory says nothing.
 * Holds:  names are sorted, and each stands once; so do combinations, of which none contains another. Texts of the same flow are the same.
 *         What says nothing of `unless` is closed by private and untrusted together: flow_closes has that, and nobody else needs to.
 * Called: from any process; pure, allocates nothing. */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FLOW_LABEL_MAX 32 /* of a name, with its NUL */
#define FLOW_SET_MAX 8    /* names in one set */
#define FLOW_UNLESS_MAX 4 /* combinations: as many as the authority keeps of a grant */
/* Of flow_format, with its NUL: three words, five full sets, and what stands between them. */
#define FLOW_TEXT_MAX (32 + (1 + FLOW_UNLESS_MAX) * FLOW_SET_MAX * FLOW_LABEL_MAX)

struct flow_set {
	uint32_t n;
	char names[FLOW_SET_MAX][FLOW_LABEL_MAX];
};

struct flow {
	struct flow_set label; /* who uses the grant gets these */
	uint32_t n_unless;     /* 0: none given */
	struct flow_set unless
		[FLOW_UNLESS_MAX]; /* where all names of one of them are on whoever acts, it is closed; none is empty */
	bool none;                 /* `unless: none`: no label closes it */
	bool ask; /* `ask: labelled`: where labels would close it, a person is asked; not beside none */
};

/* Small letters, digits, `.`, `_` and `-`, the first a letter or a digit; `none` and `labelled` are none, since they are words of a value. */
bool flow_is_name(const char *s);
/* The same, with what is wrong: `word` is what takes it. -MALFORMED. */
int flow_check_name(const char *word, const char *name, struct err *e);

bool flow_is_empty(const struct flow *f);
bool flow_has_unless(const struct flow *f);

/* Values as a person writes them: names between commas or `+`, as in "private, mail"; combinations of names between `+` with commas between
 * them, as in "private+untrusted, secret", or "none". They take the place of what was there. -MALFORMED, -LIMIT: too many; then *f is as it was. */
int flow_set_label(struct flow *f, const char *value, struct err *e);
int flow_set_unless(struct flow *f, const char *value, struct err *e);
/* Puts these beside its own. False: there is no room for all of them. */
bool flow_add_labels(struct flow *f, const struct flow_set *labels);
/* Whether together they make sense. -MALFORMED: it asks, and no label closes it. */
int flow_check(const struct flow *f, struct err *e);

/* The one way of writing it: "label=mail+private unless=private+untrusted,secret ask=labelled"; "" if it is empty. */
void flow_format(const struct flow *f, char ret[FLOW_TEXT_MAX]);
/* What flow_format gave of what flow_check allows, and nothing else. -MALFORMED; then *ret is as it was. */
int flow_take(const char *text, struct flow *ret);

/* The combinations that close it, the usual one among them where none is given; gives how many. */
uint32_t flow_closes(const struct flow *f, struct flow_set ret[FLOW_UNLESS_MAX]);
/* Whether inner allows no more than outer: it puts on each label that outer does, is closed by whatever closes outer, and asks only where outer
 * would, or is never closed. */
bool flow_is_within(const struct flow *inner, const struct flow *outer);

#endif
