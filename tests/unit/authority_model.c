#include "authority_model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "core/endpoint.h"
#include "core/listen.h"

#define NOBODY UINT32_MAX

/* A list that only grows; what is in it is named by its place. */
#define LIST(type)                                                                                                     \
	struct {                                                                                                       \
		type *at;                                                                                              \
		uint32_t n;                                                                                            \
	}
#define ADD(list) ((list)->at = grow((list)->at, (list)->n, sizeof *(list)->at), &(list)->at[(list)->n++])

/* Room for one more behind n; it is zeroed. */
static void *grow(void *old, size_t n, size_t each)
{
	uint8_t *at = old;

	if ((n & (n - 1)) == 0) { /* 0, or a power of two: then it is full */
		at = realloc(old, (n == 0 ? 1 : 2 * n) * each);
		if (at == NULL)
			abort();
	}
	memset(at + n * each, 0, each);
	return at;
}

static char *copy_of(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		abort();
	return copy;
}

enum kind { A_NOTHING, A_BADGE, A_GRANT, AN_ASK };

struct named {
	enum kind kind;
	authority_ref ref;
	uint32_t which;
};

struct badge {
	uint32_t parent;
	bool ended;
	uint8_t id[AUTHORITY_ID], event[AUTHORITY_ID];
	char *agent; /* owned */
	uint8_t depth;
	struct authority_bounds bounds;
	uint64_t born_ms; /* by the clock of rates */
};

struct grant_row {
	uint32_t parent, badge;
	uint8_t id[AUTHORITY_ID];
	uint8_t verb, flags, depth, n_unless;
	uint64_t labels, unless[AUTHORITY_UNLESS_MAX];
	struct authority_bounds bounds;
	char *object, *terms; /* owned */
	uint64_t born_ms;
	uint32_t revoked_since; /* of the list: what is before it was no word about this one */
};

struct ask {
	uint32_t badge, grant;
	uint8_t id[AUTHORITY_ID], digest[AUTHORITY_DIGEST];
	enum authority_ask_state state;
	bool session, stop, gone;
	uint64_t until_ms;
};

struct asked {
	uint32_t top;
	uint64_t at_ms;
};

struct key {
	uint32_t badge, grant;
	uint8_t key[AUTHORITY_DIGEST], digest[AUTHORITY_DIGEST];
	uint64_t bytes, rows;
};

struct pass {
	uint32_t badge;
	uint8_t digest[AUTHORITY_DIGEST];
	uint64_t labels;
	bool taken;
};

struct mark {
	char *path; /* owned */
	uint64_t labels;
	bool gone;
};

struct agent {
	char *name; /* owned */
	bool gone;
	struct authority_bounds bounds;
	uint32_t since, rate_since; /* of the list of charges: those before are not its own */
	uint64_t rate_since_ms;
};

/* A use that was allowed, or what was given back of one. */
struct charge {
	uint32_t badge, grant;
	uint64_t bytes, rows, at_ms;
	bool back, more;
};

struct joined {
	uint32_t badge;
	uint64_t labels;
};

/* The first that brought it. */
struct origin {
	uint32_t badge, which; /* grant or mark */
	unsigned label;
	enum authority_by by;
	uint8_t event[AUTHORITY_ID], from[AUTHORITY_ID];
	bool gone; /* with its mark */
};

struct revocation {
	uint32_t grant;
	bool back; /* of that one alone */
};

struct froze {
	uint32_t badge; /* NOBODY: everything */
	bool on;
};

struct model {
	struct authority_size size;
	uint64_t now_ms, clock_ms; /* the person's clock; the sum of what passed */
	uint32_t lent_since;       /* of the list of charges */
	LIST(struct named) names;
	LIST(struct badge) badges;
	LIST(struct grant_row) grants;
	LIST(struct ask) asks;
	LIST(struct asked) asked;
	LIST(struct key) keys;
	LIST(struct pass) passes;
	LIST(struct mark) marks;
	LIST(struct agent) agents;
	LIST(struct charge) charges;
	LIST(struct joined) joined;
	LIST(struct origin) origins;
	LIST(struct froze) froze;
	LIST(struct revocation) revoked;
	LIST(uint32_t) expired; /* grants, each */
};

/* In the order of time: nothing of a later group comes before something of an earlier one. */
enum group { BY_TIME, BY_ENDING, BY_LABELS };

struct act {
	enum authority_act act;
	uint32_t which;
	enum group group;
	bool ordered;  /* what is below comes first */
	uint32_t turn; /* BY_LABELS: of the badge that got them */
};

struct reply {
	bool asks;
	uint32_t turns; /* of badges that got labels */
	enum authority_why why;
	enum authority_limit limit;
	enum kind kind; /* of what was made, or of the question that is there */
	uint32_t made;
	bool is_new;
	LIST(struct act) acts;
};

struct model *model_create(const struct authority_size *size)
{
	struct model *m = calloc(1, sizeof *m);

	if (m == NULL)
		abort();
	m->size = *size;
	return m;
}

void model_destroy(struct model *m)
{
	if (m == NULL)
		return;
	for (uint32_t i = 0; i < m->badges.n; i++)
		free(m->badges.at[i].agent);
	for (uint32_t i = 0; i < m->grants.n; i++) {
		free(m->grants.at[i].object);
		free(m->grants.at[i].terms);
	}
	for (uint32_t i = 0; i < m->marks.n; i++)
		free(m->marks.at[i].path);
	for (uint32_t i = 0; i < m->agents.n; i++)
		free(m->agents.at[i].name);
	free(m->names.at);
	free(m->badges.at);
	free(m->grants.at);
	free(m->asks.at);
	free(m->asked.at);
	free(m->keys.at);
	free(m->passes.at);
	free(m->marks.at);
	free(m->agents.at);
	free(m->charges.at);
	free(m->joined.at);
	free(m->origins.at);
	free(m->froze.at);
	free(m->revoked.at);
	free(m->expired.at);
	free(m);
}

/* ---- texts and numbers ---- */

static bool is_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static bool same_id(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, AUTHORITY_ID) == 0;
}

static bool same_digest(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, AUTHORITY_DIGEST) == 0;
}

static bool is_subset(uint64_t some, uint64_t all)
{
	return (some | all) == all;
}

static bool is_name(const char *text)
{
	if (strlen(text) < 1 || strlen(text) > AUTHORITY_NAME_MAX - 1)
		return false;
	for (; *text != 0; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* Absolute, and no part is nothing, "." or "..". */
static bool is_path(const char *text)
{
	if (text[0] != '/' || strlen(text) >= GRANT_OBJECT_MAX)
		return false;
	if (strcmp(text, "/") == 0)
		return true;
	while (*text == '/') {
		const size_t n = strcspn(++text, "/");

		if (n == 0 || (n == 1 && text[0] == '.') || (n == 2 && text[0] == '.' && text[1] == '.'))
			return false;
		text += n;
	}
	return true;
}

/* Part by part. */
static bool is_in_directory(const char *path, const char *root)
{
	if (*path != '/' || *root != '/')
		return false;
	if (strcmp(root, "/") == 0)
		return true;
	while (*root == '/') {
		const size_t n = strcspn(++root, "/");

		if (*path != '/' || strcspn(++path, "/") != n || memcmp(path, root, n) != 0)
			return false;
		path += n;
		root += n;
	}
	return true;
}

/* "r" to read, "w" to write, "x" to run. */
static const char *letters_of(unsigned verb)
{
	switch (verb) {
	case VERB_WORK: return "rwx";
	case VERB_READ: return "r";
	case VERB_WRITE: return "rw";
	case VERB_RUN: return "rx";
	default: return "";
	}
}

static bool is_of_path(unsigned verb, const char *object)
{
	return letters_of(verb)[0] != 0 && object[0] == '/';
}

static bool is_endpoint(const char *object)
{
	struct endpoint p;
	char again[ENDPOINT_TEXT_MAX];

	if (endpoint_take(object, &p, NULL) < 0)
		return false;
	endpoint_put(&p, again);
	return strcmp(again, object) == 0;
}

static bool is_ports(const char *object)
{
	struct listen_ports p;
	char again[LISTEN_TEXT_MAX];

	if (listen_take(object, &p, NULL) < 0)
		return false;
	listen_put(&p, again);
	return strcmp(again, object) == 0;
}

static bool is_variable(const char *object)
{
	static const char *const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
	const size_t n = strcspn(object, "=");

	return n > 0 && strspn(object, letters) >= n && !(object[0] >= '0' && object[0] <= '9');
}

static bool is_label(const char *object)
{
	static const char *const chars = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	const size_t n = strlen(object);

	return n > 0 && n < FLOW_LABEL_MAX && strspn(object, chars) == n && strcspn(object, "._-") > 0 &&
	       strcmp(object, "none") != 0 && strcmp(object, "labelled") != 0;
}

/* One character after the other, in a state: in the server's name, behind its slash, behind a star. */
static bool is_tool(const char *object)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	static const char *const methods[] = { "resources/read",      "resources/subscribe", "prompts/get",
					       "completion/complete", "logging/setLevel",    "sampling/createMessage",
					       "elicitation/create",  "roots/list" };
	const size_t server = strspn(object, letters);
	const char *rest = object + server + 1;

	if (object[0] == '*')
		return object[1] == 0;
	if (server == 0 || server > 64 || object[server] != '/')
		return false;
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(rest, methods[i]) == 0)
			return true;
	return strcmp(rest, "*") == 0 || (rest[0] != 0 && strlen(rest) <= 128 && rest[strspn(rest, letters)] == 0);
}

static bool ends_in_star(const char *object)
{
	return object[0] != 0 && object[strlen(object) - 1] == '*';
}

/* A star of a server is that of all its names, and of itself, not of what the server asks for. */
static bool is_tool_in(const char *object, const char *outer)
{
	char server[66];
	const char *name = object[0] != '*' ? strchr(object, '/') + 1 : "";

	if (strcmp(outer, object) == 0)
		return true;
	if (strcmp(name, "sampling/createMessage") == 0 || strcmp(name, "elicitation/create") == 0 ||
	    strcmp(name, "roots/list") == 0)
		return false;
	if (strcmp(outer, "*") == 0)
		return true;
	(void)snprintf(server, sizeof server, "%.*s", (int)(strcspn(object, "/") + 1), object); /* with its slash */
	return strncmp(outer, server, strlen(server)) == 0 && strcmp(outer + strlen(server), "*") == 0;
}

static bool is_object(unsigned verb, const char *object)
{
	if (strlen(object) >= GRANT_OBJECT_MAX)
		return false;
	switch (verb) {
	case VERB_WORK:
	case VERB_READ:
	case VERB_WRITE: return is_path(object);
	case VERB_RUN:
		return object[0] == '/' ? is_path(object)
					: object[0] != 0 && strchr(object, '/') == NULL && strcmp(object, ".") != 0 &&
						  strcmp(object, "..") != 0;
	case VERB_ENV: return is_variable(object);
	case VERB_JIT: return object[0] == 0;
	case VERB_CONNECT: return is_endpoint(object);
	case VERB_LISTEN: return is_ports(object);
	case VERB_QUERY: return object[0] != 0;
	case VERB_TOOL: return is_tool(object);
	case VERB_DECLASSIFY: return is_label(object);
	case VERB_DELEGATE: return strcmp(object, "*") == 0 || is_name(object);
	default: return false;
	}
}

static bool is_covered(unsigned outer_verb, const char *outer, unsigned verb, const char *object)
{
	struct endpoint in, out;

	if (!is_object(verb, object))
		return false;
	if (is_of_path(verb, object)) {
		for (const char *c = letters_of(verb); *c != 0; c++)
			if (strchr(letters_of(outer_verb), *c) == NULL)
				return false;
		return is_in_directory(object, outer);
	}
	if (verb != outer_verb)
		return false;
	if (verb == VERB_CONNECT)
		return endpoint_take(object, &in, NULL) == 0 && endpoint_take(outer, &out, NULL) == 0 &&
		       endpoint_is_within(&in, &out);
	if (verb == VERB_TOOL)
		return is_tool_in(object, outer);
	return strcmp(object, outer) == 0 || (verb == VERB_DELEGATE && strcmp(outer, "*") == 0);
}

static bool are_bounds(const struct authority_bounds *b, bool of_grant)
{
	const struct qualifiers *q = &b->q;
	const bool is_period = q->rate == 0 ? q->period_s == 0
					    : q->period_s == 1 || q->period_s == 60 || q->period_s == 3600;

	if (!of_grant && (q->until_s != 0 || q->ech != 0 || b->window.from != 0 || b->window.to != 0))
		return false;
	return window_is_well_formed(&b->window) && b->rows <= UINT64_C(1) << 60 && q->bytes <= UINT64_C(1) << 60 &&
	       q->uses <= 1u << 30 && q->rate <= 1u << 30 && is_period && q->ech <= 1 && q->ask == 0 &&
	       q->between.from == 0 && q->between.to == 0 && q->between.zone[0] == 0 &&
	       q->until_s < TIMESTAMP_END_MS / 1000;
}

static bool are_terms(unsigned verb, const char *object, const char *terms)
{
	struct terms taken;

	if (terms[0] == 0)
		return true;
	return verb == VERB_CONNECT && terms_take(terms, &taken, NULL) == 0 &&
	       grant_check_terms(object, terms, NULL) == 0;
}

static bool is_well_formed(const struct authority_request *q)
{
	if (is_zero(q->id, AUTHORITY_ID) || q->verb >= VERB_COUNT || q->n_unless > AUTHORITY_UNLESS_MAX ||
	    (q->flags & ~(AUTHORITY_ASK | AUTHORITY_ASK_LABELLED)) != 0)
		return false;
	for (unsigned i = 0; i < q->n_unless; i++)
		if (q->unless[i] == 0)
			return false;
	if (q->depth > (q->verb == VERB_DELEGATE ? AUTHORITY_DEPTH_MAX : 0))
		return false;
	if (q->verb == VERB_DECLASSIFY && q->labels == 0)
		return false;
	return is_object(q->verb, q->object) && are_terms(q->verb, q->object, q->terms) && are_bounds(&q->bounds, true);
}

/* ---- what there is ---- */

static uint32_t find(const struct model *m, enum kind kind, authority_ref ref)
{
	for (uint32_t i = 0; i < m->names.n; i++)
		if (m->names.at[i].kind == kind && m->names.at[i].ref == ref)
			return m->names.at[i].which;
	return NOBODY;
}

static authority_ref ref_of(const struct model *m, enum kind kind, uint32_t which)
{
	for (uint32_t i = 0; i < m->names.n; i++)
		if (m->names.at[i].kind == kind && m->names.at[i].which == which)
			return m->names.at[i].ref;
	return 0;
}

/* NOBODY unless it is live. */
static uint32_t badge_of(const struct model *m, authority_ref ref)
{
	const uint32_t b = find(m, A_BADGE, ref);

	return b != NOBODY && !m->badges.at[b].ended ? b : NOBODY;
}

/* The row of its name; NOBODY: there is none. */
static uint32_t agent_named(const struct model *m, const char *name)
{
	for (uint32_t i = 0; i < m->agents.n; i++)
		if (!m->agents.at[i].gone && strcmp(m->agents.at[i].name, name) == 0)
			return i;
	return NOBODY;
}

static bool grant_is_live(const struct model *m, uint32_t g)
{
	return !m->badges.at[m->grants.at[g].badge].ended;
}

static uint32_t grant_of(const struct model *m, authority_ref ref)
{
	const uint32_t g = find(m, A_GRANT, ref);

	return g != NOBODY && grant_is_live(m, g) ? g : NOBODY;
}

static uint32_t ask_of(const struct model *m, authority_ref ref)
{
	const uint32_t s = find(m, AN_ASK, ref);

	return s != NOBODY && !m->asks.at[s].gone ? s : NOBODY;
}

/* Itself, too. */
static bool badge_is_below(const struct model *m, uint32_t b, uint32_t above)
{
	for (; b != NOBODY; b = m->badges.at[b].parent)
		if (b == above)
			return true;
	return false;
}

static bool grant_is_below(const struct model *m, uint32_t g, uint32_t above)
{
	for (; g != NOBODY; g = m->grants.at[g].parent)
		if (g == above)
			return true;
	return false;
}

static uint32_t top_of(const struct model *m, uint32_t b)
{
	while (m->badges.at[b].parent != NOBODY)
		b = m->badges.at[b].parent;
	return b;
}

static bool is_revoked(const struct model *m, uint32_t g)
{
	bool is = false;

	for (uint32_t i = m->grants.at[g].revoked_since; i < m->revoked.n; i++)
		if (m->revoked.at[i].back ? g == m->revoked.at[i].grant : grant_is_below(m, g, m->revoked.at[i].grant))
			is = !m->revoked.at[i].back;
	return is;
}

static bool is_expired(const struct model *m, uint32_t g)
{
	for (uint32_t i = 0; i < m->expired.n; i++)
		if (m->expired.at[i] == g)
			return true;
	return false;
}

static bool is_muted(const struct model *m, uint32_t g)
{
	for (uint32_t i = 0; i < m->asks.n; i++)
		if (!m->asks.at[i].gone && m->asks.at[i].stop && m->asks.at[i].grant == g)
			return true;
	return false;
}

static bool is_muted_above(const struct model *m, uint32_t g)
{
	for (; g != NOBODY; g = m->grants.at[g].parent)
		if (is_muted(m, g))
			return true;
	return false;
}

static bool is_open(const struct model *m, uint32_t g)
{
	return grant_is_live(m, g) && !is_revoked(m, g) && !is_expired(m, g);
}

/* The last word about it. */
static bool has_mark_of_ice(const struct model *m, uint32_t b)
{
	bool on = false;

	for (uint32_t i = 0; i < m->froze.n; i++)
		if (m->froze.at[i].badge == b)
			on = m->froze.at[i].on;
	return on;
}

static bool is_frozen(const struct model *m, uint32_t b)
{
	for (; b != NOBODY; b = m->badges.at[b].parent)
		if (has_mark_of_ice(m, b))
			return true;
	return has_mark_of_ice(m, NOBODY);
}

static uint32_t uppermost(const struct model *m, uint32_t b)
{
	while (m->badges.at[b].parent != NOBODY)
		b = m->badges.at[b].parent;
	return b;
}

/* Also of those that ended: what they brought, the others have. */
static uint64_t labels_of(const struct model *m, uint32_t b)
{
	uint64_t labels = 0;

	for (uint32_t i = 0; i < m->joined.n; i++)
		if (uppermost(m, m->joined.at[i].badge) == uppermost(m, b))
			labels |= m->joined.at[i].labels;
	return labels;
}

static bool pass_is(const struct model *m, uint32_t i, uint32_t b, const uint8_t *digest)
{
	const struct pass *p = &m->passes.at[i];

	return p->badge == b && !p->taken && same_digest(p->digest, digest);
}

static uint64_t less_passes(const struct model *m, uint64_t labels, uint32_t b, const uint8_t *digest)
{
	for (uint32_t i = 0; i < m->passes.n; i++)
		if (pass_is(m, i, b, digest))
			labels &= ~m->passes.at[i].labels;
	return labels;
}

static void take_passes(struct model *m, uint32_t b, const uint8_t *digest)
{
	for (uint32_t i = 0; i < m->passes.n; i++)
		if (pass_is(m, i, b, digest))
			m->passes.at[i].taken = true;
}

static uint64_t own_of(const struct model *m, uint32_t g)
{
	return m->grants.at[g].verb == VERB_CONNECT || m->grants.at[g].verb == VERB_LISTEN ? m->grants.at[g].labels : 0;
}

static bool is_blocked(const struct model *m, uint32_t g, uint64_t labels)
{
	for (unsigned i = 0; i < m->grants.at[g].n_unless; i++)
		if (is_subset(m->grants.at[g].unless[i], labels))
			return true;
	return false;
}

/* ---- how many rows, how much text ---- */

static uint32_t badges_there(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->badges.n; i++)
		n += !m->badges.at[i].ended;
	return n;
}

static uint32_t grants_there(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->grants.n; i++)
		n += grant_is_live(m, i);
	return n;
}

static uint32_t asks_there(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->asks.n; i++)
		n += !m->asks.at[i].gone;
	return n;
}

static uint32_t keys_there(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->keys.n; i++)
		n += !m->badges.at[m->keys.at[i].badge].ended;
	return n;
}

static uint32_t passes_there(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->passes.n; i++)
		n += !m->passes.at[i].taken && !m->badges.at[m->passes.at[i].badge].ended;
	return n;
}

static uint32_t origins_there(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->origins.n; i++)
		n += !m->origins.at[i].gone && !m->badges.at[m->origins.at[i].badge].ended;
	return n;
}

static uint32_t agents_there(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->agents.n; i++)
		n += !m->agents.at[i].gone;
	return n;
}

static uint32_t marks_there(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->marks.n; i++)
		n += !m->marks.at[i].gone;
	return n;
}

static size_t room_of(const char *text)
{
	return text[0] != 0 ? strlen(text) + 1 : 0;
}

static bool has_room(const struct model *m, const char *text, const char *terms)
{
	size_t n = room_of(text) + room_of(terms);

	for (uint32_t i = 0; i < m->badges.n; i++)
		n += m->badges.at[i].ended ? 0 : room_of(m->badges.at[i].agent);
	for (uint32_t i = 0; i < m->grants.n; i++)
		n += grant_is_live(m, i) ? room_of(m->grants.at[i].object) + room_of(m->grants.at[i].terms) : 0;
	for (uint32_t i = 0; i < m->marks.n; i++)
		n += m->marks.at[i].gone ? 0 : room_of(m->marks.at[i].path);
	for (uint32_t i = 0; i < m->agents.n; i++)
		n += m->agents.at[i].gone ? 0 : room_of(m->agents.at[i].name);
	return n <= m->size.text;
}

/* ---- what happens ---- */

static void do_act(struct reply *ret, enum authority_act act, uint32_t which, enum group group, bool ordered)
{
	*ADD(&ret->acts) = (struct act){ act, which, group, ordered, ret->turns };
}

/* Where they came from, and what they close. by: a grant, a mark, or the badge that had them. */
static void note_labels(struct model *m, uint32_t b, uint64_t before, uint64_t labels, enum authority_by by,
			uint32_t which, const struct authority_request *q, struct reply *ret)
{
	for (unsigned i = 0; i < 64; i++) {
		struct origin o = { .badge = b, .label = i, .by = by };

		if (is_subset(UINT64_C(1) << i & labels, before) || origins_there(m) >= m->size.origins)
			continue;
		memcpy(o.event, q->event, AUTHORITY_ID);
		if (by == AUTHORITY_BY_BADGE)
			memcpy(o.from, m->badges.at[which].id, AUTHORITY_ID);
		else
			o.which = which;
		*ADD(&m->origins) = o;
	}
	for (uint32_t g = 0; g < m->grants.n; g++)
		if (m->grants.at[g].badge == b && is_open(m, g) && is_blocked(m, g, before | labels | own_of(m, g)) &&
		    !is_blocked(m, g, before | own_of(m, g)))
			do_act(ret, AUTHORITY_ACT_CLOSE, g, BY_LABELS, false);
	ret->turns++;
}

static uint32_t badge_in_row(const struct model *m, uint32_t row)
{
	for (uint32_t i = 0; i < m->badges.n; i++)
		if (!m->badges.at[i].ended && AUTHORITY_ROW(ref_of(m, A_BADGE, i)) == row)
			return i;
	return NOBODY;
}

/* To all of its tree, of which who comes first gets a row for its origin. */
static void join_labels(struct model *m, uint32_t b, uint64_t labels, enum authority_by by, uint32_t which,
			const struct authority_request *q, struct reply *ret)
{
	const uint64_t before = labels_of(m, b);

	if (is_subset(labels, before))
		return;
	*ADD(&m->joined) = (struct joined){ b, labels };
	note_labels(m, b, before, labels, by, which, q, ret);
	for (uint32_t row = 0; row < m->size.badges; row++) {
		const uint32_t i = badge_in_row(m, row);

		if (i != NOBODY && i != b && uppermost(m, i) == uppermost(m, b))
			note_labels(m, i, before, labels, AUTHORITY_BY_BADGE, b, q, ret);
	}
}

static void expire_with_all_below(struct model *m, uint32_t above, struct reply *ret)
{
	for (uint32_t g = 0; g < m->grants.n; g++) {
		if (!grant_is_below(m, g, above) || !is_open(m, g))
			continue;
		*ADD(&m->expired) = g;
		do_act(ret, AUTHORITY_ACT_CLOSE, g, BY_TIME, true);
	}
}

static void let_time_pass(struct model *m, const struct authority_request *q, struct reply *ret)
{
	m->now_ms = q->now_ms;
	m->clock_ms += q->passed_ms;
	for (uint32_t g = 0; g < m->grants.n; g++) {
		const uint64_t until_s = m->grants.at[g].bounds.q.until_s;

		if (is_open(m, g) && until_s != 0 && until_s * 1000 <= m->now_ms)
			expire_with_all_below(m, g, ret);
	}
	for (uint32_t i = 0; i < m->asks.n; i++)
		if (m->asks.at[i].until_ms <= m->now_ms)
			m->asks.at[i].gone = true;
}

static void end_badge(struct model *m, uint32_t above, struct reply *ret)
{
	for (uint32_t b = 0; b < m->badges.n; b++) {
		if (m->badges.at[b].ended || !badge_is_below(m, b, above))
			continue;
		m->badges.at[b].ended = true;
		do_act(ret, AUTHORITY_ACT_END, b, BY_ENDING, true);
		for (uint32_t i = 0; i < m->asks.n; i++)
			if (m->asks.at[i].badge == b)
				m->asks.at[i].gone = true;
	}
}

static void name_made(struct reply *ret, enum kind kind, uint32_t which, bool is_new)
{
	ret->kind = kind;
	ret->made = which;
	ret->is_new = is_new;
}

/* ---- budgets ---- */

enum node_kind { OF_GRANT, OF_BADGE, OF_AGENT };

struct node {
	enum node_kind kind;
	uint32_t which;
};

struct amounts {
	uint64_t uses, bytes, rows;
};

/* Who acts there, by the name that a person gave. */
static bool badge_is_of(const struct model *m, uint32_t b, const char *agent)
{
	return strcmp(m->badges.at[uppermost(m, b)].agent, agent) == 0;
}

static bool is_charged(const struct model *m, struct node n, uint32_t i)
{
	const struct charge *c = &m->charges.at[i];

	if (n.kind != OF_GRANT && m->grants.at[c->grant].verb == VERB_DELEGATE)
		return false;
	switch (n.kind) {
	case OF_GRANT: return grant_is_below(m, c->grant, n.which);
	case OF_BADGE: return badge_is_below(m, c->badge, n.which);
	case OF_AGENT: return i >= m->agents.at[n.which].since && badge_is_of(m, c->badge, m->agents.at[n.which].name);
	}
	return false;
}

static uint64_t less(uint64_t there, uint64_t back)
{
	return back < there ? there - back : 0;
}

static struct amounts used_of(const struct model *m, struct node n)
{
	struct amounts sum = { .uses = 0 };

	for (uint32_t i = 0; i < m->charges.n; i++) {
		const struct charge *c = &m->charges.at[i];

		if (!is_charged(m, n, i))
			continue;
		sum.uses += !c->back && !c->more;
		sum.bytes = c->back ? less(sum.bytes, c->bytes) : sum.bytes + c->bytes;
		sum.rows = c->back ? less(sum.rows, c->rows) : sum.rows + c->rows;
	}
	return sum;
}

static struct amounts lent_of(const struct model *m, uint32_t g)
{
	struct amounts sum = { .uses = 0 };

	for (uint32_t i = m->lent_since; i < m->charges.n; i++) {
		const struct charge *c = &m->charges.at[i];

		if (c->grant != g)
			continue;
		sum.bytes = c->back ? sum.bytes - c->bytes : sum.bytes + c->bytes;
		sum.rows = c->back ? sum.rows - c->rows : sum.rows + c->rows;
	}
	return sum;
}

static const struct authority_bounds *bounds_of(const struct model *m, struct node n)
{
	switch (n.kind) {
	case OF_GRANT: return &m->grants.at[n.which].bounds;
	case OF_BADGE: return &m->badges.at[n.which].bounds;
	case OF_AGENT: break;
	}
	return &m->agents.at[n.which].bounds;
}

/* What is in a bucket at a moment, of so many times what one takes. */
struct bucket {
	uint64_t most, period_ms, level, at_ms;
};

static struct bucket bucket_of(uint64_t most, uint64_t period_ms, uint64_t at_ms)
{
	return (struct bucket){ most, period_ms, most * period_ms, at_ms };
}

static void bucket_wait(struct bucket *b, uint64_t until_ms)
{
	const uint64_t passed = until_ms - b->at_ms, whole = b->most * b->period_ms;

	if (passed >= b->period_ms || passed * b->most >= whole - b->level)
		b->level = whole;
	else
		b->level += passed * b->most;
	b->at_ms = until_ms;
}

static bool bucket_has_one(struct bucket b, uint64_t now_ms)
{
	bucket_wait(&b, now_ms);
	return b.level >= b.period_ms;
}

static void bucket_take(struct bucket *b, uint64_t at_ms)
{
	bucket_wait(b, at_ms);
	b->level -= b->period_ms;
}

static bool has_rate_left(const struct model *m, struct node n)
{
	const struct qualifiers *q = &bounds_of(m, n)->q;
	uint64_t start = 0;
	uint32_t first = 0;
	struct bucket bucket;

	if (q->rate == 0)
		return true;
	if (n.kind == OF_GRANT)
		start = m->grants.at[n.which].born_ms;
	else if (n.kind == OF_BADGE)
		start = m->badges.at[n.which].born_ms;
	else {
		start = m->agents.at[n.which].rate_since_ms;
		first = m->agents.at[n.which].rate_since;
	}
	bucket = bucket_of(q->rate, UINT64_C(1000) * q->period_s, start);
	for (uint32_t i = first; i < m->charges.n; i++)
		if (!m->charges.at[i].back && !m->charges.at[i].more && is_charged(m, n, i))
			bucket_take(&bucket, m->charges.at[i].at_ms);
	return bucket_has_one(bucket, m->clock_ms);
}

/* Sums are exact: one that would not fit is too large for any bound. */
static bool is_over(uint64_t bound, uint64_t used, uint64_t more)
{
	return more > UINT64_MAX - used || (bound != 0 && used + more > bound);
}

static bool is_short(const struct model *m, struct node n, uint64_t bytes, uint64_t rows, bool more, struct reply *ret)
{
	const struct authority_bounds *b = bounds_of(m, n);
	const struct amounts used = used_of(m, n);

	if (!more && is_over(b->q.uses, used.uses, 1))
		ret->limit = AUTHORITY_USES;
	else if (is_over(b->q.bytes, used.bytes, bytes))
		ret->limit = AUTHORITY_BYTES;
	else if (is_over(b->rows, used.rows, rows))
		ret->limit = AUTHORITY_ROWS;
	else if (!more && !has_rate_left(m, n))
		ret->limit = AUTHORITY_RATE;
	else
		return false;
	return true;
}

/* more: only amounts are asked for. */
static bool something_is_short(const struct model *m, uint32_t badge, uint32_t grant, uint64_t bytes, uint64_t rows,
			       bool more, struct reply *ret)
{
	uint32_t agent;

	for (uint32_t g = grant; g != NOBODY; g = m->grants.at[g].parent)
		if (is_short(m, (struct node){ OF_GRANT, g }, bytes, rows, more, ret))
			return true;
	if (m->grants.at[grant].verb == VERB_DELEGATE)
		return false;
	for (uint32_t b = badge; b != NOBODY; b = m->badges.at[b].parent)
		if (is_short(m, (struct node){ OF_BADGE, b }, bytes, rows, more, ret))
			return true;
	agent = agent_named(m, m->badges.at[uppermost(m, badge)].agent);
	return agent != NOBODY && is_short(m, (struct node){ OF_AGENT, agent }, bytes, rows, more, ret);
}

/* ---- use ---- */

struct use {
	uint32_t badge, grant;
	unsigned verb;
	const char *object;
	bool keyed, opens;
	uint64_t bytes, rows;
};

static uint32_t waiting_in_tree(const struct model *m, uint32_t top)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->asks.n; i++)
		n += !m->asks.at[i].gone && m->asks.at[i].state == ASK_WAITS && top_of(m, m->asks.at[i].badge) == top;
	return n;
}

static bool may_ask_more(const struct model *m, uint32_t top)
{
	struct bucket bucket = bucket_of(AUTHORITY_ASKS_PER_HOUR, 3600000, m->badges.at[top].born_ms);

	for (uint32_t i = 0; i < m->asked.n; i++)
		if (m->asked.at[i].top == top)
			bucket_take(&bucket, m->asked.at[i].at_ms);
	return bucket_has_one(bucket, m->clock_ms);
}

static uint32_t question_of(const struct model *m, const struct use *u, const uint8_t *digest)
{
	for (uint32_t i = 0; i < m->asks.n; i++)
		if (!m->asks.at[i].gone && m->asks.at[i].badge == u->badge && m->asks.at[i].grant == u->grant &&
		    same_digest(m->asks.at[i].digest, digest))
			return i;
	return NOBODY;
}

static enum authority_why ask(struct model *m, const struct use *u, const struct authority_request *q,
			      struct reply *ret)
{
	const uint32_t top = top_of(m, u->badge);
	struct ask *new;

	if (is_muted_above(m, u->grant))
		return WHY_REFUSED;
	if (is_zero(q->id, AUTHORITY_ID) || q->until_ms <= m->now_ms)
		return WHY_MALFORMED;
	if (waiting_in_tree(m, top) >= AUTHORITY_WAITING_MAX || !may_ask_more(m, top))
		return WHY_FLOOD;
	if (asks_there(m) >= m->size.asks)
		return WHY_FULL;
	*ADD(&m->asked) = (struct asked){ top, m->clock_ms };
	name_made(ret, AN_ASK, m->asks.n, true);
	new = ADD(&m->asks);
	*new = (struct ask){ .badge = u->badge, .grant = u->grant, .state = ASK_WAITS, .until_ms = q->until_ms };
	memcpy(new->id, q->id, AUTHORITY_ID);
	memcpy(new->digest, q->digest, AUTHORITY_DIGEST);
	ret->asks = true;
	return WHY_NONE;
}

/* Whether there is an answer for it. False: *why, or ret->asks. */
static bool is_approved(struct model *m, const struct use *u, const struct authority_request *q, struct reply *ret,
			enum authority_why *why)
{
	const uint32_t question = question_of(m, u, q->digest);

	if (question == NOBODY) {
		*why = ask(m, u, q, ret);
		return false;
	}
	switch (m->asks.at[question].state) {
	case ASK_APPROVED:
		if (!m->asks.at[question].session)
			m->asks.at[question].gone = true;
		return true;
	case ASK_REFUSED: *why = WHY_REFUSED; break;
	case ASK_WAITS:
		*why = WHY_ALREADY;
		ret->asks = true;
		name_made(ret, AN_ASK, question, false);
		break;
	}
	return false;
}

static void charge(struct model *m, const struct use *u, const struct authority_request *q, struct reply *ret)
{
	const struct grant_row g = m->grants.at[u->grant];

	*ADD(&m->charges) = (struct charge){ u->badge, u->grant, u->bytes, u->rows, m->clock_ms, false, false };
	if (g.n_unless > 0)
		take_passes(m, u->badge, q->digest);
	if (u->keyed) {
		struct key *key = ADD(&m->keys);

		*key = (struct key){ .badge = u->badge, .grant = u->grant, .bytes = u->bytes, .rows = u->rows };
		memcpy(key->key, q->key, AUTHORITY_DIGEST);
		memcpy(key->digest, q->digest, AUTHORITY_DIGEST);
	}
	if (g.verb == VERB_DECLASSIFY) {
		struct pass *pass = ADD(&m->passes);

		*pass = (struct pass){ .badge = u->badge, .labels = g.labels };
		memcpy(pass->digest, q->digest, AUTHORITY_DIGEST);
	} else {
		join_labels(m, u->badge, g.labels, AUTHORITY_BY_GRANT, u->grant, q, ret);
	}
}

static const struct key *key_of(const struct model *m, uint32_t badge, const uint8_t *key)
{
	for (uint32_t i = 0; i < m->keys.n; i++)
		if (m->keys.at[i].badge == badge && same_digest(m->keys.at[i].key, key))
			return &m->keys.at[i];
	return NULL;
}

static bool is_at_this_minute(const struct window *w, unsigned minute)
{
	if (w->from == w->to)
		return true;
	if (minute >= WINDOW_DAY)
		return false;
	for (unsigned i = w->from; i != w->to; i = (i + 1) % WINDOW_DAY)
		if (i == minute)
			return true;
	return false;
}

/* From the second check on. Allowed: WHY_NONE, and ret->asks is false. */
static enum authority_why make_use(struct model *m, const struct use *u, const struct authority_request *q,
				   struct reply *ret)
{
	const struct grant_row g = m->grants.at[u->grant];
	const struct key *key = u->keyed ? key_of(m, u->badge, q->key) : NULL;
	enum authority_why why = WHY_NONE;
	bool blocked;

	if (u->verb >= VERB_COUNT || (q->minute >= WINDOW_DAY && q->minute != AUTHORITY_MINUTE_NONE) ||
	    u->bytes > UINT64_C(1) << 60 || u->rows > UINT64_C(1) << 60)
		return WHY_MALFORMED;
	if (u->verb == VERB_TOOL && ends_in_star(u->object[0] == 0 && g.verb == VERB_TOOL ? g.object : u->object))
		return WHY_MALFORMED;
	if (is_frozen(m, u->badge))
		return WHY_FROZEN;
	if (is_revoked(m, u->grant))
		return WHY_REVOKED;
	if (is_expired(m, u->grant))
		return WHY_EXPIRED;
	if (key != NULL)
		return key->grant == u->grant && same_digest(key->digest, q->digest) && key->bytes == u->bytes &&
				       key->rows == u->rows
			       ? WHY_RECORDED
			       : WHY_CONFLICT;
	if (!is_at_this_minute(&g.bounds.window, q->minute))
		return WHY_NOT_NOW;
	if (u->object[0] == 0 ? u->verb != g.verb : !is_covered(g.verb, g.object, u->verb, u->object))
		return WHY_BEYOND;
	if (u->opens && (g.depth == 0 || m->badges.at[u->badge].depth + 1 > AUTHORITY_DEPTH_MAX))
		return WHY_DEPTH;
	blocked = is_blocked(m, u->grant,
			     less_passes(m, labels_of(m, u->badge) | own_of(m, u->grant), u->badge, q->digest));
	if (blocked && (g.flags & AUTHORITY_ASK_LABELLED) == 0)
		return WHY_LABELLED;
	if (something_is_short(m, u->badge, u->grant, u->bytes, u->rows, false, ret))
		return WHY_SPENT;
	if ((u->keyed && keys_there(m) >= m->size.keys) ||
	    (g.verb == VERB_DECLASSIFY && passes_there(m) >= m->size.passes))
		return WHY_FULL;
	if (((g.flags & AUTHORITY_ASK) != 0 || blocked) && !is_approved(m, u, q, ret, &why))
		return why;
	charge(m, u, q, ret);
	return WHY_NONE;
}

static bool holds(const struct model *m, const struct authority_request *q, uint32_t *badge, uint32_t *grant)
{
	*badge = badge_of(m, q->badge);
	*grant = grant_of(m, q->grant);
	return *badge != NOBODY && *grant != NOBODY && m->grants.at[*grant].badge == *badge;
}

static enum authority_why step_use(struct model *m, const struct authority_request *q, struct reply *ret)
{
	struct use u = { .verb = q->verb, .object = q->object, .bytes = q->bytes, .rows = q->rows };

	if (!holds(m, q, &u.badge, &u.grant))
		return WHY_NOT_HELD;
	if ((q->flags & ~AUTHORITY_KEYED) != 0)
		return WHY_MALFORMED;
	u.keyed = q->flags != 0;
	return make_use(m, &u, q, ret);
}

static enum authority_why step_return(struct model *m, const struct authority_request *q)
{
	uint32_t badge, grant;
	struct amounts lent;

	if (!holds(m, q, &badge, &grant))
		return WHY_NOT_HELD;
	lent = lent_of(m, grant);
	if (q->bytes > lent.bytes || q->rows > lent.rows)
		return WHY_BEYOND;
	*ADD(&m->charges) = (struct charge){ badge, grant, q->bytes, q->rows, m->clock_ms, true, false };
	return WHY_NONE;
}

static enum authority_why step_more(struct model *m, const struct authority_request *q, struct reply *ret)
{
	uint32_t badge, grant;

	if (!holds(m, q, &badge, &grant))
		return WHY_NOT_HELD;
	if ((q->minute >= WINDOW_DAY && q->minute != AUTHORITY_MINUTE_NONE) || q->bytes > UINT64_C(1) << 60 ||
	    q->rows > UINT64_C(1) << 60)
		return WHY_MALFORMED;
	if (is_frozen(m, badge))
		return WHY_FROZEN;
	if (is_revoked(m, grant))
		return WHY_REVOKED;
	if (is_expired(m, grant))
		return WHY_EXPIRED;
	if (!is_at_this_minute(&m->grants.at[grant].bounds.window, q->minute))
		return WHY_NOT_NOW;
	if (something_is_short(m, badge, grant, q->bytes, q->rows, true, ret))
		return WHY_SPENT;
	*ADD(&m->charges) = (struct charge){ badge, grant, q->bytes, q->rows, m->clock_ms, false, true };
	return WHY_NONE;
}

/* ---- badges ---- */

static enum authority_why step_open(struct model *m, const struct authority_request *q, struct reply *ret)
{
	struct use u = { .verb = VERB_DELEGATE, .object = q->object, .opens = true };
	uint32_t parent = NOBODY;
	struct badge new = { .parent = NOBODY, .bounds = q->bounds, .born_ms = m->clock_ms };

	if (!is_name(q->object) || is_zero(q->id, AUTHORITY_ID) || !are_bounds(&q->bounds, false) ||
	    (q->badge == 0 && (q->grant != 0 || !is_zero(q->event, AUTHORITY_ID))))
		return WHY_MALFORMED;
	if (q->badge != 0 && (!holds(m, q, &parent, &u.grant) || m->grants.at[u.grant].verb != VERB_DELEGATE))
		return WHY_NOT_HELD;
	for (uint32_t b = 0; b < m->badges.n; b++)
		if (!m->badges.at[b].ended && same_id(m->badges.at[b].id, q->id)) {
			if (m->badges.at[b].parent != parent)
				return WHY_NOT_HELD;
			if (parent != NOBODY && is_frozen(m, b))
				return WHY_FROZEN;
			if (parent != NOBODY && is_revoked(m, u.grant))
				return WHY_REVOKED;
			if (parent != NOBODY && is_expired(m, u.grant))
				return WHY_EXPIRED;
			name_made(ret, A_BADGE, b, false);
			return WHY_TAKEN;
		}
	if (badges_there(m) >= m->size.badges || !has_room(m, q->object, ""))
		return WHY_FULL;
	if (q->badge != 0) {
		enum authority_why why;

		u.badge = parent;
		why = make_use(m, &u, q, ret);
		if (why != WHY_NONE || ret->asks)
			return why;
		new.parent = parent;
		new.depth = (uint8_t)(m->badges.at[parent].depth + 1);
	}
	memcpy(new.id, q->id, AUTHORITY_ID);
	memcpy(new.event, q->event, AUTHORITY_ID);
	new.agent = copy_of(q->object);
	name_made(ret, A_BADGE, m->badges.n, true);
	*ADD(&m->badges) = new;
	if (parent != NOBODY)
		note_labels(m, ret->made, 0, labels_of(m, parent), AUTHORITY_BY_BADGE, parent, q, ret);
	join_labels(m, ret->made, q->labels, AUTHORITY_BY_GIVEN, 0, q, ret);
	return WHY_NONE;
}

static enum authority_why step_end(struct model *m, const struct authority_request *q, struct reply *ret)
{
	const uint32_t b = badge_of(m, q->badge);

	if (b == NOBODY)
		return WHY_NOT_HELD;
	end_badge(m, b, ret);
	return WHY_NONE;
}

static enum authority_why step_event_end(struct model *m, const struct authority_request *q, struct reply *ret)
{
	const uint32_t above = badge_of(m, q->badge);

	if (above == NOBODY)
		return WHY_NOT_HELD;
	if (is_zero(q->event, AUTHORITY_ID))
		return WHY_MALFORMED;
	for (uint32_t b = 0; b < m->badges.n; b++)
		if (m->badges.at[b].parent == above && same_id(m->badges.at[b].event, q->event))
			end_badge(m, b, ret);
	return WHY_NONE;
}

static enum authority_why step_hand_over(struct model *m, const struct authority_request *q)
{
	const uint32_t above = badge_of(m, q->badge), b = badge_of(m, q->to);

	if (above == NOBODY || b == NOBODY || m->badges.at[b].parent != above)
		return WHY_NOT_HELD;
	if (is_zero(m->badges.at[b].event, AUTHORITY_ID))
		return WHY_ALREADY;
	memset(m->badges.at[b].event, 0, AUTHORITY_ID);
	return WHY_NONE;
}

static enum authority_why step_freeze(struct model *m, const struct authority_request *q, bool on, struct reply *ret)
{
	const uint32_t above = q->badge == 0 ? NOBODY : badge_of(m, q->badge);

	if (q->badge != 0 && above == NOBODY)
		return WHY_NOT_HELD;
	if (has_mark_of_ice(m, above) == on)
		return WHY_ALREADY;
	*ADD(&m->froze) = (struct froze){ above, on };
	for (uint32_t b = 0; b < m->badges.n; b++)
		if (!m->badges.at[b].ended && (above == NOBODY || badge_is_below(m, b, above)) &&
		    (on || !is_frozen(m, b)))
			do_act(ret, on ? AUTHORITY_ACT_FREEZE : AUTHORITY_ACT_THAW, b, BY_ENDING, on);
	return WHY_NONE;
}

/* ---- grants ---- */

static bool grant_id_is_taken(const struct model *m, const uint8_t *id, struct reply *ret, enum authority_why *why)
{
	for (uint32_t g = 0; g < m->grants.n; g++)
		if (grant_is_live(m, g) && same_id(m->grants.at[g].id, id)) {
			name_made(ret, A_GRANT, g, false);
			*why = is_revoked(m, g) ? WHY_REVOKED : is_expired(m, g) ? WHY_EXPIRED : WHY_TAKEN;
			return true;
		}
	return false;
}

static enum authority_why make_grant(struct model *m, const struct authority_request *q, uint32_t badge,
				     uint32_t parent, struct reply *ret)
{
	struct grant_row new = { .parent = parent,
				 .badge = badge,
				 .verb = q->verb,
				 .flags = q->flags,
				 .depth = q->depth,
				 .n_unless = q->n_unless,
				 .labels = q->labels,
				 .bounds = q->bounds,
				 .born_ms = m->clock_ms,
				 .revoked_since = m->revoked.n };

	if (grants_there(m) >= m->size.grants || !has_room(m, q->object, q->terms))
		return WHY_FULL;
	memcpy(new.id, q->id, AUTHORITY_ID);
	memcpy(new.unless, q->unless, sizeof new.unless);
	new.object = copy_of(q->object);
	new.terms = copy_of(q->terms);
	name_made(ret, A_GRANT, m->grants.n, true);
	*ADD(&m->grants) = new;
	return WHY_NONE;
}

static enum authority_why step_give(struct model *m, const struct authority_request *q, struct reply *ret)
{
	const uint32_t badge = badge_of(m, q->badge);
	enum authority_why why;

	if (badge == NOBODY)
		return WHY_NOT_HELD;
	if (m->badges.at[badge].parent != NOBODY)
		return WHY_BEYOND;
	if (!is_well_formed(q))
		return WHY_MALFORMED;
	if (grant_id_is_taken(m, q->id, ret, &why))
		return why;
	return make_grant(m, q, badge, NOBODY, ret);
}

static bool is_within_hours(const struct window *inner, const struct window *outer)
{
	if (outer->from == outer->to)
		return true;
	if (inner->from == inner->to || strcmp(inner->zone, outer->zone) != 0)
		return false;
	for (unsigned minute = 0; minute < WINDOW_DAY; minute++)
		if (is_at_this_minute(inner, minute) && !is_at_this_minute(outer, minute))
			return false;
	return true;
}

static bool terms_within(const char *inner, const char *outer)
{
	struct terms in = { .credentials = TERMS_REFUSE }, out = in;

	return terms_take(inner, &in, NULL) == 0 && terms_take(outer, &out, NULL) == 0 && terms_are_within(&in, &out);
}

static bool is_no_more(uint64_t inner, uint64_t outer)
{
	return outer == 0 || (inner != 0 && inner <= outer);
}

static bool is_within(const struct authority_request *q, const struct grant_row *g)
{
	const struct qualifiers *in = &q->bounds.q, *out = &g->bounds.q;
	const unsigned dropped = g->flags & ~q->flags, added = q->flags & ~g->flags;

	if (!is_covered(g->verb, g->object, q->verb, q->object) ||
	    !is_within_hours(&q->bounds.window, &g->bounds.window) || !terms_within(q->terms, g->terms))
		return false;
	if (!is_no_more(in->uses, out->uses) || !is_no_more(in->bytes, out->bytes) ||
	    !is_no_more(q->bounds.rows, g->bounds.rows) || !is_no_more(in->until_s, out->until_s) || in->ech > out->ech)
		return false;
	if (out->rate != 0 && (in->rate == 0 || in->rate > out->rate ||
			       (uint64_t)in->rate * out->period_s > (uint64_t)out->rate * in->period_s))
		return false;
	if ((dropped & AUTHORITY_ASK) != 0 || ((added & AUTHORITY_ASK_LABELLED) != 0 && g->n_unless != 0))
		return false;
	for (unsigned i = 0; i < g->n_unless; i++) {
		bool found = false;

		for (unsigned k = 0; k < q->n_unless; k++)
			found = found || is_subset(q->unless[k], g->unless[i]);
		if (!found)
			return false;
	}
	return g->verb == VERB_DECLASSIFY ? is_subset(q->labels, g->labels) : is_subset(g->labels, q->labels);
}

static enum authority_why step_derive(struct model *m, const struct authority_request *q, struct reply *ret)
{
	uint32_t badge, parent, to;
	enum authority_why why;
	struct grant_row g;

	if (!holds(m, q, &badge, &parent))
		return WHY_NOT_HELD;
	to = q->to == 0 ? badge : badge_of(m, q->to);
	if (to == NOBODY || (to != badge && m->badges.at[to].parent != badge))
		return WHY_NOT_HELD;
	if (!is_well_formed(q))
		return WHY_MALFORMED;
	if (grant_id_is_taken(m, q->id, ret, &why))
		return why;
	if (is_frozen(m, badge))
		return WHY_FROZEN;
	if (is_revoked(m, parent))
		return WHY_REVOKED;
	if (is_expired(m, parent))
		return WHY_EXPIRED;
	g = m->grants.at[parent];
	if (!is_within(q, &g))
		return WHY_BEYOND;
	if (q->verb == VERB_DELEGATE && (to == badge ? q->depth > g.depth : q->depth + 1 > g.depth))
		return WHY_DEPTH;
	return make_grant(m, q, to, parent, ret);
}

static enum authority_why step_revoke(struct model *m, const struct authority_request *q, struct reply *ret)
{
	const uint32_t above = grant_of(m, q->grant);

	if (above == NOBODY)
		return WHY_NOT_HELD;
	if (is_revoked(m, above))
		return WHY_ALREADY;
	for (uint32_t g = 0; g < m->grants.n; g++)
		if (grant_is_below(m, g, above) && is_open(m, g))
			do_act(ret, AUTHORITY_ACT_CLOSE, g, BY_ENDING, true);
	*ADD(&m->revoked) = (struct revocation){ .grant = above };
	for (uint32_t i = 0; i < m->asks.n; i++)
		if (grant_is_below(m, m->asks.at[i].grant, above))
			m->asks.at[i].gone = true;
	return WHY_NONE;
}

static enum authority_why step_restore(struct model *m, const struct authority_request *q)
{
	const uint32_t g = grant_of(m, q->grant);
	uint32_t parent;

	if (g == NOBODY)
		return WHY_NOT_HELD;
	if (!is_revoked(m, g))
		return WHY_ALREADY;
	parent = m->grants.at[g].parent;
	if (parent != NOBODY && (is_revoked(m, parent) || is_expired(m, parent)))
		return is_revoked(m, parent) ? WHY_REVOKED : WHY_EXPIRED;
	*ADD(&m->revoked) = (struct revocation){ .grant = g, .back = true };
	return WHY_NONE;
}

/* ---- questions ---- */

static enum authority_why step_answer(struct model *m, const struct authority_request *q)
{
	const uint32_t i = ask_of(m, q->ask);
	const bool yes = (q->flags & AUTHORITY_YES) != 0, session = (q->flags & AUTHORITY_SESSION) != 0,
		   stop = (q->flags & AUTHORITY_STOP) != 0;

	if (i == NOBODY)
		return WHY_NOT_HELD;
	if ((q->flags & ~(AUTHORITY_YES | AUTHORITY_SESSION | AUTHORITY_STOP)) != 0 || (yes && stop) ||
	    (session && !yes) || q->until_ms <= m->now_ms)
		return WHY_MALFORMED;
	if (m->asks.at[i].state != ASK_WAITS)
		return WHY_ANSWERED;
	if (!same_digest(m->asks.at[i].digest, q->digest))
		return WHY_MISMATCH;
	m->asks.at[i].state = yes ? ASK_APPROVED : ASK_REFUSED;
	m->asks.at[i].session = session;
	m->asks.at[i].until_ms = q->until_ms;
	m->asks.at[i].stop = stop;
	return WHY_NONE;
}

static enum authority_why step_forget(struct model *m, const struct authority_request *q)
{
	const uint32_t i = ask_of(m, q->ask);

	if (i == NOBODY)
		return WHY_NOT_HELD;
	m->asks.at[i].gone = true;
	return WHY_NONE;
}

/* ---- labels ---- */

static enum authority_why put_labels(struct model *m, uint32_t b, uint64_t labels, enum authority_by by, uint32_t which,
				     const struct authority_request *q, struct reply *ret)
{
	if (is_subset(labels, labels_of(m, b)))
		return WHY_ALREADY;
	join_labels(m, b, labels, by, which, q, ret);
	return WHY_NONE;
}

static enum authority_why step_label(struct model *m, const struct authority_request *q, struct reply *ret)
{
	uint32_t b, g;

	if (q->grant != 0)
		return holds(m, q, &b, &g) ? put_labels(m, b, q->labels, AUTHORITY_BY_GRANT, g, q, ret) : WHY_NOT_HELD;
	b = badge_of(m, q->badge);
	return b == NOBODY ? WHY_NOT_HELD : put_labels(m, b, q->labels, AUTHORITY_BY_GIVEN, 0, q, ret);
}

static enum authority_why step_take(struct model *m, const struct authority_request *q, struct reply *ret)
{
	const uint32_t b = badge_of(m, q->badge), from = badge_of(m, q->to);

	return b == NOBODY || from == NOBODY ? WHY_NOT_HELD
					     : put_labels(m, b, labels_of(m, from), AUTHORITY_BY_BADGE, from, q, ret);
}

/* At it, beneath it or above it. */
static bool is_near(const char *path, const char *other)
{
	return is_in_directory(path, other) || is_in_directory(other, path);
}

/* By a grant that counts for ENTER. */
static bool has_grant_near(const struct model *m, uint32_t b, const char *path)
{
	for (uint32_t i = 0; i < m->grants.n; i++) {
		const struct grant_row *g = &m->grants.at[i];

		if (g->badge == b && is_of_path(g->verb, g->object) && is_near(g->object, path))
			return true;
	}
	return false;
}

/* Those by which ENTER brings a label: the first one. */
static uint32_t grant_with(const struct model *m, uint32_t b, uint64_t label)
{
	uint32_t first = NOBODY;

	for (uint32_t i = 0; i < m->grants.n; i++) {
		const struct grant_row *g = &m->grants.at[i];

		if (g->badge == b && is_of_path(g->verb, g->object) && (g->labels & label) != 0 &&
		    (first == NOBODY || memcmp(g->id, m->grants.at[first].id, AUTHORITY_ID) < 0))
			first = i;
	}
	return first;
}

static uint32_t mark_with(const struct model *m, uint32_t b, uint64_t label)
{
	uint32_t first = NOBODY;

	for (uint32_t i = 0; i < m->marks.n; i++)
		if (!m->marks.at[i].gone && (m->marks.at[i].labels & label) != 0 &&
		    has_grant_near(m, b, m->marks.at[i].path) &&
		    (first == NOBODY || strcmp(m->marks.at[i].path, m->marks.at[first].path) < 0))
			first = i;
	return first;
}

static enum authority_why step_enter(struct model *m, const struct authority_request *q, struct reply *ret)
{
	const uint32_t b = badge_of(m, q->badge);
	bool is_new = false;

	if (b == NOBODY)
		return WHY_NOT_HELD;
	if (is_frozen(m, b))
		return WHY_FROZEN;
	for (uint64_t label = 1; label != 0; label *= 2) {
		const uint32_t grant = grant_with(m, b, label), mark = mark_with(m, b, label);

		if (grant != NOBODY)
			is_new |= put_labels(m, b, label, AUTHORITY_BY_GRANT, grant, q, ret) == WHY_NONE;
		else if (mark != NOBODY)
			is_new |= put_labels(m, b, label, AUTHORITY_BY_MARK, mark, q, ret) == WHY_NONE;
	}
	return is_new ? WHY_NONE : WHY_ALREADY;
}

static enum authority_why step_mark(struct model *m, const struct authority_request *q, struct reply *ret)
{
	const uint32_t b = badge_of(m, q->badge);
	uint32_t which = NOBODY;
	uint64_t labels;
	struct mark *mark = NULL;
	bool lacks, is_new;

	if (b == NOBODY)
		return WHY_NOT_HELD;
	if (!is_path(q->object))
		return WHY_MALFORMED;
	labels = less_passes(m, q->labels != 0 ? q->labels : labels_of(m, b), b, q->digest);
	for (uint32_t i = 0; i < m->marks.n; i++)
		if (!m->marks.at[i].gone && strcmp(m->marks.at[i].path, q->object) == 0)
			mark = &m->marks.at[which = i];
	lacks = !is_subset(labels, mark != NULL ? mark->labels : 0);
	if (lacks && mark == NULL) {
		if (marks_there(m) >= m->size.marks || !has_room(m, q->object, ""))
			return WHY_FULL;
		which = m->marks.n;
		mark = ADD(&m->marks);
		mark->path = copy_of(q->object);
	}
	if (lacks)
		mark->labels |= labels;
	take_passes(m, b, q->digest);
	is_new = lacks;
	for (uint32_t row = 0; row < m->size.badges; row++) { /* who comes first gets a row for its origin */
		const uint32_t i = badge_in_row(m, row);

		if (i != NOBODY && has_grant_near(m, i, q->object))
			is_new = put_labels(m, i, labels, AUTHORITY_BY_MARK, which, q, ret) == WHY_NONE || is_new;
	}
	return is_new ? WHY_NONE : WHY_ALREADY;
}

static enum authority_why step_unmark(struct model *m, const struct authority_request *q)
{
	if (!is_path(q->object) || q->labels == 0)
		return WHY_MALFORMED;
	for (uint32_t i = 0; i < m->marks.n; i++) {
		struct mark *mark = &m->marks.at[i];

		if (mark->gone || strcmp(mark->path, q->object) != 0)
			continue;
		if ((mark->labels & q->labels) == 0)
			return WHY_ALREADY;
		mark->labels &= ~q->labels;
		mark->gone = mark->labels == 0;
		for (uint32_t k = 0; k < m->origins.n; k++)
			if (m->origins.at[k].by == AUTHORITY_BY_MARK && m->origins.at[k].which == i &&
			    is_subset(UINT64_C(1) << m->origins.at[k].label, q->labels))
				m->origins.at[k].gone = true;
		return WHY_NONE;
	}
	return WHY_NOT_HELD;
}

/* Into a new one. */
static enum authority_why step_join(struct model *m, const struct authority_request *q)
{
	struct mark joined = { .gone = false };
	bool any = false;

	if (!is_path(q->object))
		return WHY_MALFORMED;
	for (uint32_t i = 0; i < m->marks.n; i++)
		any = any || (!m->marks.at[i].gone && is_in_directory(m->marks.at[i].path, q->object) &&
			      strcmp(m->marks.at[i].path, q->object) != 0);
	if (!any)
		return WHY_ALREADY;
	for (uint32_t i = 0; i < m->marks.n; i++) {
		struct mark *mark = &m->marks.at[i];

		if (mark->gone || !is_in_directory(mark->path, q->object))
			continue;
		joined.labels |= mark->labels;
		mark->gone = true;
		for (uint32_t k = 0; k < m->origins.n; k++)
			if (m->origins.at[k].by == AUTHORITY_BY_MARK && m->origins.at[k].which == i)
				m->origins.at[k].which = m->marks.n;
	}
	joined.path = copy_of(q->object);
	*ADD(&m->marks) = joined;
	return WHY_NONE;
}

/* ---- agents ---- */

static enum authority_why step_agent(struct model *m, const struct authority_request *q)
{
	const struct authority_bounds *b = &q->bounds;
	const uint32_t i = is_name(q->object) ? agent_named(m, q->object) : NOBODY;
	const bool none = b->q.uses == 0 && b->q.bytes == 0 && b->rows == 0 && b->q.rate == 0;
	struct agent *agent;

	if (!is_name(q->object) || !are_bounds(b, false))
		return WHY_MALFORMED;
	if (i == NOBODY && none)
		return WHY_ALREADY;
	if (i == NOBODY && (agents_there(m) >= m->size.agents || !has_room(m, q->object, "")))
		return WHY_FULL;
	if (i != NOBODY && none) {
		m->agents.at[i].gone = true;
		return WHY_NONE;
	}
	if (i == NOBODY) {
		agent = ADD(&m->agents);
		agent->name = copy_of(q->object);
		agent->since = m->charges.n;
	} else {
		agent = &m->agents.at[i];
	}
	if (i == NOBODY || agent->bounds.q.rate != b->q.rate || agent->bounds.q.period_s != b->q.period_s) {
		agent->rate_since = m->charges.n;
		agent->rate_since_ms = m->clock_ms;
	}
	agent->bounds = *b;
	return WHY_NONE;
}

/* ---- a step ---- */

static enum authority_why step(struct model *m, const struct authority_request *q, struct reply *ret)
{
	switch ((enum authority_op)q->op) {
	case AUTHORITY_TIME: return WHY_NONE;
	case AUTHORITY_OPEN: return step_open(m, q, ret);
	case AUTHORITY_GIVE: return step_give(m, q, ret);
	case AUTHORITY_DERIVE: return step_derive(m, q, ret);
	case AUTHORITY_REVOKE: return step_revoke(m, q, ret);
	case AUTHORITY_END: return step_end(m, q, ret);
	case AUTHORITY_EVENT_END: return step_event_end(m, q, ret);
	case AUTHORITY_HAND_OVER: return step_hand_over(m, q);
	case AUTHORITY_USE: return step_use(m, q, ret);
	case AUTHORITY_RETURN: return step_return(m, q);
	case AUTHORITY_MORE: return step_more(m, q, ret);
	case AUTHORITY_ANSWER: return step_answer(m, q);
	case AUTHORITY_FORGET: return step_forget(m, q);
	case AUTHORITY_FREEZE: return step_freeze(m, q, true, ret);
	case AUTHORITY_THAW: return step_freeze(m, q, false, ret);
	case AUTHORITY_LABEL: return step_label(m, q, ret);
	case AUTHORITY_TAKE: return step_take(m, q, ret);
	case AUTHORITY_ENTER: return step_enter(m, q, ret);
	case AUTHORITY_MARK: return step_mark(m, q, ret);
	case AUTHORITY_AGENT: return step_agent(m, q);
	case AUTHORITY_RESTART: m->lent_since = m->charges.n; return WHY_NONE;
	case AUTHORITY_RESTORE: return step_restore(m, q);
	case AUTHORITY_UNMARK: return step_unmark(m, q);
	case AUTHORITY_JOIN: return step_join(m, q);
	case AUTHORITY_OP_COUNT: break;
	}
	return WHY_MALFORMED;
}

/* ---- comparing ---- */

__attribute__((format(printf, 2, 3))) static bool differ(char said[MODEL_SAID_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(said, MODEL_SAID_MAX, fmt, ap);
	va_end(ap);
	return false;
}

static bool act_is(const struct model *m, const struct act *act, const struct authority_action *there)
{
	const enum kind kind = act->act == AUTHORITY_ACT_CLOSE ? A_GRANT : A_BADGE;

	return act->act == there->act && ref_of(m, kind, act->which) == there->ref;
}

/* Whether the one may not come before the other. */
static bool comes_after(const struct model *m, const struct act *one, const struct act *other)
{
	if (one->group == BY_TIME && other->group == BY_TIME)
		return one->which != other->which && grant_is_below(m, other->which, one->which);
	if (one->group == BY_TIME || other->group == BY_TIME)
		return other->group == BY_TIME;
	if (one->group == BY_LABELS && other->group == BY_LABELS)
		return one->turn > other->turn;
	if (!one->ordered || !other->ordered || one->which == other->which)
		return false;
	return one->act == AUTHORITY_ACT_CLOSE ? grant_is_below(m, other->which, one->which)
					       : badge_is_below(m, other->which, one->which);
}

static bool actions_agree(const struct model *m, const struct reply *ours, const struct authority_answer *theirs,
			  char said[MODEL_SAID_MAX])
{
	bool *seen = calloc(ours->acts.n + 1, sizeof *seen);
	bool agrees = true;

	if (seen == NULL)
		abort();
	if (theirs->n_actions != ours->acts.n)
		agrees = differ(said, "%u actions, and not %u", theirs->n_actions, ours->acts.n);
	for (uint32_t i = 0; agrees && i < theirs->n_actions; i++) {
		const struct authority_action *there = &theirs->actions[i];
		uint32_t k = 0;

		while (k < ours->acts.n && (seen[k] || !act_is(m, &ours->acts.at[k], there)))
			k++;
		if (k == ours->acts.n) {
			agrees = differ(said, "action %u of %#" PRIx64 " is not ours, or there twice", there->act,
					there->ref);
			break;
		}
		seen[k] = true;
		for (uint32_t other = 0; other < ours->acts.n; other++)
			if (!seen[other] && comes_after(m, &ours->acts.at[k], &ours->acts.at[other]))
				agrees = differ(said, "action %u of %#" PRIx64 " is too early", there->act, there->ref);
	}
	free(seen);
	return agrees;
}

static bool made_agrees(struct model *m, const struct reply *ours, authority_ref made, char said[MODEL_SAID_MAX])
{
	if ((made != 0) != (ours->kind != A_NOTHING))
		return differ(said, "made %#" PRIx64, made);
	if (ours->kind == A_NOTHING)
		return true;
	if (!ours->is_new)
		return find(m, ours->kind, made) == ours->made || differ(said, "made is %#" PRIx64, made);
	if (find(m, ours->kind, made) != NOBODY)
		return differ(said, "the reference %#" PRIx64 " was given before", made);
	*ADD(&m->names) = (struct named){ ours->kind, made, ours->made };
	return true;
}

static bool same_bounds(const struct authority_bounds *a, const struct authority_bounds *b)
{
	return a->rows == b->rows && a->window.from == b->window.from && a->window.to == b->window.to &&
	       strcmp(a->window.zone, b->window.zone) == 0 && a->q.uses == b->q.uses && a->q.bytes == b->q.bytes &&
	       a->q.rate == b->q.rate && a->q.period_s == b->q.period_s && a->q.ech == b->q.ech &&
	       a->q.until_s == b->q.until_s;
}

static bool badge_agrees(const struct model *m, const struct authority_badge_told *t, char said[MODEL_SAID_MAX])
{
	const uint32_t b = badge_of(m, t->ref);
	const struct badge *ours = b != NOBODY ? &m->badges.at[b] : NULL;
	struct amounts used;

	if (ours == NULL)
		return differ(said, "badge %#" PRIx64 " is not there", t->ref);
	used = used_of(m, (struct node){ OF_BADGE, b });
	if (t->parent != (ours->parent == NOBODY ? 0 : ref_of(m, A_BADGE, ours->parent)) || !same_id(t->id, ours->id) ||
	    !same_id(t->event, ours->event) || strcmp(t->agent, ours->agent) != 0 || t->depth != ours->depth)
		return differ(said, "badge %#" PRIx64 " is another's", t->ref);
	if (!same_bounds(&t->bounds, &ours->bounds))
		return differ(said, "badge %#" PRIx64 " has other bounds", t->ref);
	if (t->frozen != is_frozen(m, b))
		return differ(said, "badge %#" PRIx64 " is frozen: %d", t->ref, t->frozen);
	if (t->labels != labels_of(m, b))
		return differ(said, "badge %#" PRIx64 " has labels %#" PRIx64, t->ref, t->labels);
	if (t->uses != used.uses || t->bytes != used.bytes || t->rows != used.rows)
		return differ(said,
			      "badge %#" PRIx64 " used %" PRIu64 " (%" PRIu64 "), %" PRIu64 " bytes (%" PRIu64 ")",
			      t->ref, t->uses, used.uses, t->bytes, used.bytes);
	return true;
}

static bool grant_agrees(const struct model *m, const struct authority_grant_told *t, char said[MODEL_SAID_MAX])
{
	const uint32_t g = grant_of(m, t->ref);
	const struct grant_row *ours = g != NOBODY ? &m->grants.at[g] : NULL;
	struct amounts used, lent;

	if (ours == NULL)
		return differ(said, "grant %#" PRIx64 " is not there", t->ref);
	if (t->parent != (ours->parent == NOBODY ? 0 : ref_of(m, A_GRANT, ours->parent)) ||
	    t->badge != ref_of(m, A_BADGE, ours->badge) || !same_id(t->id, ours->id))
		return differ(said, "grant %#" PRIx64 " is another's", t->ref);
	if (t->verb != ours->verb || t->flags != ours->flags || t->depth != ours->depth || t->labels != ours->labels ||
	    t->n_unless != ours->n_unless ||
	    memcmp(t->unless, ours->unless, ours->n_unless * sizeof t->unless[0]) != 0 ||
	    !same_bounds(&t->bounds, &ours->bounds) || strcmp(t->object, ours->object) != 0 ||
	    strcmp(t->terms, ours->terms) != 0)
		return differ(said, "grant %#" PRIx64 " is of something else", t->ref);
	if (t->revoked != is_revoked(m, g) || t->expired != is_expired(m, g))
		return differ(said, "grant %#" PRIx64 " is%s%s", t->ref, t->revoked ? " revoked" : "",
			      t->expired ? " expired" : "");
	used = used_of(m, (struct node){ OF_GRANT, g });
	lent = lent_of(m, g);
	if (t->uses != used.uses || t->bytes != used.bytes || t->rows != used.rows)
		return differ(said,
			      "grant %#" PRIx64 " used %" PRIu64 " (%" PRIu64 "), %" PRIu64 " bytes (%" PRIu64 ")",
			      t->ref, t->uses, used.uses, t->bytes, used.bytes);
	if (t->lent_bytes != lent.bytes || t->lent_rows != lent.rows)
		return differ(said, "grant %#" PRIx64 " lent %" PRIu64 " bytes (%" PRIu64 ")", t->ref, t->lent_bytes,
			      lent.bytes);
	return true;
}

static bool ask_agrees(const struct model *m, const struct authority_ask_told *t, char said[MODEL_SAID_MAX])
{
	const uint32_t i = ask_of(m, t->ref);
	const struct ask *ours = i != NOBODY ? &m->asks.at[i] : NULL;

	if (ours == NULL)
		return differ(said, "question %#" PRIx64 " is not there", t->ref);
	if (t->badge != ref_of(m, A_BADGE, ours->badge) || t->grant != ref_of(m, A_GRANT, ours->grant) ||
	    !same_id(t->id, ours->id) || !same_digest(t->digest, ours->digest) || t->state != ours->state ||
	    t->session != ours->session || t->stop != ours->stop || t->until_ms != ours->until_ms)
		return differ(said, "question %#" PRIx64 " is another one", t->ref);
	return true;
}

static bool agent_agrees(const struct model *m, const struct authority_agent_told *t, char said[MODEL_SAID_MAX])
{
	const uint32_t i = agent_named(m, t->name);
	struct amounts used;

	if (i == NOBODY || !same_bounds(&t->bounds, &m->agents.at[i].bounds))
		return differ(said, "the agent %s is not there, or has other bounds", t->name);
	used = used_of(m, (struct node){ OF_AGENT, i });
	return (t->uses == used.uses && t->bytes == used.bytes && t->rows == used.rows) ||
	       differ(said, "the agent %s used %" PRIu64 " (%" PRIu64 "), %" PRIu64 " bytes (%" PRIu64 ")", t->name,
		      t->uses, used.uses, t->bytes, used.bytes);
}

static bool mark_agrees(const struct model *m, const struct authority_mark_told *t, char said[MODEL_SAID_MAX])
{
	for (uint32_t i = 0; i < m->marks.n; i++)
		if (!m->marks.at[i].gone && strcmp(m->marks.at[i].path, t->path) == 0 &&
		    m->marks.at[i].labels == t->labels)
			return true;
	return differ(said, "the mark %s has labels %#" PRIx64, t->path, t->labels);
}

static bool origin_agrees(const struct model *m, const struct authority_origin_told *t, char said[MODEL_SAID_MAX])
{
	const uint32_t b = badge_of(m, t->badge);
	const struct origin *o = NULL;

	for (uint32_t i = 0; b != NOBODY && i < m->origins.n; i++)
		if (!m->origins.at[i].gone && m->origins.at[i].badge == b && m->origins.at[i].label == t->label)
			o = &m->origins.at[i];
	if (o == NULL || o->by != t->by || !same_id(o->event, t->event) || !same_id(o->from, t->from) ||
	    t->verb != (o->by == AUTHORITY_BY_GRANT ? m->grants.at[o->which].verb : 0) ||
	    strcmp(t->object, o->by == AUTHORITY_BY_GRANT  ? m->grants.at[o->which].object
			      : o->by == AUTHORITY_BY_MARK ? m->marks.at[o->which].path
							   : "") != 0)
		return differ(said, "label %u of badge %#" PRIx64 " did not come by %u, %u, '%s'", t->label, t->badge,
			      t->by, t->verb, t->object);
	return true;
}

/* Each of theirs is one of ours, and there are as many. */
static bool lists_agree(const struct model *m, const struct authority *a, char said[MODEL_SAID_MAX])
{
	struct authority_badge_told badge;
	struct authority_grant_told grant;
	struct authority_ask_told question;
	struct authority_agent_told agent;
	struct authority_mark_told mark;
	struct authority_origin_told origin;
	uint32_t badges = 0, grants = 0, asks = 0, agents = 0, marks = 0, origins = 0;

	for (uint32_t row = 0; row < m->size.badges; row++)
		if (authority_badge_at(a, row, &badge) && ++badges && !badge_agrees(m, &badge, said))
			return false;
	for (uint32_t row = 0; row < m->size.grants; row++)
		if (authority_grant_at(a, row, &grant) && ++grants && !grant_agrees(m, &grant, said))
			return false;
	for (uint32_t row = 0; row < m->size.asks; row++)
		if (authority_ask_at(a, row, &question) && ++asks && !ask_agrees(m, &question, said))
			return false;
	for (uint32_t row = 0; row < m->size.agents; row++)
		if (authority_agent_at(a, row, &agent) && ++agents && !agent_agrees(m, &agent, said))
			return false;
	for (uint32_t row = 0; row < m->size.marks; row++)
		if (authority_mark_at(a, row, &mark) && ++marks && !mark_agrees(m, &mark, said))
			return false;
	for (uint32_t row = 0; row < m->size.origins; row++)
		if (authority_origin_at(a, row, &origin) && ++origins && !origin_agrees(m, &origin, said))
			return false;
	if (origins != origins_there(m))
		return differ(said, "%u origins, and not %u", origins, origins_there(m));
	if (badges != badges_there(m) || grants != grants_there(m) || asks != asks_there(m) ||
	    agents != agents_there(m) || marks != marks_there(m))
		return differ(said,
			      "%u badges, %u grants, %u questions, %u agents, %u marks, and not %u, %u, %u, %u, %u",
			      badges, grants, asks, agents, marks, badges_there(m), grants_there(m), asks_there(m),
			      agents_there(m), marks_there(m));
	return authority_is_frozen(a) == has_mark_of_ice(m, NOBODY) || differ(said, "everything is frozen, or not");
}

static bool answers_agree(struct model *m, const struct authority_request *q, const struct reply *ours,
			  const struct authority_answer *theirs, char said[MODEL_SAID_MAX])
{
	const enum authority_verdict verdict = ours->asks                 ? AUTHORITY_ASKS
					       : ours->why < WHY_NOT_HELD ? AUTHORITY_ALLOWED
									  : AUTHORITY_DENIED;
	uint32_t badge;

	if (theirs->verdict != verdict || theirs->why != ours->why)
		return differ(said, "verdict %u, why %s, and not %u, %s", theirs->verdict,
			      authority_why_word((enum authority_why)theirs->why), verdict,
			      authority_why_word(ours->why));
	if (ours->why == WHY_SPENT && theirs->limit != ours->limit)
		return differ(said, "limit %u, and not %u", theirs->limit, ours->limit);
	if (!made_agrees(m, ours, theirs->made, said))
		return false;
	badge = ours->kind == A_BADGE && ours->is_new ? ours->made : badge_of(m, q->badge);
	if (theirs->labels != (badge == NOBODY ? 0 : labels_of(m, badge)))
		return differ(said, "labels %#" PRIx64 ", and not %#" PRIx64, theirs->labels,
			      badge == NOBODY ? 0 : labels_of(m, badge));
	return actions_agree(m, ours, theirs, said);
}

bool model_agrees(struct model *m, const struct authority_request *q, const struct authority_answer *answer,
		  const struct authority *a, char said[MODEL_SAID_MAX])
{
	struct reply ours = { .why = WHY_NONE };
	bool agrees;

	let_time_pass(m, q, &ours);
	ours.why = step(m, q, &ours);
	agrees = answers_agree(m, q, &ours, answer, said) && lists_agree(m, a, said);
	free(ours.acts.at);
	return agrees;
}

bool model_finds(const struct model *m, authority_ref badge, enum grant_verb verb, const char *object,
		 authority_ref found)
{
	const uint32_t b = badge_of(m, badge), f = grant_of(m, found);
	bool is_there = false;

	for (uint32_t i = 0; b != NOBODY && i < m->grants.n; i++) {
		const struct grant_row *g = &m->grants.at[i];

		if (g->badge != b || !is_open(m, i) || !is_covered(g->verb, g->object, verb, object))
			continue;
		is_there = is_there || i == f;
		if (f != NOBODY && is_covered(m->grants.at[f].verb, m->grants.at[f].object, g->verb, g->object) &&
		    !is_covered(g->verb, g->object, m->grants.at[f].verb, m->grants.at[f].object))
			return false;
		if (found == 0)
			return false;
	}
	return found == 0 || is_there;
}
