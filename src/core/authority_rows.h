/* authority_rows - the tables of the authority: who and what there is, how it hangs together, and references to it.
 *
 * Owns:   struct authority and its memory: rows of each kind, an index by id, and the texts.
 * Holds:  a row that is let go has another turn when it is given out again, so no reference to it comes back. The lowest free row is taken, so
 *         that the same requests give the same rows. What hangs on a badge goes with it.
 * Called: core/authority*.c alone. */
#ifndef CORE_AUTHORITY_ROWS_H
#define CORE_AUTHORITY_ROWS_H

#include "core/authority.h"
#include "core/rate.h"

#define ROW_NONE UINT32_MAX
#define ROW_BITS 24 /* of a reference; the other 40 are the turn, of which no row sees the end */
#define TURN_END (UINT64_C(1) << (64 - ROW_BITS))
#define AUTHORITY_HOUR_MS 3600000
#define AUTHORITY_AMOUNT_MAX (UINT64_C(1) << 60)

/* What each row begins with. */
struct row {
	uint64_t
		turn; /* from 0, so that zeroes are a row that was never given out; a reference has one more. Of a free row, the one to come */
	bool live;
};

/* A text that is kept: where it lies in the half that is in use. */
struct text {
	uint32_t at, len;
};

/* What a use is charged to. */
struct account {
	struct authority_bounds bounds;
	uint64_t uses, bytes, rows; /* used */
	struct rate rate;
};

struct badge {
	struct row row;
	uint32_t parent, first, prev, next; /* badges: first sub-agent; siblings */
	uint32_t grants, keys;              /* the first of each */
	uint32_t agent;                     /* row of agents */
	uint8_t depth;
	bool frozen;
	uint8_t id[AUTHORITY_ID], event[AUTHORITY_ID];
	uint64_t labels;
	struct text name;
	struct account account;
	struct rate asks; /* of a badge at the top */
};

struct holding {
	struct row row;
	uint32_t badge, of_badge;           /* and the next grant of it */
	uint32_t sum;                       /* of the object */
	uint32_t parent, first, prev, next; /* grants: the first derived one; siblings */
	uint8_t id[AUTHORITY_ID];
	uint8_t verb, flags, depth, n_unless;
	bool revoked, expired;
	uint64_t labels, unless[AUTHORITY_UNLESS_MAX];
	struct text object, terms;
	struct account account;
	uint64_t lent_bytes, lent_rows;
};

struct ask {
	struct row row;
	uint32_t badge, grant;
	uint8_t id[AUTHORITY_ID], digest[AUTHORITY_DIGEST];
	uint8_t state;      /* enum authority_ask_state */
	bool session, stop; /* of a yes; of a no, which is for all of the grant then */
	uint64_t until_ms;
};

struct key {
	struct row row;
	uint32_t badge, next; /* of the badge */
	uint32_t grant;
	uint8_t key[AUTHORITY_DIGEST], digest[AUTHORITY_DIGEST];
	uint64_t bytes, rows;
};

struct pass {
	struct row row;
	uint32_t badge;
	uint8_t digest[AUTHORITY_DIGEST];
	uint64_t labels;
};

struct mark {
	struct row row;
	struct text path;
	uint64_t labels;
};

/* Of one label of one badge. The grant is the badge's, so it is there as long; of a mark that goes it goes as well, or is another's. */
struct origin {
	struct row row;
	uint32_t badge, which; /* row of the grant or mark; else 0 */
	uint8_t label, by;     /* a bit; enum authority_by */
	uint8_t event[AUTHORITY_ID], from[AUTHORITY_ID];
};

struct agent {
	struct row row;
	struct text name;
	struct account account;
};

/* TABLE(name, which is that of a member of struct authority_size, type) */
#define AUTHORITY_TABLES(TABLE)                                                                                        \
	TABLE(badges, struct badge)                                                                                    \
	TABLE(grants, struct holding)                                                                                  \
	TABLE(asks, struct ask)                                                                                        \
	TABLE(keys, struct key)                                                                                        \
	TABLE(passes, struct pass)                                                                                     \
	TABLE(marks, struct mark)                                                                                      \
	TABLE(agents, struct agent)                                                                                    \
	TABLE(origins, struct origin)

/* Rows by a hash of what names them: open addressing, at most half full. */
struct finder {
	uint32_t *slots; /* row + 1; 0: free */
	uint32_t mask;
};

struct authority {
	struct authority_size size;
	uint64_t ticks_ms;                   /* the sum of what passed */
	uint64_t next_grant_ms, next_ask_ms; /* before these nothing expires; UINT64_MAX: nothing does */
	bool frozen;
#define AUTHORITY_TABLE(name, type)                                                                                    \
	type *name;                                                                                                    \
	uint32_t name##_free, name##_used,                                                                             \
		name##_end; /* no row below the first is free; how many are live; from the last on none was given out */
	AUTHORITY_TABLES(AUTHORITY_TABLE)
#undef AUTHORITY_TABLE
	struct finder badge_ids, grant_ids, key_names;
	char *text;                   /* one half of the texts' memory */
	char *spare;                  /* the other */
	uint32_t text_end, text_live; /* where the next goes; bytes of those that live */
	struct authority_action *actions;
	uint32_t n_actions;
};

/* As authority_init left it: its room is the same. */
void authority_empty(struct authority *a);

/* ---- references ---- */

authority_ref badge_ref(const struct authority *a, uint32_t badge);
authority_ref grant_ref(const struct authority *a, uint32_t grant);
authority_ref ask_ref(const struct authority *a, uint32_t ask);
/* ROW_NONE: it refers to nothing that lives. */
uint32_t badge_of(const struct authority *a, authority_ref ref);
uint32_t grant_of(const struct authority *a, authority_ref ref);
uint32_t ask_of(const struct authority *a, authority_ref ref);

/* ---- making and letting go; room was looked for ---- */

uint32_t badge_new(struct authority *a, uint32_t parent, const uint8_t id[AUTHORITY_ID], const char *name);
/* At the end of the badge's list, derived of parent unless that is ROW_NONE. */
uint32_t grant_new(struct authority *a, uint32_t badge, uint32_t parent, const uint8_t id[AUTHORITY_ID],
		   const char *object, const char *terms);
uint32_t ask_new(struct authority *a);
uint32_t key_new(struct authority *a, uint32_t badge, const uint8_t name[AUTHORITY_DIGEST]);
uint32_t pass_new(struct authority *a);
uint32_t mark_new(struct authority *a, const char *path);
uint32_t agent_new(struct authority *a, const char *name);
uint32_t origin_new(struct authority *a);

/* With its grants, questions, keys, passes and origins; it has no sub-agents any more. */
void badge_drop(struct authority *a, uint32_t badge);
void ask_drop(struct authority *a, uint32_t ask);
void pass_drop(struct authority *a, uint32_t pass);
/* With the origins that are by it. */
void mark_drop(struct authority *a, uint32_t mark);
/* Those of these labels. */
void mark_drop_origins(struct authority *a, uint32_t mark, uint64_t labels);
/* All that are beneath the path become one, of it; there is one. Their origins are by that. */
void marks_join(struct authority *a, const char *path);
void agent_drop(struct authority *a, uint32_t agent);

bool has_text_room(const struct authority *a, const char *first, const char *second);
/* Room was looked for. */
struct text text_keep(struct authority *a, const char *text);
const char *text_of(const struct authority *a, struct text t);
const char *badge_agent(const struct authority *a, uint32_t badge);
const char *holding_object(const struct authority *a, uint32_t grant);

/* ---- finding ---- */

uint32_t badge_with_id(const struct authority *a, const uint8_t id[AUTHORITY_ID]);
uint32_t grant_with_id(const struct authority *a, const uint8_t id[AUTHORITY_ID]);
uint32_t key_with_name(const struct authority *a, uint32_t badge, const uint8_t name[AUTHORITY_DIGEST]);
uint32_t agent_with_name(const struct authority *a, const char *name);
uint32_t mark_with_path(const struct authority *a, const char *path);
/* Of a row that was filled by somebody else: from now on it is found; and hangs where its fields say. */
void badge_found(struct authority *a, uint32_t badge);
/* Objects with another sum are not this one. */
uint32_t object_sum(const char *object);
void grant_found(struct authority *a, uint32_t grant);
void key_found(struct authority *a, uint32_t key);
void badge_link(struct authority *a, uint32_t badge); /* it has a parent */
void grant_link(struct authority *a, uint32_t grant);
void key_link(struct authority *a, uint32_t key);

/* All below root and root itself, those below first: from the first of them, until ROW_NONE. */
uint32_t badge_deepest(const struct authority *a, uint32_t root);
uint32_t badge_after(const struct authority *a, uint32_t badge, uint32_t root);
uint32_t grant_deepest(const struct authority *a, uint32_t root);
uint32_t grant_after(const struct authority *a, uint32_t grant, uint32_t root);
uint32_t badge_top(const struct authority *a, uint32_t badge);

bool is_zeroes(const uint8_t *bytes, size_t n);
void act(struct authority *a, enum authority_act what, authority_ref ref);

#endif
