/* grant - what one event may do, and nothing else.
 *
 * Owns:   struct grant_set: up to GRANTS_MAX grants with their texts inside; fixed-size, pure data, may be copied.
 * Holds:  a set without grants allows nothing. A derived grant allows no more than its parent in any dimension. The
 *         order of grants never changes what is allowed. Paths are absolute and normalised (no "." or ".." or "//"
 *         or trailing "/" parts): whoever reads `.`, `./x` and `~` resolves them before they come here.
 * Called: from any process; makes no system call, reads no clock, allocates nothing. */
#ifndef CORE_GRANT_H
#define CORE_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/flow.h"
#include "core/qualifiers.h"
#include "core/terms.h"

#define GRANTS_MAX 256             /* a policy that a person can review is far smaller */
#define GRANT_POOL_MAX (64u << 10) /* bytes of all objects, terms and flows together */
#define GRANT_OBJECT_MAX 4096      /* PATH_MAX, with its NUL */
#define GRANT_NONE UINT32_MAX      /* "no grant", "no parent" */

enum grant_verb {
#define VERB(name, word, object, available) VERB_##name,
#include "core/verbs.def"
#undef VERB
	VERB_COUNT
};

enum grant_object_kind { OBJECT_NONE, OBJECT_PATH, OBJECT_PROGRAM, OBJECT_NAME, OBJECT_ADDRESS };

const char *verb_word(enum grant_verb v);
enum grant_object_kind verb_object(enum grant_verb v);
bool verb_available(enum grant_verb v);
/* True and *ret if word is a verb of the table, available or not. */
bool verb_find(const char *word, size_t len, enum grant_verb *ret);

#define DELEGATE_ANY "*"  /* as the object of a delegate: whatever the sub-agent is called */
#define AGENT_NAME_MAX 64 /* with its NUL */
/* Letters, digits, `.`, `_` and `-`, the first a letter or a digit. */
bool agent_is_name(const char *s);

/* What a path verb allows beneath its object. work = read + write + run, write = write + read, run (given a path)
 * and read are what they say; every run implies that the bytes can be read. */
enum grant_right { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_RUN = 4 };
uint32_t verb_rights(enum grant_verb v);

#define GRANT_OPTIONAL 1u /* the object ended in `?`: a missing path is not a mistake */

struct grant {
	uint32_t parent; /* index in the same set, GRANT_NONE for one that was given */
	uint16_t verb;   /* enum grant_verb */
	uint16_t flags;  /* GRANT_* */
	uint32_t rights; /* RIGHT_*, 0 for verbs without a path */
	uint32_t object; /* offset in the pool */
	uint32_t object_len;
	uint32_t terms; /* likewise: as terms_format writes them, of a tool where_format; "" if there are none */
	uint32_t flow;  /* likewise: as flow_format writes it */
	struct qualifiers qualifiers; /* of connect, tool, what is written, delegate and declassify */
};

struct grant_set {
	uint32_t count;
	uint32_t pool_used;
	struct grant grants[GRANTS_MAX];
	char pool[GRANT_POOL_MAX]; /* objects, terms and flows, each followed by a NUL */
};

void grant_set_init(struct grant_set *set);
const char *grant_object(const struct grant_set *set, uint32_t id);
/* "" if there are none. */
const char *grant_terms(const struct grant_set *set, uint32_t id);
/* Its labels, and those that close it; "" if nothing is said of them. */
const char *grant_flow(const struct grant_set *set, uint32_t id);
/* Adds the labels of each grant of a path that lies in this one, or in which this one lies: whoever has it may use what they say. False: there is
 * no room for all of them. */
bool grant_add_labels(const struct grant_set *set, const char *path, struct flow *f);
/* What bounds it, as a person writes it, with a blank before each: " uses=50 http='GET /a'"; nothing if it is not bounded. */
void grant_put_conditions(const struct grant_set *set, uint32_t id, struct buf *out);
bool grant_has_conditions(const struct grant_set *set, uint32_t id);
/* The same as an object of JSON; linked only where JSON is written. */
struct json;
void grant_put_conditions_json(struct json *j, const struct grant_set *set, uint32_t id);
/* How much of the object is told to whoever reads later: of a variable its name, since a value may be a secret. */
size_t grant_told(const struct grant_set *set, uint32_t id);

/* Adds a grant as given by the person. Objects by kind: PATH absolute and normalised; PROGRAM a base name or an
 * absolute path; NAME for env is `NAME` or `NAME=value`, for delegate an agent's name or "*", for declassify a label's name, for tool one of core/tool.h; ADDRESS for connect is an endpoint in any spelling (core/endpoint.h) and
 * kept in the one of endpoint_put, for listen ports (core/listen.h), likewise; NONE is "". The same grant twice is one grant (its id); of a tool
 * with others of what stands behind it, but for ask, it is another one.
 * -UNAVAILABLE: a verb this build lacks. -MALFORMED: a bad object. -LIMIT: the set is full. */
int grant_add(struct grant_set *set, enum grant_verb verb, const char *object, uint32_t flags, uint32_t *ret_id,
	      struct err *e);
/* Whether an endpoint, in any spelling, can have these terms: there are none, or it is a port of hosts that are connected one at a time. -MALFORMED. */
int grant_check_terms(const char *object, const char *terms, struct err *e);
/* Whether a grant of that verb and object, as it is kept or as a policy writes it, can have these together. -MALFORMED. */
int grant_check_conditions(enum grant_verb verb, const char *object, const struct qualifiers *q, const char *terms,
			   const char *flow, struct err *e);
/* The same as grant_add, with qualifiers, with terms as terms_format writes them (of a tool where_format) and with a flow as flow_format does (either may be "": none; flow also NULL). -MALFORMED: this
 * verb takes none, or this object no terms. -CONFLICT: the set has the object with others: were the smaller or the larger of both taken, whoever reads one of the two lines
 * would be wrong about it. */
int grant_add_qualified(struct grant_set *set, enum grant_verb verb, const char *object, uint32_t flags,
			const struct qualifiers *q, const char *terms, const char *flow, uint32_t *ret_id,
			struct err *e);

/* Derives into `child` a grant that allows `verb object` and no more than grant `parent` of `from`; -DENIED if the
 * parent does not cover it, or a qualifier (q; NULL: none), the terms (NULL: none) or the flow allow more than the parent's. Without a flow (NULL or "") it has
 * the parent's, as far as its verb takes one. `child` may be another set (a sub-agent's): then the new grant's parent field is
 * GRANT_NONE and the derivation is the caller's to record. */
int grant_derive(const struct grant_set *from, uint32_t parent, struct grant_set *child, enum grant_verb verb,
		 const char *object, const struct qualifiers *q, const char *terms, const char *flow, uint32_t *ret_id,
		 struct err *e);

/* A request: one right on one path, or a verb and its object. READ, WRITE, RUN with an absolute normalised path; ENV with a
 * name; CONNECT with an endpoint; TOOL with
 * one, whose arguments nobody looks at here; JIT with "". */
struct grant_request {
	enum grant_verb verb;
	const char *object;
};

struct grant_decision {
	bool allowed;
	uint32_t grant; /* the grant that allows: the narrowest that does; GRANT_NONE if none */
};

struct grant_decision grant_check(const struct grant_set *set, const struct grant_request *want);

/* Whether an object is one of that verb, in the form in which it is kept. */
bool grant_object_is(enum grant_verb verb, const char *object);
/* Whether a grant of that verb and object covers another: its rights, where it is of a path, and its object; both as grant_object_is says. */
bool grant_object_covers(enum grant_verb outer_verb, const char *outer, enum grant_verb verb, const char *object);
/* Of two that cover the same: whether the first is the one to name. */
bool grant_object_is_narrower(enum grant_verb a_verb, const char *a, enum grant_verb b_verb, const char *b);

/* Writes the exact grant that would allow a denied request, as a policy line ("read: /srv/data/x") and as a flag
 * ("--read /srv/data/x"). The object is quoted for its place when it needs to be. */
void grant_suggest(const struct grant_request *want, char *ret_line, size_t line_size, char *ret_flag,
		   size_t flag_size);

/* True if `path` is `root` or lies beneath it; both absolute and normalised. */
bool path_is_beneath(const char *path, const char *root);
/* True if absolute, without "." or ".." or empty parts, no trailing slash (but for "/"), shorter than
 * GRANT_OBJECT_MAX. */
bool path_is_normal(const char *path);
/* Joins (path may be absolute: then base is ignored) and normalises lexically; ".." above the root stays at the
 * root. False if it does not fit. */
bool path_normalise(const char *base, const char *path, char *ret, size_t ret_size);

#endif
