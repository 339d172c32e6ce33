/* policy - grants and limits as a person wrote them, before paths mean anything.
 *
 * Owns:   struct policy: what a policy file or flags said, with where it stood, fixed-size.
 * Holds:  words are checked (known verb, known qualifier, well-formed object), meaning that needs the host (does the
 *         path exist, what is `.`) is not: policy_resolve does that, once, with the caller's authority. The order of
 *         lines never matters.
 * Called: the policy role fills it from YAML in a cell of its own and sends it as fixed-size messages (policy_encode);
 *         the library fills it from flags, decodes and resolves. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/grant.h"
#include "core/limits.h"

#define POLICY_LINES_MAX GRANTS_MAX
#define POLICY_FILE_MAX (256u << 10) /* a policy that a person can review is far smaller */
#define POLICY_ENCODED_MAX (512u << 10)

struct policy_line {
	uint32_t verb; /* enum grant_verb */
	uint32_t line, column; /* 1-based; 0 if it came from a flag */
	char object[GRANT_OBJECT_MAX]; /* as written, without the final `?` */
	uint32_t flags; /* GRANT_OPTIONAL */
};

struct policy {
	char agent[64]; /* "" if the file names none */
	uint32_t n_lines;
	struct policy_line lines[POLICY_LINES_MAX];
	uint32_t limits_given; /* bit set of enum limit */
	struct limits limits;
};

/* One grant as on the command line: verb and "object [key=value ...]", for example read "~/.gitconfig /srv/data?".
 * Several objects of path verbs stand in brackets or are repeated flags. */
int policy_add_flag(struct policy *p, const char *verb, const char *text, struct err *e);
/* "wall=30s" or "wall=30s,memory=2G". */
int policy_add_limit(struct policy *p, const char *text, struct err *e);

void policy_encode(const struct policy *p, struct buf *out);
/* Checks everything again: the other side parsed hostile bytes. */
int policy_decode(struct rbuf *in, struct policy *ret, struct err *e);

/* The words that mean something on this host. All absolute and normal. */
struct policy_place {
	const char *workspace; /* what `.` means */
	const char *home;      /* what `~` means */
};

/* Adds p's grants to `set` and its limits (narrowing) to `limits`. Symbolic links in objects are resolved here, once.
 * -NOT_FOUND: a path that is missing and does not end in `?`. -DENIED: /proc, /dev, or a path in them: a cell has its own. */
int policy_resolve(const struct policy *p, const struct policy_place *place, struct grant_set *set, struct limits *limits,
		   struct err *e);

#endif
